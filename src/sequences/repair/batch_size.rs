//! How many advances go in one message. Pure.
//!
//! A server sends nothing before a whole message is done (unless the answers fill its buffer), so a long message would be
//! taken for a lost connection. And a server that logs an error logs all of the message, of about a kilobyte for each.

use std::time::Duration;

/// Most advances in one message.
const MOST: usize = 40;

/// Values that a message hands out, unless one advance alone takes more: some tens of milliseconds of work.
const VALUES: u128 = 100_000;

/// A message that took longer is followed by a short one: a slow disk, a standby that confirms each commit from afar.
const LONG: Duration = Duration::from_secs(1);

/// The longest that the advances of one message may wait for their locks, together; unless one alone may take longer.
const WAITING: Duration = Duration::from_secs(5);

/// Starts with one advance, and doubles after each message that succeeded quickly.
#[derive(Debug)]
pub struct AdaptiveBatchSize {
    now: usize,
    most: usize,
}

impl AdaptiveBatchSize {
    /// For advances of which each may wait for its lock so long.
    pub fn new(lock_timeout: Duration) -> Self {
        let waits = WAITING.as_millis() / lock_timeout.as_millis().max(1);
        Self { now: 1, most: usize::try_from(waits).unwrap_or(MOST).clamp(1, MOST) }
    }

    /// How many of the advances that take so many values go in the next message: one at least.
    pub fn fits(&self, values: impl IntoIterator<Item = u128>) -> usize {
        let mut sum = 0u128;
        let fitting = values.into_iter().take(self.now).take_while(|values| {
            sum = sum.saturating_add(*values);
            sum <= VALUES
        });
        fitting.count().max(1)
    }

    /// Adapts to how long a message took.
    pub fn record(&mut self, took: Duration, failed: bool) {
        self.now = if failed || took > LONG { 1 } else { self.most.min(self.now * 2) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_millis(5);
    const LOCK: Duration = Duration::from_millis(100);

    fn after(messages: usize) -> AdaptiveBatchSize {
        let mut pace = AdaptiveBatchSize::new(LOCK);
        (0..messages).for_each(|_| pace.record(QUICK, false));
        pace
    }

    #[test]
    fn it_begins_with_one_and_doubles_up_to_forty() {
        let fits: Vec<usize> = (0..8).map(|messages| after(messages).fits([1; 200])).collect();
        assert_eq!(fits, [1, 2, 4, 8, 16, 32, 40, 40]);
    }

    #[test]
    fn after_a_failure_or_a_long_message_it_begins_again() {
        for (took, failed) in [(QUICK, true), (Duration::from_secs(2), false)] {
            let mut pace = after(9);
            pace.record(took, failed);
            assert_eq!(pace.fits([1; 200]), 1);
        }
    }

    #[test]
    fn advances_that_may_wait_long_for_their_locks_go_few_together() {
        let fits = |seconds| {
            let mut pace = AdaptiveBatchSize::new(Duration::from_secs(seconds));
            (0..9).for_each(|_| pace.record(QUICK, false));
            pace.fits([1; 200])
        };
        assert_eq!((fits(0), fits(1), fits(5), fits(60)), (40, 5, 1, 1));
    }

    #[test]
    fn a_message_hands_out_a_hundred_thousand_values_or_is_one_advance() {
        let pace = after(9);
        assert_eq!(pace.fits([40_000; 200]), 2);
        assert_eq!(pace.fits([5_000_000, 1]), 1);
        assert_eq!(pace.fits([1, 5_000_000]), 1);
        assert_eq!(pace.fits([u128::MAX, u128::MAX]), 1);
        assert_eq!(pace.fits([1, 2, 3]), 3);
    }
}
