//! What is remembered of a sequence from pass to pass, for its judgement. Pure: the time is an argument.

use pgmedic_core::sequence::judgement::{History, Memory};
use pgmedic_core::sequence::position::Position;
use std::time::{Duration, Instant};

/// A pace is told from so long a time on.
const SHORTEST: Duration = Duration::from_secs(20);

/// So many values PostgreSQL writes ahead of a sequence: a replica stands at what was written. The primary that ended in order
/// stands at what was handed out, also as a replica of the next one, until that hands out values itself.
pub const WRITTEN_AHEAD: u128 = 32;

/// What is remembered of one sequence.
#[derive(Debug, Clone, Default)]
pub struct SequenceMemory {
    /// As in [`History`].
    most_handed_out: u64,
    /// The same. No allowance is more than 2^31, so that a sum that stops growing leaves nothing of it either.
    charged: u64,
    passed_early: bool,
    /// The furthest next value that was seen or made.
    known_next: Option<i64>,
    /// The next value after the last pass.
    last_next: Option<i64>,
    /// The next look may be at another server than the ones before.
    elsewhere: bool,
    /// When it was first seen, and how many values it has handed out since; what repairs passed is not counted.
    since: Option<(Instant, u64)>,
}

impl SequenceMemory {
    /// What a log of repairs tells.
    pub fn of_log(charged: u128, passed_early: bool, known_next: Option<i64>) -> Self {
        Self { charged: saturated(charged), passed_early, known_next, ..Self::default() }
    }

    pub fn memory(&self) -> Memory {
        let Self { most_handed_out, charged, passed_early, .. } = *self;
        Memory::Lasting(History { most_handed_out, charged: charged.into(), passed_early })
    }

    pub fn known_next(&self) -> Option<i64> {
        self.known_next
    }

    /// The next look is at another server, or may be.
    pub fn moves_elsewhere(&mut self) {
        self.elsewhere = true;
    }

    /// Records what a pass saw.
    pub fn observed(&mut self, position: &Position, now: Instant) {
        let Some(next) = position.next_value() else { return };
        if std::mem::take(&mut self.elsewhere)
            && self.known_next.is_some_and(|known| position.values_until(known) <= WRITTEN_AHEAD)
        {
            // What was written ahead is not handed out.
            self.known_next = None;
        }
        let handed_out = self.last_next.map_or(0, |before| saturated(position.values_since(before)));
        self.most_handed_out = self.most_handed_out.max(handed_out);
        let (first, sum) = self.since.unwrap_or((now, 0));
        self.since = Some((first, sum.saturating_add(handed_out)));
        self.moved_to(position, next);
    }

    /// Records what was charged for a repair, also for one that failed.
    pub fn charge(&mut self, charged: u128, early: bool) {
        self.charged = self.charged.saturating_add(saturated(charged));
        self.passed_early |= early;
    }

    /// A repair failed, and how far it came is not known: up to the next look no value counts as handed out.
    pub fn moved_somewhere(&mut self) {
        self.last_next = None;
    }

    /// Takes over what the log of repairs tells now, which repairs of others have been added to.
    pub fn merge_log(&mut self, log: &Self, ascending: bool) {
        self.charged = self.charged.max(log.charged);
        self.passed_early |= log.passed_early;
        let further = |a: i64, b: i64| if ascending { a.max(b) } else { a.min(b) };
        self.known_next = match (self.known_next, log.known_next) {
            (Some(own), Some(logged)) => Some(further(own, logged)),
            (own, logged) => own.or(logged),
        };
    }

    /// Records its next value, after a look or a repair.
    pub fn moved_to(&mut self, position: &Position, next: i64) {
        self.last_next = Some(next);
        if self.known_next.is_none_or(|known| position.is_further(next, known)) {
            self.known_next = Some(next);
        }
    }

    /// Values handed out a second, where it was watched for long enough.
    pub fn pace(&self, now: Instant) -> Option<f64> {
        let (first, sum) = self.since?;
        let watched = now.saturating_duration_since(first);
        (watched >= SHORTEST).then(|| sum as f64 / watched.as_secs_f64())
    }
}

fn saturated(values: u128) -> u64 {
    u64::try_from(values).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pgmedic_core::sequence::position::{ColumnRange, Parameters, SequenceState};

    fn at(next: i64) -> Position {
        let parameters =
            Parameters { increment: 1, min_value: 1, max_value: i64::MAX, start: 1, cache: 1, cycle: false };
        Position::new(parameters, SequenceState { last_value: next, is_called: false }, ColumnRange::INT8)
    }

    #[test]
    fn what_a_repair_passes_is_not_handed_out() {
        let begin = Instant::now();
        let mut memory = SequenceMemory::default();
        memory.observed(&at(100), begin);
        memory.charge(7, true);
        memory.moved_to(&at(100), 5000);
        memory.observed(&at(5200), begin + Duration::from_secs(100));
        let history = History { most_handed_out: 200, charged: 7, passed_early: true };
        assert_eq!(memory.memory(), Memory::Lasting(history));
        assert_eq!(memory.pace(begin + Duration::from_secs(100)), Some(2.0));
    }

    #[test]
    fn what_a_failed_repair_may_have_passed_is_not_handed_out() {
        let begin = Instant::now();
        let mut memory = SequenceMemory::default();
        memory.observed(&at(100), begin);
        memory.moved_somewhere();
        memory.observed(&at(90_000), begin + Duration::from_secs(50));
        memory.observed(&at(90_100), begin + Duration::from_secs(100));
        assert_eq!(memory.memory(), Memory::Lasting(History { most_handed_out: 100, ..History::default() }));
        assert_eq!(memory.pace(begin + Duration::from_secs(100)), Some(1.0));
    }

    #[test]
    fn what_others_have_logged_is_taken_over_once() {
        let mut memory = SequenceMemory::of_log(50, false, Some(10));
        memory.charge(30, false);
        for _ in 0..2 {
            memory.merge_log(&SequenceMemory::of_log(120, true, Some(20)), true);
        }
        let history = History { charged: 120, passed_early: true, ..History::default() };
        assert_eq!((memory.memory(), memory.known_next()), (Memory::Lasting(history), Some(20)));
    }

    #[test]
    fn the_furthest_next_value_is_known_also_after_it_was_set_back() {
        let begin = Instant::now();
        let mut memory = SequenceMemory::default();
        memory.observed(&at(5000), begin);
        memory.observed(&at(3), begin);
        memory.observed(&at(10), begin);
        assert_eq!(memory.known_next(), Some(5000));
        assert_eq!(memory.memory(), Memory::Lasting(History { most_handed_out: 7, ..History::default() }));
        assert_eq!(memory.pace(begin), None, "watched too briefly");
    }

    #[test]
    fn what_one_server_has_written_ahead_is_not_known_of_another() {
        let begin = Instant::now();
        let known = |elsewhere: bool, next| {
            let mut memory = SequenceMemory::default();
            memory.observed(&at(67), begin);
            if elsewhere {
                memory.moves_elsewhere();
            }
            memory.observed(&at(next), begin);
            memory.known_next()
        };
        assert_eq!(known(true, 35), Some(35));
        assert_eq!(known(true, 34), Some(67), "so many were lost with the server before");
        assert_eq!(known(false, 66), Some(67));
        assert_eq!(known(true, 70), Some(70));
    }
}
