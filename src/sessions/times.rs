//! By which time a session must be over to be ended: arithmetic only, without database, runtime or clock. The time is an
//! argument, in microseconds since 1970 (UTC).

use crate::config::Encoding;
use chrono::DateTime;
use std::time::Duration;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;

/// Values up to here are no dates: 0 means never, and a clock in any zone shows 1970-01-01 then.
pub const MIN_TIME: i64 = 24 * 60 * MINUTE;

/// How far around a point in time a zone's offset is to be known, in steps of [`STEP`] minutes.
pub const STEPS: i64 = 16;
pub const STEP: i64 = 15;

/// The point in time by which a session must be over to go: the database's clock at the pass before, so that a clock
/// that jumps must stay there for two passes; without one, its clock now, less `grace`.
pub fn cutoff(now: i64, before: Option<i64>, grace: Duration) -> i64 {
    match before {
        Some(before) => before.min(now),
        None => minus(now, grace),
    }
}

/// `timeout` before `at`.
pub fn minus(at: i64, timeout: Duration) -> i64 {
    at.saturating_sub(i64::try_from(timeout.as_micros()).unwrap_or(i64::MAX))
}

/// What a clock shows, such that whatever it will ever show for a later time than `at` is more. `offset` is by how many
/// seconds the zone is ahead of UTC so many [`STEP`]s after `at`, from minus [`STEPS`] to [`STEPS`].
///
/// When clocks are set back, an hour is shown twice, and only its second time counts. When they are set forward, an
/// hour is never shown: whoever wrote it all the same, by adding to an earlier time, meant up to an hour later.
pub fn earliest_local_time(at: i64, offset: impl Fn(i64) -> i64) -> i64 {
    let now = offset(0);
    let shown = at.saturating_add(now * SECOND);
    let set_back = (1..=STEPS).filter_map(|step| {
        let back = now - offset(step);
        // The clock was set back at some time within the last step.
        (back > 0).then(|| shown.saturating_sub(back * SECOND).saturating_add((step - 1) * STEP * MINUTE))
    });
    let set_forward = (1..=STEPS).filter_map(|step| {
        let forward = now - offset(-step);
        ((step - 1) * STEP * 60 < forward).then(|| shown.saturating_sub(forward * SECOND))
    });
    set_back.chain(set_forward).fold(shown, i64::min)
}

/// A constant of the column's type that stands for the point in time; for a naive timestamp, for what a clock shows.
pub fn time_literal(encoding: &Encoding, at: i64) -> String {
    let date = || DateTime::from_timestamp_micros(at).unwrap_or_default().format("%Y-%m-%d %H:%M:%S%.6f");
    match encoding {
        Encoding::Timestamptz => format!("'{}+00'::timestamptz", date()),
        Encoding::Timestamp { .. } => format!("'{}'::timestamp", date()),
        Encoding::EpochSeconds => at.div_euclid(SECOND).to_string(),
        Encoding::EpochMillis => at.div_euclid(1000).to_string(),
    }
}

#[cfg(test)]
#[path = "times_tests.rs"]
mod tests;
