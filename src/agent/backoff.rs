//! How long to wait before a database is tried again, and after a tick, so that many agents do not act at once.

use std::time::Duration;

const MIN_DELAY: Duration = Duration::from_millis(500);
const MAX_DELAY: Duration = Duration::from_secs(30);

/// Doubles from half a second to half a minute, with jitter.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The delay after one more failure.
    pub fn next_delay(&mut self) -> Duration {
        let delay = MIN_DELAY.saturating_mul(1 << self.failures.min(6)).min(MAX_DELAY);
        self.failures = self.failures.saturating_add(1);
        delay.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    /// The database responded.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

/// Agents with the same cron line spread over at most this long.
const MAX_JITTER: Duration = Duration::from_secs(1);

/// How long this agent waits after each tick, so that not all agents connect at the same instant.
pub fn schedule_jitter(interval: Duration) -> Duration {
    MAX_JITTER.min(interval / 20).mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_a_maximum_and_start_anew_after_success() {
        let mut backoff = Backoff::default();
        let delays: Vec<Duration> = (0..40).map(|_| backoff.next_delay()).collect();
        assert!(delays[0] <= MIN_DELAY && delays[0] >= MIN_DELAY / 2);
        assert!(delays.iter().all(|delay| *delay <= MAX_DELAY));
        assert!(delays[39] >= MAX_DELAY / 2);
        backoff.reset();
        assert!(backoff.next_delay() <= MIN_DELAY);
    }
}
