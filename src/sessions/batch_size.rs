//! How many sessions the next batch ends, so that none is locked for longer than others wait for a lock: arithmetic only.

use std::time::Duration;

/// The first batch, where nothing makes a single session slow.
const FIRST: u32 = 500;

/// The size of the next batch.
#[derive(Debug)]
pub struct BatchSize {
    size: u32,
    largest: u32,
    /// How long a batch may lock its sessions.
    longest: Duration,
    /// The batch before, and how long it took.
    last: Option<(u32, Duration)>,
}

impl BatchSize {
    /// Begins with one session where foreign keys or triggers may make each of them slow.
    pub fn new(largest: u32, has_effects: bool, lock_timeout: Duration) -> Self {
        let first = if has_effects { 1 } else { FIRST };
        Self { size: first.min(largest), largest, longest: lock_timeout, last: None }
    }

    pub fn get(&self) -> u32 {
        self.size
    }

    /// The batch of this size locked its sessions for so long. What a single session costs is the difference to a smaller
    /// batch: on a busy machine or disk, most of the time does not depend on the size.
    pub fn took(&mut self, took: Duration) {
        let smaller = self.last.filter(|(size, _)| *size < self.size);
        let of_one = smaller.map(|(size, before)| took.saturating_sub(before) / (self.size - size));
        self.last = Some((self.size, took));
        let (may_grow, is_slow) = match of_one {
            Some(of_one) => {
                let target = self.longest / 2;
                (of_one * self.size.saturating_mul(2) <= target, of_one * self.size > target && took > self.longest)
            }
            None => (took <= self.longest, took > self.longest),
        };
        if is_slow {
            self.size = (self.size / 2).max(1);
        } else if may_grow {
            self.size = self.size.saturating_mul(2).min(self.largest);
        }
    }

    /// Others have locked all of its sessions: a larger one reaches past them. False where it is as large as may be.
    pub fn reach_further(&mut self) -> bool {
        let can_grow = self.size < self.largest;
        self.size = self.size.saturating_mul(2).min(self.largest);
        can_grow
    }

    /// It was cancelled.
    pub fn took_too_long(&mut self) {
        self.last = None;
        self.size = (self.size / 4).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn the_size_follows_the_time_that_a_batch_takes_and_stays_in_its_bounds() {
        let mut size = BatchSize::new(100, true, ms(100));
        assert_eq!(size.get(), 1);
        for expected in [2, 4, 8, 16, 32, 64, 100, 100] {
            size.took(ms(25));
            assert_eq!(size.get(), expected);
        }
        size.took(ms(101));
        assert_eq!(size.get(), 50);
        for expected in [12, 3, 1, 1] {
            size.took_too_long();
            assert_eq!(size.get(), expected);
        }
    }

    #[test]
    fn where_no_session_can_be_slow_the_first_batch_is_larger() {
        assert_eq!(BatchSize::new(100, false, ms(100)).get(), 100);
        let mut size = BatchSize::new(2000, false, ms(100));
        for expected in [500, 1000, 2000, 2000] {
            assert_eq!(size.get(), expected);
            size.took(ms(2) + Duration::from_micros(4) * size.get());
        }
    }

    #[test]
    fn what_each_session_costs_keeps_a_batch_small_and_what_each_batch_costs_does_not() {
        let mut slow_rows = BatchSize::new(500, true, ms(100));
        for expected in [2, 1, 2, 1] {
            slow_rows.took(ms(80) * slow_rows.get());
            assert_eq!(slow_rows.get(), expected);
        }
        let mut slow_batches = BatchSize::new(500, true, ms(100));
        for expected in [2, 4, 8, 16, 32, 64, 128, 256, 500, 500] {
            slow_batches.took(ms(90) + Duration::from_micros(50) * slow_batches.get());
            assert_eq!(slow_batches.get(), expected);
        }
        let mut very_slow_rows = BatchSize::new(500, true, ms(100));
        very_slow_rows.took(ms(120));
        assert_eq!(very_slow_rows.get(), 1);
    }
}
