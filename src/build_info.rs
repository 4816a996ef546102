//! What the binary was built from, as the build script found it.

/// Of the package.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit, shortened to 12 characters, or `unknown`.
pub const REVISION: &str = env!("BUILT_REVISION");

/// One line, for `-V`: `0.1.0 (3f2a1bc9d1e2)`.
pub const SHORT: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("BUILT_REVISION"), ")");

/// Two lines, for `--version`: the commit and its day; profile, target, compiler.
pub const LONG: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (revision ",
    env!("BUILT_REVISION_AND_DATE"),
    ")\nbuild: ",
    env!("BUILT_PROFILE"),
    ", ",
    env!("BUILT_TARGET"),
    ", ",
    env!("BUILT_RUSTC"),
);
