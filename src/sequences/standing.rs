//! What is known of the connection that stands for the lease, for the next pass.

use super::activity::StatsSnapshot;
use std::time::Instant;

/// What was learned of it since the last pass, and what that pass left.
#[derive(Debug, Default)]
pub struct StandingState {
    /// The counters that were read for it on the lease's connection.
    pub(super) counters: Option<StatsSnapshot>,
    /// When the last pass connected, and the version of the server that it reached; none where that writes each message into its
    /// log for each of its statements.
    pub(super) connected: Option<(Instant, String)>,
    /// The question was not answered since the last full pass.
    pub(super) failed: bool,
    /// The connection was lost over it: it is never asked again.
    pub(super) lost: bool,
}
