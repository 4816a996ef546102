//! The arithmetic of a sequence: its next value, its limit, its lag, and the move that repairs it. Pure.
//!
//! No I/O and no clock. Values are `i64`, as PostgreSQL stores them; every sum is made in `i128`, so nothing
//! overflows at the edges of int2, int4 or int8. "Further" always means in the sequence's own direction.
//! Source: PostgreSQL manual, CREATE SEQUENCE, and `src/backend/commands/sequence.c` for `is_called`.

use super::judgement::{Numbering, ValueNumber};
use std::ops::RangeInclusive;

/// A sequence's parameters, as `pg_sequence` has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Parameters {
    /// Step from one value to the next: never 0, negative when descending.
    pub increment: i64,
    pub min_value: i64,
    pub max_value: i64,
    /// The first value that it was to hand out.
    pub start: i64,
    /// Values a session takes at once (`CACHE`), at least 1.
    pub cache: i64,
    pub cycle: bool,
}

/// A sequence's state, as its own relation has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SequenceState {
    pub last_value: i64,
    /// False until the first `nextval`: then `last_value` itself is handed out next.
    pub is_called: bool,
}

impl SequenceState {
    fn next(self, increment: i64) -> i128 {
        let last = i128::from(self.last_value);
        if self.is_called { last + i128::from(increment) } else { last }
    }
}

/// The smallest and the largest id that a column's type can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ColumnRange {
    pub min: i64,
    pub max: i64,
}

impl ColumnRange {
    pub const INT2: Self = Self { min: i16::MIN as i64, max: i16::MAX as i64 };
    pub const INT4: Self = Self { min: i32::MIN as i64, max: i32::MAX as i64 };
    pub const INT8: Self = Self { min: i64::MIN, max: i64::MAX };

    /// `numeric(precision, 0)`; a precision of 19 or more holds every sequence value.
    pub fn numeric(precision: u32) -> Self {
        match 10_i64.checked_pow(precision) {
            Some(power) => Self { min: 1 - power, max: power - 1 },
            None => Self::INT8,
        }
    }

    /// Whether no id beyond `limit`, upwards or downwards, fits.
    pub fn is_full_at(self, limit: i128) -> bool {
        if limit > 0 { i128::from(self.max) <= limit } else { i128::from(self.min) >= limit }
    }

    /// The ids that fit both.
    pub fn narrowest(self, other: Self) -> Self {
        Self { min: self.min.max(other.min), max: self.max.min(other.max) }
    }
}

/// A sequence's next value and its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    parameters: Parameters,
    /// May lie one increment past the bounds, when nothing is left.
    next: i128,
    limit: i128,
    /// Values before the next one that may hold no id either.
    kept: u32,
}

/// What comparing a position with a max id says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    InSync,
    /// `lag` values would still be handed out that are not beyond the max id.
    Behind {
        lag: u128,
    },
    Exhausted,
}

/// What the extreme of all ids of a column says about the max id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExtremeClass {
    /// It is the max id, or lies so far behind that it may stand for it.
    MaxId,
    /// The sequence's own ids from the next value on must be read too.
    NeedsRefinement,
    /// No id that this sequence could produce.
    NotOwn,
}

/// A forward move: hand out `values` values, so that `last` is the last one handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForwardMove {
    pub values: u128,
    pub last: i64,
}

impl Position {
    /// `columns` is the narrowest range of the fed columns.
    pub fn new(parameters: Parameters, state: SequenceState, columns: ColumnRange) -> Self {
        let next = state.next(parameters.increment);
        let limit = if parameters.increment > 0 {
            parameters.max_value.min(columns.max)
        } else {
            parameters.min_value.max(columns.min)
        };
        Self { parameters, next, limit: i128::from(limit), kept: 0 }
    }

    /// The position in a state that was read later; a sequence that was set back meanwhile stays where it was seen.
    #[must_use]
    pub fn moved_on(self, now: SequenceState) -> Self {
        let next = now.next(self.parameters.increment);
        if (next - self.next) * i128::from(self.parameters.increment.signum()) > 0 {
            Self { next, ..self }
        } else {
            self
        }
    }

    /// The same position, judged as behind until so many values are left unused between the max id and the next one.
    pub fn with_headroom(self, values: u32) -> Self {
        Self { kept: values, ..self }
    }

    /// How many values are to be left unused beyond the max id.
    pub fn headroom(&self) -> u32 {
        self.kept
    }

    /// The first value at which no id may be found: the next one, or as many before it as are to be left unused.
    pub fn first_reserved(&self) -> i128 {
        self.next - i128::from(self.kept) * i128::from(self.parameters.increment)
    }

    /// What the next value is measured from: the max id; where no id was seen and values are to be left unused, what
    /// comes just before the sequence's first value.
    pub fn baseline(&self, max_id: Option<i64>) -> Option<i64> {
        let Parameters { start, increment, .. } = self.parameters;
        max_id.or_else(|| (self.kept > 0).then(|| start.saturating_sub(increment)))
    }

    /// What `nextval` would return; none when it would fail because the sequence is at its own bound.
    pub fn next_value(&self) -> Option<i64> {
        if self.bounds().contains(&self.next) { i64::try_from(self.next).ok() } else { None }
    }

    /// The nearer of the sequence's bound and the narrowest column's, in the sequence's direction.
    pub fn limit(&self) -> i128 {
        self.limit
    }

    /// How many values are left from the next one to the limit.
    pub fn remaining(&self) -> u128 {
        self.values_between(self.next, self.limit)
    }

    /// How many values the sequence would still hand out that are not beyond `max id` and what is to be left unused.
    pub fn lag(&self, max_id: i64) -> u128 {
        self.values_between(self.first_reserved(), i128::from(max_id))
    }

    /// Days until no value is left, at so many values a second; none where none are handed out.
    pub fn days_left(&self, pace: f64) -> Option<f64> {
        const SECONDS_OF_DAY: f64 = 86_400.0;
        let days = self.remaining() as f64 / pace / SECONDS_OF_DAY;
        (pace > 0.0 && days.is_finite()).then_some(days)
    }

    /// Share of the range from the sequence's first bound to its limit that lies behind the next value, 0 to 1.
    pub fn used_ratio(&self) -> f64 {
        let first = if self.ascending() { self.parameters.min_value } else { self.parameters.max_value };
        let whole = self.distance(i128::from(first), self.limit) + 1;
        let used = self.distance(i128::from(first), self.next);
        if whole <= 0 || used >= whole { 1.0 } else { used.max(0) as f64 / whole as f64 }
    }

    /// Compares with the max id; none when no fed column holds an id that the sequence could produce.
    pub fn compare(&self, max_id: Option<i64>) -> Comparison {
        if self.remaining() == 0 {
            return Comparison::Exhausted;
        }
        match self.baseline(max_id).map(|id| self.lag(id)) {
            Some(lag) if lag > 0 => Comparison::Behind { lag },
            _ => Comparison::InSync,
        }
    }

    /// What the extreme of all ids of a column says. An extreme past the next value that the sequence could not have produced (a
    /// fraction, another residue class, outside its bounds or beyond its limit) may hide one of the sequence's ids before it.
    pub fn classify(&self, extreme: i128, integral: bool) -> ExtremeClass {
        let in_bounds = integral && self.bounds().contains(&extreme) && self.distance(extreme, self.limit) >= 0;
        if self.distance(self.first_reserved(), extreme) < 0 {
            return if in_bounds { ExtremeClass::MaxId } else { ExtremeClass::NotOwn };
        }
        if in_bounds && (extreme - self.next) % i128::from(self.parameters.increment) == 0 {
            ExtremeClass::MaxId
        } else if self.next_value().is_some() {
            ExtremeClass::NeedsRefinement
        } else {
            ExtremeClass::NotOwn
        }
    }

    /// Whether `value` lies beyond the next value.
    pub fn is_before(&self, value: i64) -> bool {
        self.distance(self.next, i128::from(value)) > 0
    }

    /// How many values lie from an earlier next value up to the present one; 0 where it is not further.
    pub fn values_since(&self, before: i64) -> u128 {
        let distance = self.distance(i128::from(before), self.next);
        u128::try_from(distance).unwrap_or(0) / u128::from(self.parameters.increment.unsigned_abs())
    }

    /// How many values lie from the present next value up to a later one, a part of one counted as one; 0 where it is not later.
    pub fn values_until(&self, later: i64) -> u128 {
        let distance = self.distance(self.next, i128::from(later));
        u128::try_from(distance).unwrap_or(0).div_ceil(u128::from(self.parameters.increment.unsigned_abs()))
    }

    /// Whether `value` is further than `other`, in the sequence's direction.
    pub fn is_further(&self, value: i64, other: i64) -> bool {
        self.distance(i128::from(other), i128::from(value)) > 0
    }

    /// Where `nextval` would go, even when that is past the sequence's bound.
    pub fn next(&self) -> i128 {
        self.next
    }

    /// The numbers of the values that the sequence could produce.
    pub fn numbering(&self) -> Numbering {
        let Parameters { min_value, max_value, increment, .. } = self.parameters;
        Numbering::new(min_value, max_value, increment, self.next)
    }

    /// The number of the next value.
    pub fn next_number(&self) -> ValueNumber {
        self.numbering().at_or_beyond(self.next)
    }

    /// The number of the last value that can be used.
    pub fn limit_number(&self) -> ValueNumber {
        self.numbering().at_or_before(self.limit)
    }

    /// Whether every id between two values is one of the sequence's own.
    pub fn is_gapless(&self) -> bool {
        self.numbering().is_gapless()
    }

    /// The move that hands out value number `past` and `headroom` values beyond it, or as many of them as leave one before
    /// the limit; none where that is not forward.
    pub fn move_past(&self, past: ValueNumber, headroom: u32) -> Option<ForwardMove> {
        let (next, limit) = (self.next_number(), self.limit_number());
        let last = (past + i128::from(headroom)).min(limit - 1).max(past);
        let values = u128::try_from(last - next + 1).ok().filter(|values| *values > 0)?;
        let last_id = i64::try_from(self.numbering().id(last)).ok()?;
        Some(ForwardMove { values, last: last_id })
    }

    fn ascending(&self) -> bool {
        self.parameters.increment > 0
    }

    /// How far `to` lies beyond `from`, in the sequence's direction.
    fn distance(&self, from: i128, to: i128) -> i128 {
        if self.ascending() { to - from } else { from - to }
    }

    /// The values from `first`, which is one, up to `id` or the limit.
    fn values_between(&self, first: i128, id: i128) -> u128 {
        let end = if self.ascending() { id.min(self.limit) } else { id.max(self.limit) };
        match u128::try_from(self.distance(first, end)) {
            Ok(distance) => distance / u128::from(self.parameters.increment.unsigned_abs()) + 1,
            Err(_) => 0,
        }
    }

    fn bounds(&self) -> RangeInclusive<i128> {
        i128::from(self.parameters.min_value)..=i128::from(self.parameters.max_value)
    }
}

#[cfg(test)]
#[path = "position_tests.rs"]
mod tests;
