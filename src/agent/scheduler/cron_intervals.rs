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
mod tests {
    use crate::agent::scheduler::cron_intervals::*;
    use proptest::prelude::*;
    use proptest::sample::subsequence;

    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;

    /// Thursday, 15 January 2026
    fn thursday() -> DateTime<Utc> {
        DateTime::from_timestamp(1_768_435_200, 0).unwrap()
    }

    fn seconds(line: &str, now: DateTime<Utc>) -> (u64, u64) {
        let CronIntervals { shortest, longest } = cron_intervals(line, now);
        (shortest.as_secs(), longest.as_secs())
    }

    #[test]
    fn a_regular_line_has_one_interval() {
        let lines = [
            ("* * * * * *", 1),
            ("*/30 * * * * *", 30),
            ("0 * * * * *", MINUTE),
            ("0 */5 * * * *", 5 * MINUTE),
            ("@hourly", HOUR),
            ("0 0 3 * * *", DAY),
            ("0 0 3 * * MON", 7 * DAY),
        ];
        for (line, interval) in lines {
            assert_eq!(seconds(line, thursday()), (interval, interval), "{line}");
        }
    }

    #[test]
    fn a_line_that_pauses_has_the_pause_too() {
        let lines = [
            // From a minute to six on Friday until nine on Monday, and so on.
            ("0 * 9-17 * * 1-5", (MINUTE, 2 * DAY + 15 * HOUR + MINUTE)),
            ("* * 9-17 * * 1-5", (1, 2 * DAY + 15 * HOUR + 1)),
            ("* * 9-17 * * *", (1, 15 * HOUR + 1)),
            ("*/40 * * * * *", (20, 40)),
            ("0 0,1 * * * *", (MINUTE, 59 * MINUTE)),
            ("0 0 8,9,20 * * *", (HOUR, 12 * HOUR)),
            ("0 0 0 1 * *", (28 * DAY, 31 * DAY)),
            ("0 0 0 1 1 *", (365 * DAY, 366 * DAY)),
            ("0 0 0 1 1,2 *", (31 * DAY, 334 * DAY)),
        ];
        for (line, expected) in lines {
            assert_eq!(seconds(line, thursday()), expected, "{line}");
        }
    }

    #[test]
    fn it_does_not_matter_when_the_agent_starts() {
        for minutes in (0..7 * 24 * 60).step_by(97) {
            let now = thursday() + TimeDelta::minutes(minutes);
            assert_eq!(seconds("0 * 9-17 * * 1-5", now), (MINUTE, 2 * DAY + 15 * HOUR + MINUTE), "{now}");
        }
    }

    #[test]
    fn a_line_that_does_not_tick_twice_counts_as_daily() {
        for line in ["0 0 0 1 1 * 2020", "0 0 0 1 1 * 2030", "no line at all"] {
            assert_eq!(seconds(line, thursday()), (DAY, DAY), "{line}");
        }
    }

    #[test]
    fn the_busiest_line_is_asked_a_few_hundred_times_only() {
        let cron = cron_parser().parse("* * * * * *").unwrap();
        assert_eq!(one_of_each(&cron, thursday()).len(), 60 + 60 + 24 + 366);
    }

    /// A field that names some of its values.
    fn field(values: std::ops::Range<u32>, most: usize) -> impl Strategy<Value = String> {
        let all: Vec<u32> = values.collect();
        let some = subsequence(all, 1..=most);
        some.prop_map(|some| some.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
    }

    /// The same, tick by tick; none when it never ticks.
    fn by_every_tick(line: &str, now: DateTime<Utc>, span: TimeDelta) -> Option<CronIntervals> {
        let cron = cron_parser().parse(line).unwrap();
        let mut tick = cron.find_next_occurrence(&now, false).ok()?;
        let end = truncate(tick, TimeDelta::days(1)).unwrap() + span;
        let mut intervals = Vec::new();
        while tick < end {
            let next = cron.find_next_occurrence(&tick, false).unwrap();
            intervals.push((next - tick).to_std().unwrap());
            tick = next;
        }
        Some(CronIntervals { shortest: *intervals.iter().min()?, longest: *intervals.iter().max()? })
    }

    #[test]
    fn days_may_be_named_in_any_way() {
        for days in ["L * *", "15W * *", "* * FRI#L", "* * 2#3", "* * 1L", "1-5 6-8 *", "*/7 * MON", "? 2 5,6"] {
            let line = format!("0 0 3,20 {days}");
            let expected = by_every_tick(&line, thursday(), TimeDelta::days(366));
            assert_eq!(Some(cron_intervals(&line, thursday())), expected, "{line}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Against every single tick of eight days.
        #[test]
        fn no_interval_is_missed(
            (second, minute) in (field(0..60, 3), field(0..60, 3)),
            (hour, weekday) in (field(0..24, 4), field(0..7, 4)),
            start in 0_i64..7 * 24 * 60 * 60,
        ) {
            let line = format!("{second} {minute} {hour} * * {weekday}");
            let now = thursday() + TimeDelta::seconds(start);
            let expected = by_every_tick(&line, now, TimeDelta::days(8));
            prop_assert_eq!(Some(cron_intervals(&line, now)), expected, "{} from {}", line, now);
        }
    }
}
