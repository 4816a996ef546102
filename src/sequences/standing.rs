//! What is known of the connection that stands for the lease, for the next pass.

use super::activity::StatsSnapshot;
use std::time::Instant;

/// Passes without the question, after it was not answered.
const PAUSE: u32 = 4;
const PAUSE_AFTER_LOSS: u32 = 32;
/// Failures in a row, each of which doubles that.
const MOST_DOUBLED: u32 = 8;

/// What was learned of it since the last pass, and what that pass left.
#[derive(Debug, Default)]
pub struct StandingState {
    /// The counters that were read for it on the lease's connection.
    pub(super) counters: Option<StatsSnapshot>,
    /// When the last pass connected, and the version of the server that it reached; none where that writes each message into its
    /// log for each of its statements.
    pub(super) connected: Option<(Instant, String)>,
    /// How often in a row the question was not answered.
    failures: u32,
    /// Passes that are still to be made without asking it.
    pause: u32,
}

impl StandingState {
    /// Whether the question may be asked before this pass.
    pub(super) fn may_ask(&mut self) -> bool {
        let may_ask = self.pause == 0;
        self.pause = self.pause.saturating_sub(1);
        may_ask
    }

    pub(super) fn answered(&mut self, counters: StatsSnapshot) {
        (self.failures, self.counters) = (0, Some(counters));
    }

    /// It is not asked again for some passes, and after each further failure for twice as many: where the connection was lost over
    /// it, the lease was lost with it.
    pub(super) fn not_answered(&mut self, lost: bool) {
        self.pause = if lost { PAUSE_AFTER_LOSS } else { PAUSE } << self.failures.min(MOST_DOUBLED);
        self.failures += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_is_not_answered_is_asked_again_later_and_later() {
        let mut standing = StandingState::default();
        let passes_without = |standing: &mut StandingState| (0..).take_while(|_| !standing.may_ask()).count();
        assert_eq!(passes_without(&mut standing), 0);
        standing.not_answered(false);
        assert_eq!(passes_without(&mut standing), 4);
        standing.not_answered(true);
        assert_eq!(passes_without(&mut standing), 64);
        standing.answered(StatsSnapshot::default());
        standing.not_answered(true);
        assert_eq!(passes_without(&mut standing), 32);
        for _ in 0..20 {
            standing.not_answered(true);
        }
        assert_eq!(passes_without(&mut standing), 32 << 8);
    }
}
