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

/// An end as the furthest of all is not so close either: it is the last use by a clock that is a little ahead.
const CLOCK_AHEAD: i64 = MINUTE / 2;

/// After so long without any activity a store is idle, as at night.
const IDLE_FROM: i64 = 2 * 60 * MINUTE;

/// After so long without any it is not in use, or the column is another one: the longest holidays are shorter.
const IDLE_UP_TO: i64 = 7 * DAY;

/// Of fewer sessions, each may tell when a store was used.
const FEW: usize = 5;

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
    let is_last_use = kind == ExpiryKind::ExpiresAt && (now - LAST_MINUTES..=now + CLOCK_AHEAD).contains(&newest);
    is_last_use.then(|| {
        let seconds = (now - newest).abs() / 1_000_000;
        let when =
            if newest > now { format!("{seconds} s ahead") } else { format!("{seconds} s ago and none lies ahead") };
        format!(
            "its newest value is {when}, so it seems to say when a session was last used (then it is `last_activity`)"
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
    // One session, of a robot perhaps, does not tell.
    let last_used = |sample: &Sample| sample.newest.get(usize::from(sample.newest.len() >= FEW)).copied();
    let newest = rules.clone().filter_map(|(_, sample)| last_used(sample)).max();
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
#[path = "plausibility_tests.rs"]
mod tests;
