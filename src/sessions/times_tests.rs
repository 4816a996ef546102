use super::*;
use proptest::prelude::*;

/// 2026-01-15
const NOW: i64 = 1_768_435_200 * SECOND;
const HOUR: i64 = 60 * MINUTE;

#[test]
fn a_session_is_judged_by_the_clock_of_the_pass_before() {
    let grace = Duration::from_secs(60);
    assert_eq!(cutoff(NOW, Some(NOW - HOUR), grace), NOW - HOUR);
    // A clock that jumped ahead and came back.
    assert_eq!(cutoff(NOW, Some(NOW + HOUR), grace), NOW);
    assert_eq!(cutoff(NOW, None, grace), NOW - MINUTE);
}

#[test]
fn constants_are_of_the_columns_type() {
    let at = NOW + 1_500_001;
    let naive = Encoding::Timestamp { time_zone: "UTC".to_owned() };
    assert_eq!(time_literal(&Encoding::Timestamptz, at), "'2026-01-15 00:00:01.500001+00'::timestamptz");
    assert_eq!(time_literal(&naive, at), "'2026-01-15 00:00:01.500001'::timestamp");
    assert_eq!(time_literal(&Encoding::EpochSeconds, at), "1768435201");
    assert_eq!(time_literal(&Encoding::EpochMillis, at), "1768435201500");
    assert_eq!(time_literal(&Encoding::EpochSeconds, -1), "-1");
}

/// A zone that changes its offset once, at `at`, both in seconds.
fn zone(changes_at: i64, before: i64, after: i64) -> impl Fn(i64) -> i64 {
    move |at| if at < changes_at { before } else { after }
}

fn local_in(zone: &impl Fn(i64) -> i64, at: i64) -> i64 {
    earliest_local_time(at, |step| zone(at + step * STEP * MINUTE))
}

#[test]
fn an_hour_that_is_shown_twice_counts_the_second_time() {
    // Clocks are set back at NOW, from two hours ahead to one.
    let zone = zone(NOW, 7200, 3600);
    let half_past = NOW - HOUR / 2;
    assert!(local_in(&zone, half_past) <= NOW + HOUR, "half of the hour to come is shown again");
    assert_eq!(local_in(&zone, NOW), NOW + HOUR);
    assert_eq!(local_in(&zone, NOW - 2 * HOUR), NOW - 2 * HOUR + 7200 * SECOND);
}

#[test]
fn an_hour_that_is_never_shown_may_mean_the_next() {
    let zone = zone(NOW, 3600, 7200);
    assert_eq!(local_in(&zone, NOW), NOW + HOUR, "not the skipped hour at once");
    assert_eq!(local_in(&zone, NOW + 2 * HOUR), NOW + 4 * HOUR);
}

proptest! {
    /// No session that ends after a moment has a local time up to the one returned for it.
    #[test]
    fn each_later_end_has_a_later_local_time(
        change in -4 * HOUR..4 * HOUR,
        before in -48i64..56,
        by in -12i64..12,
        later in 1i64..6 * HOUR,
    ) {
        let (before, after) = (before * 900, (before + by) * 900);
        let zone = zone(NOW + change, before, after);
        let shown = local_in(&zone, NOW);
        let end = NOW + later;
        prop_assert!(end + zone(end) * SECOND > shown);
        // An application that adds to a local time, before clocks are set forward, writes one that is never shown.
        if after > before && change > -HOUR {
            let written = end + before * SECOND;
            prop_assert!(end >= NOW + change || written > shown);
        }
    }

    /// The local time is early by no more than the clock was moved, and a step.
    #[test]
    fn a_local_time_is_early_by_little(change in -6 * HOUR..6 * HOUR, before in -48i64..56, by in -12i64..12) {
        let (before, after) = (before * 900, (before + by) * 900);
        let zone = zone(NOW + change, before, after);
        let shown = NOW + zone(NOW) * SECOND;
        let late = shown - local_in(&zone, NOW);
        prop_assert!((0..=by.abs() * 900 * SECOND).contains(&late), "{late}");
        let far = by.abs() * 900 * SECOND + STEP * MINUTE;
        if change.abs() > far {
            prop_assert_eq!(late, 0);
        }
    }
}
