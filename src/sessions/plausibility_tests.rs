use super::*;

/// 2026-01-15
const NOW: i64 = 1_768_435_200_000_000;

fn sample(newest: &[i64]) -> Sample {
    Sample { newest: newest.to_vec(), has_far_future: false, before_2000: 0 }
}

fn implausible(kind: ExpiryKind, encoding: &Encoding, newest: &[i64]) -> Option<String> {
    implausible_reason(kind, encoding, &sample(newest), NOW, 100)
}

#[test]
fn values_of_a_store_in_use_are_plausible() {
    for kind in [ExpiryKind::ExpiresAt, ExpiryKind::LastActivity, ExpiryKind::CreatedAt] {
        assert_eq!(implausible(kind, &Encoding::Timestamptz, &[NOW + DAY, NOW, NOW - 30 * DAY]), None);
        assert_eq!(implausible(kind, &Encoding::Timestamptz, &[NOW - YEAR]), None);
        assert_eq!(implausible(kind, &Encoding::Timestamptz, &[]), None);
    }
    assert_eq!(implausible(ExpiryKind::ExpiresAt, &Encoding::Timestamptz, &[NOW + 20 * YEAR]), None);
}

#[test]
fn seconds_read_as_milliseconds_are_seen() {
    let reason = implausible(ExpiryKind::ExpiresAt, &Encoding::EpochMillis, &[NOW / 1000, NOW / 1000 - 1]);
    assert!(reason.is_some_and(|reason| reason.contains("look like seconds")));
}

#[test]
fn milliseconds_read_as_seconds_are_seen() {
    let beyond = Sample { has_far_future: true, ..sample(&[]) };
    let seen = implausible_reason(ExpiryKind::ExpiresAt, &Encoding::EpochSeconds, &beyond, NOW, 100);
    assert!(seen.is_some_and(|reason| reason.contains("look like milliseconds")));
    // The year 9999 is a way to say never.
    assert_eq!(implausible_reason(ExpiryKind::ExpiresAt, &Encoding::Timestamptz, &beyond, NOW, 100), None);
}

#[test]
fn seconds_among_milliseconds_are_seen_by_their_number() {
    let mixed = Sample { before_2000: 101, ..sample(&[NOW]) };
    assert!(implausible_reason(ExpiryKind::ExpiresAt, &Encoding::EpochMillis, &mixed, NOW, 100).is_some());
    assert_eq!(implausible_reason(ExpiryKind::ExpiresAt, &Encoding::EpochMillis, &mixed, NOW, 101), None);
}

#[test]
fn birthdays_and_expiries_in_the_wrong_place_are_seen() {
    assert!(implausible(ExpiryKind::ExpiresAt, &Encoding::Timestamptz, &[NOW - 18 * YEAR]).is_some());
    assert!(implausible(ExpiryKind::CreatedAt, &Encoding::Timestamptz, &[NOW + 14 * DAY]).is_some());
    assert!(implausible(ExpiryKind::LastActivity, &Encoding::EpochSeconds, &[NOW + 14 * DAY]).is_some());
}

#[test]
fn one_odd_value_decides_nothing() {
    assert_eq!(implausible(ExpiryKind::LastActivity, &Encoding::Timestamptz, &[NOW + 90 * YEAR, NOW, NOW - DAY]), None);
    // A backlog of old values does not make the new ones implausible.
    assert_eq!(
        implausible(ExpiryKind::ExpiresAt, &Encoding::Timestamptz, &[NOW + DAY, NOW - 6 * YEAR, NOW - 7 * YEAR]),
        None
    );
}

#[test]
fn an_end_in_the_last_minutes_is_the_last_use_and_an_activity_there_is_not() {
    let minutes = |ago: i64| sample(&[NOW - ago * MINUTE, NOW - 500 * MINUTE]);
    assert!(last_use_reason(ExpiryKind::ExpiresAt, &minutes(1), NOW).is_some_and(|why| why.contains("60 s ago")));
    for (kind, ago) in [(ExpiryKind::LastActivity, 1), (ExpiryKind::ExpiresAt, 6), (ExpiryKind::ExpiresAt, -1)] {
        assert_eq!(last_use_reason(kind, &minutes(ago), NOW), None, "{kind:?} {ago}");
    }
}

#[test]
fn sessions_are_touched_where_some_are() {
    assert!(untouched_reason("created_at", 60, 57).is_some());
    for (looked_at, untouched) in [(60, 56), (1, 1), (0, 0)] {
        assert_eq!(untouched_reason("created_at", looked_at, untouched), None);
    }
}

#[test]
fn a_store_is_idle_between_hours_and_days_where_its_times_can_be_trusted() {
    let ago = |hours: i64| sample(&[NOW - hours * 60 * MINUTE, NOW - hours * 60 * MINUTE - 30 * MINUTE]);
    let idle = |kind, sample: &Sample, zone| is_idle([(kind, sample)].into_iter(), zone, NOW);
    for (hours, expected) in [(1, false), (2, true), (9, true), (7 * 24, true), (7 * 24 + 1, false)] {
        assert_eq!(idle(ExpiryKind::LastActivity, &ago(hours), true), expected, "{hours}");
    }
    assert!(!idle(ExpiryKind::LastActivity, &ago(9), false), "the zone may be wrong");
    assert!(!idle(ExpiryKind::ExpiresAt, &ago(9), true), "an end tells nothing of the use");
    assert!(!idle(ExpiryKind::LastActivity, &sample(&[NOW - 600 * MINUTE; 4]), true), "all at one time");
    assert!(!idle(ExpiryKind::LastActivity, &sample(&[]), true), "nothing is known");
}
