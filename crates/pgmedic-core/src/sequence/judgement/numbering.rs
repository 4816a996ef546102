//! Value numbers: the values of a sequence, counted from its first bound on.

/// The number of a value: 0 for the first value that the sequence could produce from its first bound on, ascending
/// in the sequence's own direction. An `i128`, so sums never overflow at the edges of int8.
pub type ValueNumber = i128;

/// Which id each value number stands for.
///
/// ```
/// use pgmedic_core::sequence::judgement::Numbering;
///
/// // START 1 INCREMENT 10: the values are 1, 11, 21, …
/// let own = Numbering::new(1, i64::MAX, 10, 91);
/// assert_eq!(own.id(9), 91);
/// assert_eq!(own.number(91), Some(9));
/// assert_eq!(own.number(95), None, "another node's id");
/// assert_eq!(own.at_or_beyond(95), 10);
/// assert_eq!(own.at_or_before(95), 9);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbering {
    /// The id of value number 0.
    first: i128,
    /// Never 0.
    increment: i128,
}

impl Numbering {
    /// `min_value`, `max_value` and `increment` as `pg_sequence` has them (an increment of 0, which PostgreSQL refuses,
    /// counts as 1); `own` is any value of the sequence, such as its next one: it tells the residue class.
    #[must_use]
    pub fn new(min_value: i64, max_value: i64, increment: i64, own: i128) -> Self {
        let increment = if increment == 0 { 1 } else { i128::from(increment) };
        let bound = i128::from(if increment > 0 { min_value } else { max_value });
        let first = bound + increment.signum() * ((own - bound) * increment.signum()).rem_euclid(increment.abs());
        Self { first, increment }
    }

    /// The id that value number `number` stands for.
    #[must_use]
    pub fn id(&self, number: ValueNumber) -> i128 {
        self.first + number * self.increment
    }

    /// The value number of `id`; none where the sequence cannot produce it: another residue class, or before the first
    /// bound.
    #[must_use]
    pub fn number(&self, id: i128) -> Option<ValueNumber> {
        let number = self.at_or_before(id);
        (number >= 0 && self.id(number) == id).then_some(number)
    }

    /// The number of the first value at or beyond `id`, in the sequence's direction.
    #[must_use]
    pub fn at_or_beyond(&self, id: i128) -> ValueNumber {
        let before = self.at_or_before(id);
        if self.id(before) == id { before } else { before + 1 }
    }

    /// The number of the last value at or before `id`: negative before the first bound.
    #[must_use]
    pub fn at_or_before(&self, id: i128) -> ValueNumber {
        ((id - self.first) * self.increment.signum()).div_euclid(self.increment.abs())
    }

    /// From one value's id to the next's: never 0.
    #[must_use]
    pub fn increment(&self) -> i128 {
        self.increment
    }

    /// Whether every id between two of its values is its own too, so that range probes see no others' ids.
    #[must_use]
    pub fn is_gapless(&self) -> bool {
        self.increment.abs() == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descending_sequence_counts_downwards() {
        let own = Numbering::new(i64::MIN, -1, -1, -11);
        assert_eq!((own.id(0), own.id(10)), (-1, -11));
        assert_eq!(own.number(-11), Some(10));
        assert_eq!(own.number(5), None, "before the first bound");
        assert!(own.is_gapless());
        let tens = Numbering::new(i64::MIN, -1, -10, -15);
        assert_eq!((tens.id(0), tens.at_or_beyond(-16), tens.at_or_before(-16)), (-5, 2, 1));
    }

    #[test]
    fn ids_and_numbers_agree_at_the_edges_of_int8() {
        for (increment, own) in
            [(1, i64::MIN), (1, i64::MAX), (-1, i64::MAX), (-1, 0), (i64::MAX, 0), (i64::MIN, -5), (7, 3)]
        {
            let numbering = Numbering::new(i64::MIN, i64::MAX, increment, i128::from(own));
            let number = numbering.number(i128::from(own));
            assert!(number.is_some(), "{increment} {own}");
            assert_eq!(number.map(|number| numbering.id(number)), Some(i128::from(own)), "{increment} {own}");
            assert!((i128::from(i64::MIN)..=i128::from(i64::MAX)).contains(&numbering.id(0)), "{increment} {own}");
        }
        let widest = Numbering::new(i64::MIN, i64::MAX, 1, 0);
        assert_eq!(widest.number(i128::from(i64::MAX)), Some(u64::MAX.into()));
    }
}
