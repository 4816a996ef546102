//! What a sweep may end, given how many sessions it would: arithmetic only, without database, runtime or clock.

/// How many sessions a store holds, and how many a sweep would end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SweepCounts {
    /// Sessions that are over by the cutoff.
    pub stale: u64,
    /// Of them: those that a mistake in the configuration could explain. A wrong time zone makes sessions seem to be over for
    /// less than a day; a wrong unit of a lifetime for any time.
    pub doubtful: u64,
    /// Whether `doubtful` is only the least that there are: counting them took too long.
    pub is_doubtful_capped: bool,
    /// Sessions that are not over.
    pub live: u64,
    /// Of them: those without an end, which tell nothing of a column that is a wrong one.
    pub endless: u64,
    /// The stale sessions that were live at the last sweep; none where there was no last sweep.
    pub fresh: Option<u64>,
    /// Sessions that were over at the last sweep and were left; none where they were not counted.
    pub backlog_before: Option<u64>,
    /// Sessions that were live at the last sweep.
    pub live_before: u64,
    /// Whether any session is live by the database's clock now.
    pub any_live: bool,
    /// Whether no sweep of this store was let through yet: there is nothing to compare with.
    pub is_first_sweep: bool,
    /// Whether the store was last used hours ago, as at night, so that none of its sessions need be live.
    pub is_idle: bool,
    /// Live sessions beyond the newest ones that their users may have.
    pub superseded: u64,
    /// The most of them that one user has.
    pub superseded_of_one: u64,
}

/// Above which numbers a sweep is held.
#[derive(Debug, Clone, Copy)]
pub struct SweepLimits {
    /// The part of the live sessions that may end at once.
    pub max_ended_ratio: f64,
    /// This many of the sessions that were live may always end: of three, two that end at once are nothing unusual.
    pub min_sessions: u64,
}

/// At a first sweep no user may lose so many sessions where that is too large a share of all: a value such as 0 may stand for all
/// users.
const MANY_OF_ONE: u64 = 15;

/// What a sweep may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepPlan {
    pub expire: Expire,
    /// Whether superseded sessions may be ended.
    pub supersede: bool,
}

/// Which of the sessions that are over may be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expire {
    All,
    /// Those that were over at the last sweep already.
    Backlog,
    Nothing,
}

impl SweepPlan {
    pub const EVERYTHING: Self = Self { expire: Expire::All, supersede: true };
    pub const NOTHING: Self = Self { expire: Expire::Nothing, supersede: false };
}

/// Why a sweep, or a part of it, is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// All `stale` sessions would end, and none is live.
    NoneLeft { stale: u64 },
    /// It is the first sweep, and of the `doubtful` sessions more than the allowed part would end.
    FirstSweep { ended: u64, doubtful: u64, all: u64 },
    /// Of the sessions that are new since the last look, so many were over then.
    OverFromBirth { over: u64, new: u64 },
    /// More than the allowed part of the sessions that were live would end.
    TooManyEnded { ended: u64, live: u64 },
    /// One user would lose so many sessions.
    TooManyOfOneUser { sessions: u64 },
    /// More than the allowed part of the live sessions is superseded.
    TooManySuperseded { superseded: u64, live: u64 },
}

/// What a sweep may end, and why the rest is held.
pub fn allowed(counts: &SweepCounts, limits: SweepLimits) -> (SweepPlan, Vec<Hold>) {
    let (expire, expire_hold) = allowed_to_expire(counts, limits);
    let supersede_hold = supersede_hold(counts, limits);
    let plan = SweepPlan { expire, supersede: counts.superseded > 0 && supersede_hold.is_none() };
    (plan, expire_hold.into_iter().chain(supersede_hold).collect())
}

fn allowed_to_expire(counts: &SweepCounts, limits: SweepLimits) -> (Expire, Option<Hold>) {
    if let Some(hold) = none_left_hold(counts, limits).or_else(|| first_sweep_hold(counts, limits)) {
        return (Expire::Nothing, Some(hold));
    }
    let Some(fresh) = counts.fresh else { return (Expire::All, None) };
    // A backlog that grew was not all over at the last sweep: it is new, or was live and has another time now.
    let backlog = counts.stale.saturating_sub(fresh);
    let redated = counts.backlog_before.map_or(0, |before| backlog.saturating_sub(before));
    if let Some(before) = counts.backlog_before {
        let new = (counts.stale + counts.live).saturating_sub(before + counts.live_before);
        let over = redated.min(new);
        if limits.is_share_exceeded(over, new) {
            return (Expire::Nothing, Some(Hold::OverFromBirth { over, new }));
        }
    }
    let ended = fresh.saturating_add(redated);
    if !limits.exceeded_by(ended, counts.live_before) {
        return (Expire::All, None);
    }
    let expire = if redated <= limits.min_sessions { Expire::Backlog } else { Expire::Nothing };
    (expire, Some(Hold::TooManyEnded { ended, live: counts.live_before }))
}

/// All sessions would end. Where sweep follows sweep, the last few of a store may.
fn none_left_hold(counts: &SweepCounts, limits: SweepLimits) -> Option<Hold> {
    let few = if counts.is_first_sweep { 0 } else { limits.min_sessions };
    let held = counts.stale > few && !counts.any_live && limits.max_ended_ratio < 1.0;
    (held && !(counts.is_first_sweep && counts.is_idle)).then_some(Hold::NoneLeft { stale: counts.stale })
}

/// Sessions that are over beyond doubt may end. Of the others, no larger share may end than of live ones; and none where they
/// are too many to be counted.
fn first_sweep_hold(counts: &SweepCounts, limits: SweepLimits) -> Option<Hold> {
    let SweepCounts { stale, doubtful, live, endless, .. } = *counts;
    let is_too_large = counts.is_doubtful_capped && limits.max_ended_ratio < 1.0
        || limits.is_share_exceeded(doubtful, doubtful + live.saturating_sub(endless));
    let held = counts.is_first_sweep && !counts.is_idle && is_too_large;
    held.then_some(Hold::FirstSweep { ended: stale, doubtful, all: stale + live })
}

fn supersede_hold(counts: &SweepCounts, limits: SweepLimits) -> Option<Hold> {
    let SweepCounts { superseded, superseded_of_one, live, .. } = *counts;
    let is_of_all =
        counts.is_first_sweep && superseded_of_one >= MANY_OF_ONE && limits.is_share_exceeded(superseded, live);
    if superseded_of_one > limits.min_sessions {
        Some(Hold::TooManyOfOneUser { sessions: superseded_of_one })
    } else if is_of_all || limits.exceeded_by(superseded, live) {
        Some(Hold::TooManySuperseded { superseded, live })
    } else {
        None
    }
}

impl SweepLimits {
    /// Whether so many of `live` sessions may not end at once.
    fn exceeded_by(self, ended: u64, live: u64) -> bool {
        ended > self.min_sessions && self.is_share_exceeded(ended, live)
    }

    /// The same, however few they are.
    fn is_share_exceeded(self, ended: u64, of: u64) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 sessions")]
        let (ended, of) = (ended as f64, of as f64);
        ended > of * self.max_ended_ratio
    }
}

#[cfg(test)]
#[path = "guards_tests.rs"]
mod tests;
