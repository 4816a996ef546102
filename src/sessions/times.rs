//! By which time a session must be over to be ended: arithmetic only, without database, runtime or clock. The time is an
//! argument, in microseconds since 1970 (UTC).

use crate::config::Encoding;
use chrono::DateTime;
use std::time::Duration;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;

/// A session that has been over for so long is over in any time zone.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Values up to here are no dates: 0 means never, and a clock in any zone shows 1970-01-01 then.
pub const MIN_TIME: i64 = 24 * 60 * MINUTE;

/// A zone's offset is read at this many steps before and after a point in time.
pub const STEPS: i64 = 16;
/// The minutes of one step.
pub const STEP: i64 = 15;

/// One SQL constant for each expiry rule of a store: a session whose column is up to it is over.
pub type Cutoffs = Vec<String>;

/// The points in time of one pass over one store.
#[derive(Debug)]
pub struct Times {
    /// The database's clock.
    pub now: i64,
    /// The same as a clock in the zone of the store's writer shows it; it differs for naive timestamps only.
    pub now_local: i64,
    /// The sweep ends sessions that are over by these.
    pub cutoff: Cutoffs,
    /// These say which sessions are over now.
    pub cutoff_now: Cutoffs,
    /// These say which sessions were over a day before: no time zone is ahead of another one by more.
    pub cutoff_day_ago: Cutoffs,
}

/// The point in time by which a session must be over to be ended: the database's clock at the previous pass, so that a
/// clock that jumps must stay there for two passes; without one, its clock now, less `grace_period`.
pub fn cutoff(now: i64, previous: Option<i64>, grace_period: Duration) -> i64 {
    match previous {
        Some(previous) => previous.min(now),
        None => minus(now, grace_period),
    }
}

/// `timeout` before `at`.
pub fn minus(at: i64, timeout: Duration) -> i64 {
    at.saturating_sub(i64::try_from(timeout.as_micros()).unwrap_or(i64::MAX))
}

/// A local time that is earlier than each local time of any moment after `at`. `offset` returns the seconds by which the
/// zone is ahead of UTC at a number of [`STEP`]s after `at`, from minus [`STEPS`] to [`STEPS`].
///
/// When clocks are set back, an hour is shown twice, and only its second time counts. When they are set forward, an
/// hour is never shown; an application that adds a duration to a local time can write it, and means up to an hour later.
pub fn earliest_local_time(at: i64, offset: impl Fn(i64) -> i64) -> i64 {
    let now = offset(0);
    let local = at.saturating_add(now * SECOND);
    let set_back = (1..=STEPS).filter_map(|step| {
        let back = now - offset(step);
        // The clock was set back at some time within the last step.
        (back > 0).then(|| local.saturating_sub(back * SECOND).saturating_add((step - 1) * STEP * MINUTE))
    });
    let set_forward = (1..=STEPS).filter_map(|step| {
        let forward = now - offset(-step);
        ((step - 1) * STEP * 60 < forward).then(|| local.saturating_sub(forward * SECOND))
    });
    set_back.chain(set_forward).fold(local, i64::min)
}

/// An SQL constant of the column's type for a point in time; for a naive timestamp, for a local time.
pub fn time_literal(encoding: &Encoding, at: i64) -> String {
    let date = || DateTime::from_timestamp_micros(at).unwrap_or_default().format("%Y-%m-%d %H:%M:%S%.6f");
    match encoding {
        Encoding::Timestamptz => format!("'{}+00'::timestamptz", date()),
        Encoding::Timestamp { .. } => format!("'{}'::timestamp", date()),
        // The day before: the session lives until its day has passed.
        Encoding::Date { .. } => date_literal(minus(at, DAY)),
        Encoding::EpochSeconds => at.div_euclid(SECOND).to_string(),
        Encoding::EpochMillis => at.div_euclid(1000).to_string(),
        Encoding::EpochMicros => at.to_string(),
        Encoding::EpochNanos => at.saturating_mul(1000).to_string(),
    }
}

/// The day of a local time, as an SQL constant.
pub fn date_literal(at: i64) -> String {
    format!("'{}'::date", DateTime::from_timestamp_micros(at).unwrap_or_default().format("%Y-%m-%d"))
}

#[cfg(test)]
#[path = "times_tests.rs"]
mod tests;
