//! What happened in each of the last 24 hours.

use std::collections::VecDeque;

/// Hours that are kept, the current one included.
pub const HOURS: usize = 24;

const SECONDS: f64 = 3600.0;

/// One hour, from minute 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HourCounts {
    /// Hours since 1970.
    pub hour: u64,
    /// Values that sequences handed out, repairs not counted.
    pub ids: u64,
    /// The most sequences whose inserts failed at the same time.
    pub failing: u64,
    pub repaired: u64,
    pub ended: u64,
}

/// The hours in which anything was counted, oldest first.
#[derive(Debug, Clone, Default)]
pub struct DayCounts(VecDeque<HourCounts>);

impl DayCounts {
    /// Changes the counts of the hour of `at`, in seconds since 1970. An hour that is over for a day is ignored.
    pub fn count(&mut self, at: f64, change: impl FnOnce(&mut HourCounts)) {
        let hour = (at / SECONDS) as u64;
        let place = match self.0.binary_search_by_key(&hour, |counts| counts.hour) {
            Ok(place) => place,
            Err(place) => {
                self.0.insert(place, HourCounts { hour, ..HourCounts::default() });
                place
            }
        };
        if let Some(counts) = self.0.get_mut(place) {
            change(counts);
        }
        while self.0.len() > HOURS {
            self.0.pop_front();
        }
    }

    /// The 24 hours up to the one of `now`, oldest first; an hour without a count is all zero.
    pub fn hours(&self, now: f64) -> [HourCounts; HOURS] {
        let last = (now / SECONDS) as u64;
        std::array::from_fn(|index| {
            let hour = (last + 1 + index as u64).saturating_sub(HOURS as u64);
            let found = self.0.iter().find(|counts| counts.hour == hour).copied();
            found.unwrap_or(HourCounts { hour, ..HourCounts::default() })
        })
    }

    /// The sum over the 24 hours up to `now`.
    pub fn sum(&self, now: f64, of: impl Fn(&HourCounts) -> u64) -> u64 {
        self.hours(now).iter().map(of).fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: f64 = 1_700_049_600.0;

    #[test]
    fn a_day_later_an_hour_is_forgotten() {
        let mut day = DayCounts::default();
        day.count(NOON, |hour| hour.repaired += 3);
        day.count(NOON + 60.0, |hour| hour.repaired += 1);
        day.count(NOON + 5.0 * SECONDS, |hour| hour.ended += 7);
        assert_eq!(day.sum(NOON + 23.0 * SECONDS, |hour| hour.repaired), 4);
        assert_eq!(day.sum(NOON + 24.0 * SECONDS, |hour| hour.repaired), 0);
        assert_eq!(day.sum(NOON + 24.0 * SECONDS, |hour| hour.ended), 7);
    }

    #[test]
    fn the_current_hour_is_the_last_of_24() {
        let mut day = DayCounts::default();
        day.count(NOON, |hour| hour.ids += 5);
        let hours = day.hours(NOON + 1.0);
        assert_eq!((hours.len(), hours[23].ids, hours[0].ids), (24, 5, 0));
        assert_eq!(hours[23].hour, hours[0].hour + 23);
    }

    #[test]
    fn what_an_earlier_run_did_is_added_in_any_order() {
        let mut day = DayCounts::default();
        for at in [NOON, NOON - 2.0 * SECONDS, NOON - SECONDS, NOON - 50.0 * SECONDS] {
            day.count(at, |hour| hour.repaired += 1);
        }
        assert_eq!(day.sum(NOON, |hour| hour.repaired), 3);
    }
}
