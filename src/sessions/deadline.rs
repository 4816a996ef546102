//! How long a sweep may take: arithmetic only.

use std::time::Duration;

/// Where `sweep_timeout` is not set.
const DEFAULT: Duration = Duration::from_secs(60);

/// A backlog that goes at this pace, in sessions a second, is worked off to its end by a single pass.
const GOOD_PACE: u64 = 1000;

/// When a sweep stops before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    timeout: Duration,
    /// Goes on beyond the timeout at a good pace.
    extends: bool,
}

impl Deadline {
    /// `timeout` is the configured one. An agent sweeps again soon; a single pass is perhaps the only one of the day.
    pub fn new(timeout: Option<Duration>, is_agent: bool) -> Self {
        Self { timeout: timeout.unwrap_or(DEFAULT), extends: timeout.is_none() && !is_agent }
    }

    /// Whether the time is up after `elapsed`, in which `ended` sessions were ended.
    pub fn is_up(self, elapsed: Duration, ended: u64) -> bool {
        let is_slow = ended / elapsed.as_secs().max(1) < GOOD_PACE;
        elapsed >= self.timeout && !(self.extends && !is_slow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_single_pass_goes_on_and_only_at_a_good_pace() {
        let (minute, later) = (Duration::from_secs(60), Duration::from_secs(100));
        let once = Deadline::new(None, false);
        assert!(!once.is_up(Duration::from_secs(59), 0));
        assert!(once.is_up(minute, 59_999) && !once.is_up(minute, 60_000));
        assert!(once.is_up(later, 60_000) && !once.is_up(later, 1_000_000));
        assert!(Deadline::new(None, true).is_up(minute, 1_000_000), "an agent");
        assert!(Deadline::new(Some(minute), false).is_up(minute, 1_000_000), "as configured");
    }
}
