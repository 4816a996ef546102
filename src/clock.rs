//! The system's clock. `clippy.toml` bans reading it anywhere else, so that tests can pass any time to the rest.

use std::time::SystemTime;

/// The present time by the system's clock.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub fn now() -> SystemTime {
    SystemTime::now()
}
