//! What the binary was built from, as the build script found it.

/// Of the package.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit, shortened to 12 characters, or `unknown`.
pub const REVISION: &str = env!("PGMEDIC_BUILD_REVISION");

/// One line, for `-V`: `0.1.0 (3f2a1bc9d1e2)`.
pub const SHORT: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("PGMEDIC_BUILD_REVISION"), ")");

/// Two lines, for `--version`: the commit and its day; profile, target, compiler.
pub const LONG: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (revision ",
    env!("PGMEDIC_BUILD_REVISION_AND_DATE"),
    ")\nbuild: ",
    env!("PGMEDIC_BUILD_PROFILE"),
    ", ",
    env!("PGMEDIC_BUILD_TARGET"),
    ", ",
    env!("PGMEDIC_BUILD_RUSTC"),
);
