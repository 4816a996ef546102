//! When a sweep would end too many sessions: arithmetic only, without database, runtime or clock.

/// How many sessions there are, and would go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepCounts {
    /// Sessions that are over by the cutoff.
    pub stale: u64,
    /// Those of them that were live at the last look; none where there was no last look.
    pub fresh: Option<u64>,
    /// Sessions that were over at the last look and were left; none where they were not counted.
    pub backlog_before: Option<u64>,
    /// Sessions that were live at the last look.
    pub live_before: u64,
    /// Whether any session is live by the database's clock now.
    pub any_live: bool,
}

/// Why a sweep is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SweepGuard {
    /// Nobody would be left.
    NoneLeft,
    /// More than the allowed part of the live sessions would go at once: only the older backlog may, and not even that
    /// where some of it was live at the last look and says now that it was over then.
    TooMany { fresh: u64, of: u64, backlog_may_go: bool },
}

/// Whether so many may go. Small numbers always may: among three sessions, two that end at once are no news.
pub fn guard(numbers: SweepCounts, max_ended_ratio: f64, floor: u64) -> Option<SweepGuard> {
    let too_many = |count: u64, of: u64| count > floor && exceeds(count, of, max_ended_ratio);
    if numbers.stale > floor && !numbers.any_live {
        return Some(SweepGuard::NoneLeft);
    }
    let fresh = numbers.fresh?;
    let backlog = numbers.stale.saturating_sub(fresh);
    let redated = numbers.backlog_before.map_or(0, |before| backlog.saturating_sub(before));
    let (fresh, of) = (fresh.saturating_add(redated), numbers.live_before);
    too_many(fresh, of).then_some(SweepGuard::TooMany { fresh, of, backlog_may_go: redated <= floor })
}

/// Whether `count` is more than this part `of` all.
pub fn exceeds(count: u64, of: u64, fraction: f64) -> bool {
    // Exact up to 2^53, and nobody has more sessions.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let (count, of) = (count as f64, of as f64);
    count > of * fraction
}

#[cfg(test)]
#[path = "guards_tests.rs"]
mod tests;
