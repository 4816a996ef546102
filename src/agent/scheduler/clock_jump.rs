//! Notices that the system clock was set back. The scheduler would wait until the old time.

use crate::clock;
use std::time::{Duration, Instant, SystemTime};
use tokio::time::sleep;

/// How often the clocks are compared.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A smaller difference is a clock that is being adjusted slowly, and harmless.
const MIN_JUMP: Duration = Duration::from_secs(2);

/// Two clocks at one moment: one that can be set, and one that only goes forward.
#[derive(Debug)]
pub struct ClockJumpDetector {
    wall: SystemTime,
    steady: Instant,
}

impl ClockJumpDetector {
    pub fn now() -> Self {
        Self { wall: clock::now(), steady: Instant::now() }
    }

    /// Waits until the clock is set back. Dropping this loses nothing.
    pub async fn wait_for_backward_jump(&mut self) {
        loop {
            sleep(LOOK_EVERY).await;
            let now = Self::now();
            let was_set_back = self.is_ahead_of(&now);
            *self = now;
            if was_set_back {
                return;
            }
        }
    }

    /// Whether less time has passed by the clock that can be set. (After a jump forward, what is due ticks at once.)
    fn is_ahead_of(&self, now: &Self) -> bool {
        let passed = now.steady.saturating_duration_since(self.steady);
        now.wall + MIN_JUMP < self.wall + passed
    }
}

#[cfg(test)]
mod tests {
    use crate::agent::scheduler::clock_jump::*;

    #[test]
    fn a_clock_that_is_set_back_is_noticed_and_one_that_goes_on_or_ahead_is_not() {
        let start = ClockJumpDetector::now();
        let after = |wall: i64, steady: u64| {
            let step = Duration::from_secs(wall.unsigned_abs());
            let wall = if wall < 0 { start.wall - step } else { start.wall + step };
            start.is_ahead_of(&ClockJumpDetector { wall, steady: start.steady + Duration::from_secs(steady) })
        };
        assert!(after(-3600, 1) && after(-2, 1) && after(0, 3));
        assert!(!after(1, 1) && !after(10, 10) && !after(3600, 1) && !after(0, 1));
    }
}
