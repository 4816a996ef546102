//! Pure arithmetic: where a sequence stands, how far it lags and what would mend it.
//!
//! No I/O and no clock. Values are `i64`, as PostgreSQL stores them; every sum is made in `i128`, so nothing
//! overflows at the edges of int2, int4 or int8. "Further" always means in the sequence's own direction.
//! Source: PostgreSQL manual, CREATE SEQUENCE, and `src/backend/commands/sequence.c` for `is_called`.

use std::ops::RangeInclusive;

/// A sequence's parameters, as `pg_sequence` has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
pub struct State {
    pub last_value: i64,
    /// False until the first `nextval`: then `last_value` itself is handed out next.
    pub is_called: bool,
}

/// The smallest and the largest id that a column's type can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    pub fn ends_within(self, limit: i128) -> bool {
        if limit > 0 { i128::from(self.max) <= limit } else { i128::from(self.min) >= limit }
    }

    /// The ids that fit both.
    pub fn narrowest(self, other: Self) -> Self {
        Self { min: self.min.max(other.min), max: self.max.min(other.max) }
    }
}

/// Where a sequence stands on its way to its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    parameters: Parameters,
    /// May lie one increment past the bounds, when nothing is left.
    next: i128,
    limit: i128,
    /// Values before the next one that may hold no id either.
    kept: u32,
}

/// What comparing a position with a frontier says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    InSync,
    /// `gap` values would still be handed out that are not beyond the frontier.
    Behind {
        gap: u128,
    },
    Exhausted,
}

/// What the plain extreme of a column says about the frontier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extreme {
    /// It is the frontier, or lies so far behind that it may stand for it.
    Frontier,
    /// Only the sequence's own ids from the next value on can tell.
    LookCloser,
    /// No id of this sequence's.
    Foreign,
}

/// A forward move: hand out `values` values, so that `last` is the last one handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    pub values: u128,
    pub last: i64,
    /// How many of `values` lie beyond the frontier.
    pub headroom: u128,
}

impl Position {
    /// `columns` is the narrowest range of the fed columns.
    pub fn new(parameters: Parameters, state: State, columns: ColumnRange) -> Self {
        let last = i128::from(state.last_value);
        let next = if state.is_called { last + i128::from(parameters.increment) } else { last };
        let limit = if parameters.increment > 0 {
            parameters.max_value.min(columns.max)
        } else {
            parameters.min_value.max(columns.min)
        };
        Self { parameters, next, limit: i128::from(limit), kept: 0 }
    }

    /// The same position, judged as behind until so many values are left unused between the frontier and the next one.
    pub fn keeping(self, values: u32) -> Self {
        Self { kept: values, ..self }
    }

    /// How many values are to be left unused beyond the frontier.
    pub fn kept(&self) -> u32 {
        self.kept
    }

    /// The first value at which no id may be found: the next one, or as many before it as are to be left unused.
    pub fn free_from(&self) -> i128 {
        self.next - i128::from(self.kept) * i128::from(self.parameters.increment)
    }

    /// What the next value is measured from: the frontier; where no id was seen and values are to be left unused, what
    /// comes just before the sequence's first value.
    pub fn origin(&self, frontier: Option<i64>) -> Option<i64> {
        let Parameters { start, increment, .. } = self.parameters;
        frontier.or_else(|| (self.kept > 0).then(|| start.saturating_sub(increment)))
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
    pub fn left(&self) -> u128 {
        self.values_between(self.next, self.limit)
    }

    /// How many values the sequence would still hand out that are not beyond `frontier` and what is to be left unused.
    pub fn gap(&self, frontier: i64) -> u128 {
        self.values_between(self.free_from(), i128::from(frontier))
    }

    /// Share of the range from the sequence's first bound to its limit that lies behind the next value, 0 to 1.
    pub fn used_ratio(&self) -> f64 {
        let first = if self.ascending() { self.parameters.min_value } else { self.parameters.max_value };
        let whole = self.distance(i128::from(first), self.limit) + 1;
        let used = self.distance(i128::from(first), self.next);
        if whole <= 0 || used >= whole { 1.0 } else { used.max(0) as f64 / whole as f64 }
    }

    /// Compares with the furthest id found, none when no fed column holds an id of this sequence's.
    pub fn judge(&self, frontier: Option<i64>) -> Judgement {
        if self.left() == 0 {
            return Judgement::Exhausted;
        }
        match self.origin(frontier).map(|id| self.gap(id)) {
            Some(gap) if gap > 0 => Judgement::Behind { gap },
            _ => Judgement::InSync,
        }
    }

    /// What the plain extreme of a column says. One that is past the first value that may hold no id, but that the sequence could not
    /// have produced (a fraction, another residue class, outside its bounds), may hide an own id before it.
    pub fn weigh(&self, extreme: i128, integral: bool) -> Extreme {
        let in_bounds = integral && self.bounds().contains(&extreme);
        if self.distance(self.free_from(), extreme) < 0 {
            return if in_bounds { Extreme::Frontier } else { Extreme::Foreign };
        }
        if in_bounds && (extreme - self.next) % i128::from(self.parameters.increment) == 0 {
            Extreme::Frontier
        } else if self.next_value().is_some() {
            Extreme::LookCloser
        } else {
            Extreme::Foreign
        }
    }

    /// Whether the next value has yet to come to `value`.
    pub fn is_before(&self, value: i64) -> bool {
        self.distance(self.next, i128::from(value)) > 0
    }

    /// Where `nextval` would go, even when that is past the sequence's bound.
    pub fn next(&self) -> i128 {
        self.next
    }

    /// The move that puts the next value beyond `frontier` and `headroom` values further, or as many of them as fit
    /// into `max_ratio` of what is left; none when no value would be left before the limit.
    pub fn move_beyond(&self, frontier: i64, headroom: u32, max_ratio: f64) -> Option<Move> {
        let gap = self.gap(frontier);
        let spare = self.left().checked_sub(gap + 1)?;
        let allowed = ((self.left() as f64 * max_ratio) as u128).saturating_sub(gap);
        let headroom = u128::from(headroom).min(spare).min(allowed);
        let values = gap + headroom;
        Some(Move { values, last: i64::try_from(self.nth(values)?).ok()?, headroom })
    }

    /// The furthest value that a move may hand out when it may use `ratio` of the values left and must leave one;
    /// never less than what `step`, already allowed, needs.
    pub fn ceiling(&self, ratio: f64, step: Move) -> i128 {
        let values = ((self.left() as f64 * ratio) as u128).min(self.left().saturating_sub(1));
        self.nth(values.max(step.values)).unwrap_or(i128::from(step.last))
    }

    /// The last of the next `values` values.
    fn nth(&self, values: u128) -> Option<i128> {
        let steps = i128::try_from(values).ok()?.checked_sub(1)?;
        Some(self.next + steps * i128::from(self.parameters.increment))
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
mod tests {
    use super::*;

    fn parameters(increment: i64) -> Parameters {
        let (min_value, max_value) = if increment > 0 { (1, i64::MAX) } else { (i64::MIN, -1) };
        let start = if increment > 0 { min_value } else { max_value };
        Parameters { increment, min_value, max_value, start, cache: 1, cycle: false }
    }

    fn called(last_value: i64) -> State {
        State { last_value, is_called: true }
    }

    fn fresh(last_value: i64) -> State {
        State { last_value, is_called: false }
    }

    fn position(increment: i64, state: State) -> Position {
        Position::new(parameters(increment), state, ColumnRange::INT8)
    }

    #[test]
    fn the_story_has_a_gap_of_38_and_is_mended_by_696() {
        let serial = Parameters { max_value: i64::from(i32::MAX), ..parameters(1) };
        let position = Position::new(serial, fresh(658), ColumnRange::INT4);
        assert_eq!(position.next_value(), Some(658));
        assert_eq!(position.judge(Some(695)), Judgement::Behind { gap: 38 });
        assert_eq!(position.move_beyond(695, 0, 1.0), Some(Move { values: 38, last: 695, headroom: 0 }));
        assert!((position.used_ratio() - 657.0 / 2_147_483_647.0).abs() < 1e-15);
    }

    #[test]
    fn a_fresh_sequence_beside_its_own_first_id_is_behind() {
        let judgement = position(1, fresh(1)).judge(Some(1));
        assert_eq!(judgement, Judgement::Behind { gap: 1 });
        assert_eq!(position(1, called(1)).judge(Some(1)), Judgement::InSync);
        assert_eq!(position(1, fresh(1)).judge(None), Judgement::InSync);
    }

    #[test]
    fn a_descending_sequence_is_behind_when_its_next_value_is_not_below_the_frontier() {
        let position = position(-1, called(-10));
        assert_eq!(position.next_value(), Some(-11));
        assert_eq!(position.judge(Some(-10)), Judgement::InSync);
        assert_eq!(position.judge(Some(-20)), Judgement::Behind { gap: 10 });
        assert_eq!(position.move_beyond(-20, 2, 1.0), Some(Move { values: 12, last: -22, headroom: 2 }));
    }

    #[test]
    fn a_move_stays_in_the_sequences_own_residue_class() {
        let position = position(10, called(91));
        assert_eq!(position.weigh(198, true), Extreme::LookCloser, "another node's id");
        assert_eq!(position.weigh(191, true), Extreme::Frontier);
        assert_eq!(position.weigh(88, true), Extreme::Frontier, "behind: it stands for the frontier");
        assert_eq!(position.move_beyond(191, 0, 1.0), Some(Move { values: 10, last: 191, headroom: 0 }));
    }

    #[test]
    fn values_that_are_to_be_left_unused_are_a_gap_until_they_are_left() {
        for (increment, frontier) in [(1, 100), (10, 1000), (-1, -100)] {
            let at = |values: i64| position(increment, called(frontier + values * increment)).keeping(20);
            assert_eq!(at(20).judge(Some(frontier)), Judgement::InSync, "just enough");
            assert_eq!(at(19).judge(Some(frontier)), Judgement::Behind { gap: 1 });
            assert_eq!(at(0).judge(Some(frontier)), Judgement::Behind { gap: 20 });
            assert_eq!(at(-5).judge(Some(frontier)), Judgement::Behind { gap: 25 });
            let last = frontier + 20 * increment;
            let step = at(15).move_beyond(frontier, 0, 1.0);
            assert_eq!(step, Some(Move { values: 5, last, headroom: 0 }), "what is missing is handed out");
        }
    }

    #[test]
    fn values_are_left_unused_beyond_the_start_where_no_id_was_seen() {
        let position = |state| position(10, state).keeping(20);
        assert_eq!(position(fresh(1)).judge(None), Judgement::Behind { gap: 20 });
        assert_eq!(position(fresh(201)).judge(None), Judgement::InSync, "it does not move on each time");
        assert_eq!(position(fresh(1)).keeping(0).judge(None), Judgement::InSync);
    }

    #[test]
    fn ids_among_the_values_to_be_left_unused_are_looked_for() {
        let position = position(10, called(191)).keeping(5);
        assert_eq!(position.free_from(), 151);
        assert_eq!(position.weigh(198, true), Extreme::LookCloser, "it may hide an own id from 151 on");
        assert_eq!(position.weigh(158, true), Extreme::LookCloser);
        assert_eq!(position.weigh(148, true), Extreme::Frontier, "behind: it stands for the frontier");
    }

    #[test]
    fn ids_out_of_bounds_and_fractions_are_not_the_sequences_own() {
        let bounded = Parameters { min_value: 100, max_value: 1000, ..parameters(1) };
        let position = Position::new(bounded, called(500), ColumnRange::INT8);
        assert_eq!(position.weigh(5000, true), Extreme::LookCloser);
        assert_eq!(position.weigh(700, false), Extreme::LookCloser);
        assert_eq!(position.weigh(7, true), Extreme::Foreign);
        let full = Position::new(bounded, called(1000), ColumnRange::INT8);
        assert_eq!(full.weigh(5000, true), Extreme::Foreign, "there is nothing from its next value on");
    }

    #[test]
    fn the_nearer_of_sequence_and_column_is_the_limit() {
        let position = Position::new(parameters(1), called(i64::from(i32::MAX)), ColumnRange::INT4);
        assert_eq!(position.judge(Some(5)), Judgement::Exhausted);
        assert_eq!(position.next_value(), Some(2_147_483_648), "nextval itself would still work");
        assert!((position.used_ratio() - 1.0).abs() < f64::EPSILON);
        let bounded = Parameters { max_value: 100, ..parameters(1) };
        assert_eq!(Position::new(bounded, called(10), ColumnRange::INT2).limit(), 100);
    }

    #[test]
    fn a_frontier_at_the_limit_leaves_no_room() {
        let position = Position::new(parameters(1), fresh(658), ColumnRange::INT4);
        let gap = u128::from(i32::MAX.unsigned_abs()) - 657;
        assert_eq!(position.judge(Some(i64::from(i32::MAX))), Judgement::Behind { gap });
        assert_eq!(position.move_beyond(i64::from(i32::MAX), 0, 1.0), None);
        let one_below = position.move_beyond(i64::from(i32::MAX) - 1, 1000, 1.0);
        assert_eq!(one_below.map(|step| (step.last, step.headroom)), Some((i64::from(i32::MAX) - 1, 0)));
    }

    #[test]
    fn nothing_overflows_at_the_edges_of_int8() {
        let widest = Parameters { min_value: i64::MIN, max_value: i64::MAX, start: i64::MIN, ..parameters(1) };
        let position = Position::new(widest, fresh(i64::MIN), ColumnRange::INT8);
        assert_eq!(position.left(), 1 << 64);
        assert_eq!(position.judge(Some(i64::MAX)), Judgement::Behind { gap: 1 << 64 });
        assert_eq!(position.move_beyond(i64::MAX, u32::MAX, 1.0), None);
        for increment in [i64::MAX, i64::MIN, 1, -1] {
            for last_value in [i64::MIN, -1, 0, 1, i64::MAX] {
                for frontier in [i64::MIN, 0, i64::MAX] {
                    let both = Parameters { min_value: i64::MIN, max_value: i64::MAX, ..parameters(increment) };
                    let position = Position::new(both, called(last_value), ColumnRange::INT8);
                    let ratio = position.used_ratio();
                    assert!((0.0..=1.0).contains(&ratio), "{increment} {last_value}: {ratio}");
                    if let Some(step) = position.move_beyond(frontier, 3, 1.0) {
                        assert!(position.gap(frontier) <= step.values);
                        assert!(
                            position.ceiling(0.5, step) * i128::from(increment.signum())
                                >= i128::from(step.last) * i128::from(increment.signum())
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn exhausted_at_its_own_bound_has_no_next_value() {
        let full = Position::new(parameters(1), called(i64::MAX), ColumnRange::INT8);
        assert_eq!(full.next_value(), None);
        assert_eq!(full.judge(None), Judgement::Exhausted);
        assert_eq!(full.left(), 0);
    }

    #[test]
    fn numeric_columns_hold_as_many_digits_as_they_say() {
        assert_eq!(ColumnRange::numeric(3), ColumnRange { min: -999, max: 999 });
        assert_eq!(ColumnRange::numeric(18).max, 999_999_999_999_999_999);
        assert_eq!(ColumnRange::numeric(19), ColumnRange::INT8);
    }
}
