//! How many advances go in one message. Pure.
//!
//! A server sends nothing before a whole message is done (unless the answers fill its buffer), so a long message would be
//! taken for a lost connection. And a server that logs an error logs all of the message, of about a kilobyte for each; after
//! an error the next message has one advance.

use std::time::Duration;

/// Most advances in one message.
const MOST: usize = 80;

/// Values that a message hands out, unless one advance alone takes more: some tens of milliseconds of work.
const VALUES: u128 = 100_000;

/// A message that took longer is followed by a short one: a slow disk, a standby that confirms each commit from afar.
const LONG: Duration = Duration::from_secs(1);

/// The longest that the advances of one message may wait for their locks, together; unless one alone may take longer.
const WAITING: Duration = Duration::from_secs(10);

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
#[path = "batch_size_tests.rs"]
mod tests;
