//! How many sessions the next batch ends, so that none is locked for longer than others wait for a lock: arithmetic only.

use std::time::Duration;

/// The size of the next batch.
#[derive(Debug)]
pub struct BatchSize {
    size: u32,
    largest: u32,
    /// How long a batch may take.
    target: Duration,
}

impl BatchSize {
    /// Begins with one session where foreign keys or triggers may make each of them slow.
    pub fn new(largest: u32, has_effects: bool, lock_timeout: Duration) -> Self {
        Self { size: if has_effects { 1 } else { largest }, largest, target: lock_timeout / 2 }
    }

    pub fn get(&self) -> u32 {
        self.size
    }

    /// The batch of this size took so long.
    pub fn took(&mut self, took: Duration) {
        if took > self.target {
            self.size = (self.size / 2).max(1);
        } else if took * 2 <= self.target {
            self.size = self.size.saturating_mul(2).min(self.largest);
        }
    }

    /// It was cancelled.
    pub fn took_too_long(&mut self) {
        self.size = (self.size / 4).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_follows_the_time_that_a_batch_takes_and_stays_in_its_bounds() {
        let ms = Duration::from_millis;
        let mut size = BatchSize::new(100, true, ms(100));
        assert_eq!(size.get(), 1);
        for expected in [2, 4, 8, 16, 32, 64, 100, 100] {
            size.took(ms(25));
            assert_eq!(size.get(), expected);
        }
        size.took(ms(40));
        assert_eq!(size.get(), 100, "neither too long nor very short");
        size.took(ms(51));
        assert_eq!(size.get(), 50);
        for expected in [12, 3, 1, 1] {
            size.took_too_long();
            assert_eq!(size.get(), expected);
        }
        assert_eq!(BatchSize::new(100, false, ms(100)).get(), 100);
    }
}
