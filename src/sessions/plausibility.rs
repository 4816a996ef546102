//! Whether a column can mean what the configuration says, judged by its newest values: arithmetic only, like `guards.rs`.

use crate::config::{Encoding, ExpiryKind};

const DAY: i64 = 24 * 60 * 60 * 1_000_000;
const YEAR: i64 = 365 * DAY;

/// How far ahead a value may lie: beyond, it is no date, or a way to say never.
pub const FURTHEST: i64 = 100 * YEAR;

/// 2000-01-01: no session in PostgreSQL is older.
pub const EARLIEST: i64 = 946_684_800_000_000;

/// An application without a session for longer than that is not in use.
const MAX_IDLE_APPLICATION: i64 = 5 * YEAR;

/// A value that is written now may be ahead of the database's clock by a zone's offset, and by a little.
const CLOCK_SKEW: i64 = 2 * DAY;

const MINUTE: i64 = 60 * 1_000_000;

/// An end is rarely so close to now in a store in use, and the last use of a session always.
const LAST_MINUTES: i64 = 5 * MINUTE;

/// After so long without any activity a store is idle, as at night.
const IDLE_FROM: i64 = 2 * 60 * MINUTE;

/// After so long without any it is not in use, or the column is another one: the longest holidays are shorter.
const IDLE_UP_TO: i64 = 7 * DAY;

/// How many of the newest values are looked at.
pub const SAMPLE: usize = 20;

/// The newest values of a column, in microseconds since 1970, as the encoding reads them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The largest up to [`FURTHEST`] from now, largest first: at most [`SAMPLE`].
    pub newest: Vec<i64>,
    /// Whether any lies further ahead, and does not mean never.
    pub has_far_future: bool,
    /// How many lie before [`EARLIEST`].
    pub before_2000: u64,
}

/// Why the column is implausible. `allowed` values before [`EARLIEST`] are accepted.
pub fn implausible_reason(
    kind: ExpiryKind,
    encoding: &Encoding,
    sample: &Sample,
    now: i64,
    allowed: u64,
) -> Option<String> {
    let Some(newest) = sample.newest.first().copied() else {
        let finer = if sample.has_far_future { encoding.finer() } else { None };
        return finer.map(|finer| format!("all values lie more than 100 years ahead: they look like {finer}"));
    };
    if newest < EARLIEST || sample.before_2000 > allowed {
        let which = if newest < EARLIEST { "all of its values" } else { "many of its values" };
        let look = encoding.coarser().map_or(String::new(), |coarser| format!(": they look like {coarser}"));
        return Some(format!("{which} lie before the year 2000{look}"));
    }
    if newest < now - MAX_IDLE_APPLICATION {
        let years = (now - newest) / YEAR;
        return Some(format!("its newest values lie {years} years back, as no session's in use do"));
    }
    // The median: one odd value, of a test or of a wrong clock, decides nothing.
    let typical = sample.newest.get(sample.newest.len() / 2).copied().unwrap_or(newest);
    if kind != ExpiryKind::ExpiresAt && typical > now + CLOCK_SKEW {
        return Some("its newest values lie in the future, as only the end of a session does".to_owned());
    }
    None
}

/// Why the newest value of `expires_at` says when a session was used, and not when it ends. `now` is the time in the
/// column's zone. For a store that was not swept before: the last session of one that is may just have ended.
pub fn last_use_reason(kind: ExpiryKind, sample: &Sample, now: i64) -> Option<String> {
    let newest = sample.newest.first().copied()?;
    let is_last_use = kind == ExpiryKind::ExpiresAt && newest <= now && newest >= now - LAST_MINUTES;
    is_last_use.then(|| {
        let seconds = (now - newest) / 1_000_000;
        format!(
            "its newest value is {seconds} s ago and none lies ahead, so it seems to say when a session was last used (then \
             it is `last_activity`)"
        )
    })
}

/// Why a column with the last activity is none: it equals the time of creation in `untouched` of `looked_at` sessions.
pub fn untouched_reason(created_at: &str, looked_at: u64, untouched: u64) -> Option<String> {
    let nearly_all = looked_at >= 2 && untouched.saturating_mul(20) >= looked_at.saturating_mul(19);
    nearly_all.then(|| {
        format!(
            "it equals {created_at} in {untouched} of {looked_at} sessions, so the application does not touch a session that \
             is used: let it, or use `created_at` with `absolute_timeout`"
        )
    })
}

/// Whether the store is one that was last used some hours or days ago, so that none of its sessions need be live. `rules`
/// are the meaning of each column with its newest values; `now` is the time in the columns' zone. An `expires_at` does not
/// tell, nor does a zone that may be wrong; and values that are all the same were not written by the use of sessions.
pub fn is_idle<'a>(
    rules: impl Iterator<Item = (ExpiryKind, &'a Sample)> + Clone,
    is_zone_known: bool,
    now: i64,
) -> bool {
    let newest = rules.clone().filter_map(|(_, sample)| sample.newest.first().copied()).max();
    let idle_for = newest.map_or(0, |newest| now - newest);
    let is_varied = |sample: &Sample| {
        let mut seconds: Vec<i64> = sample.newest.iter().map(|value| value / 1_000_000).collect();
        seconds.dedup();
        seconds.len() * 2 > sample.newest.len()
    };
    is_zone_known
        && (IDLE_FROM..=IDLE_UP_TO).contains(&idle_for)
        && rules.clone().all(|(kind, sample)| kind != ExpiryKind::ExpiresAt && is_varied(sample))
}

#[cfg(test)]
mod tests {
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
        assert_eq!(
            implausible(ExpiryKind::LastActivity, &Encoding::Timestamptz, &[NOW + 90 * YEAR, NOW, NOW - DAY]),
            None
        );
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
}
