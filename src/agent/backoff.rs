//! How long to wait: before a database is tried again, and beside other agents.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

const MIN_DELAY: Duration = Duration::from_millis(500);
const MAX_DELAY: Duration = Duration::from_secs(30);

/// Doubles from half a second to half a minute; each pause is jittered, so that a fleet spreads out.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The pause after one more failure.
    pub fn next_delay(&mut self) -> Duration {
        let pause = MIN_DELAY.saturating_mul(1 << self.failures.min(6)).min(MAX_DELAY);
        self.failures = self.failures.saturating_add(1);
        pause.mul_f64(0.5 + random() / 2.0)
    }

    /// The database answered.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

/// Agents that tick by the same cron line spread over at most this long.
const MAX_JITTER: Duration = Duration::from_secs(1);

/// How long this one waits after each tick, so that a fleet does not knock at the same instant.
pub fn schedule_jitter(interval: Duration) -> Duration {
    MAX_JITTER.min(interval / 20).mul_f64(random())
}

/// From 0 to 1, and good enough for this.
fn random() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 11;
    bits as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_cap_and_start_anew_after_success() {
        let mut backoff = Backoff::default();
        let pauses: Vec<Duration> = (0..40).map(|_| backoff.next_delay()).collect();
        assert!(pauses[0] <= MIN_DELAY && pauses[0] >= MIN_DELAY / 2);
        assert!(pauses.iter().all(|pause| *pause <= MAX_DELAY));
        assert!(pauses[39] >= MAX_DELAY / 2);
        backoff.reset();
        assert!(backoff.next_delay() <= MIN_DELAY);
    }
}
