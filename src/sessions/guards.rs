//! What a sweep may end, given how many sessions it would: arithmetic only, without database, runtime or clock.

/// How many sessions a store holds, and how many a sweep would end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SweepCounts {
    /// Sessions that are over by the cutoff.
    pub stale: u64,
    /// Sessions that are not.
    pub live: u64,
    /// The stale sessions that were live at the last sweep; none where there was no last sweep.
    pub fresh: Option<u64>,
    /// Sessions that were over at the last sweep and were left; none where they were not counted.
    pub backlog_before: Option<u64>,
    /// Sessions that were live at the last sweep.
    pub live_before: u64,
    /// Whether any session is live by the database's clock now.
    pub any_live: bool,
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
    /// This many may always end: of three sessions, two that end at once are nothing unusual.
    pub min_sessions: u64,
}

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
    if counts.stale > limits.min_sessions && !counts.any_live {
        return (Expire::Nothing, Some(Hold::NoneLeft { stale: counts.stale }));
    }
    let Some(fresh) = counts.fresh else { return (Expire::All, None) };
    // A backlog that grew was not all over at the last sweep: some of it was live, and has another time now.
    let backlog = counts.stale.saturating_sub(fresh);
    let redated = counts.backlog_before.map_or(0, |before| backlog.saturating_sub(before));
    let ended = fresh.saturating_add(redated);
    if !limits.exceeded_by(ended, counts.live_before) {
        return (Expire::All, None);
    }
    let expire = if redated <= limits.min_sessions { Expire::Backlog } else { Expire::Nothing };
    (expire, Some(Hold::TooManyEnded { ended, live: counts.live_before }))
}

fn supersede_hold(counts: &SweepCounts, limits: SweepLimits) -> Option<Hold> {
    let SweepCounts { superseded, superseded_of_one, live, .. } = *counts;
    if superseded_of_one > limits.min_sessions {
        Some(Hold::TooManyOfOneUser { sessions: superseded_of_one })
    } else if limits.exceeded_by(superseded, live) {
        Some(Hold::TooManySuperseded { superseded, live })
    } else {
        None
    }
}

impl SweepLimits {
    /// Whether so many of `live` sessions may not end at once.
    fn exceeded_by(self, ended: u64, live: u64) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 sessions")]
        let (ended_exact, live) = (ended as f64, live as f64);
        ended > self.min_sessions && ended_exact > live * self.max_ended_ratio
    }
}

#[cfg(test)]
#[path = "guards_tests.rs"]
mod tests;
