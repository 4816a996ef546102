//! How often a schedule ticks, in a bounded number of steps for any cron line.

use crate::config::{Schedule, cron_parser};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use croner::Cron;
use std::time::Duration;

/// The shortest and the longest time between two ticks that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CronIntervals {
    pub shortest: Duration,
    /// Includes pauses of the line, such as a night or a weekend.
    pub longest: Duration,
}

/// For a line that does not tick twice.
const SINGLE_TICK_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// The units of time between two ticks, and the span in which to look for each. The fields of a cron line are independent:
/// each minute with ticks has them at the same seconds, and likewise each hour and each day. So one minute has all
/// intervals within a minute, one hour those between minutes, one day those between hours, and a year those between
/// days, because months differ.
const STEPS: [(TimeDelta, TimeDelta); 4] = [
    (TimeDelta::seconds(1), TimeDelta::minutes(1)),
    (TimeDelta::minutes(1), TimeDelta::hours(1)),
    (TimeDelta::hours(1), TimeDelta::days(1)),
    (TimeDelta::days(1), TimeDelta::days(366)),
];

/// The intervals of a schedule; of a cron line those that begin within a year after its first tick after `now`.
pub fn intervals(schedule: &Schedule, now: DateTime<Utc>) -> CronIntervals {
    match schedule {
        Schedule::Cron(line) => cron_intervals(line, now),
        Schedule::Every(every) => CronIntervals { shortest: *every, longest: *every },
    }
}

/// The intervals of `line` (six fields, UTC) that begin within a year after its first tick after `now`.
fn cron_intervals(line: &str, now: DateTime<Utc>) -> CronIntervals {
    let intervals = cron_parser().parse(line).map_or_else(|_| Vec::new(), |cron| one_of_each(&cron, now));
    let shortest = intervals.iter().min().copied().unwrap_or(SINGLE_TICK_INTERVAL);
    CronIntervals { shortest, longest: intervals.iter().max().copied().unwrap_or(SINGLE_TICK_INTERVAL) }
}

/// One interval of each kind: some five hundred at most.
fn one_of_each(cron: &Cron, now: DateTime<Utc>) -> Vec<Duration> {
    let mut intervals = Vec::new();
    let Ok(first) = cron.find_next_occurrence(&now, false) else { return intervals };
    for (step, span) in STEPS {
        let Some(begin) = truncate(first, span.min(TimeDelta::days(1))) else { continue };
        let mut tick = cron.find_next_occurrence(&begin, true).ok();
        while let Some(current) = tick
            && current < begin + span
            && let Some((last, next)) = last_tick_and_next(cron, current, step)
        {
            intervals.extend((next - last).to_std());
            tick = Some(next);
        }
    }
    intervals
}

/// The last tick in the minute, hour or day of `tick`, and the tick after it.
fn last_tick_and_next(cron: &Cron, tick: DateTime<Utc>, step: TimeDelta) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let last = cron.find_previous_occurrence(&(truncate(tick, step)? + step), false).ok()?;
    Some((last, cron.find_next_occurrence(&last, false).ok()?))
}

/// The start of the minute, hour or day of `time`.
fn truncate(time: DateTime<Utc>, step: TimeDelta) -> Option<DateTime<Utc>> {
    time.duration_trunc(step).ok()
}

#[cfg(test)]
#[path = "cron_intervals_tests.rs"]
mod tests;
