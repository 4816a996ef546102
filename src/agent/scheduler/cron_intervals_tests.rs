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
