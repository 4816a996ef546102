//! What a walk asks, and what it is answered.

use super::{Draws, ValueNumber};

/// Of 32 values looked at, so many taken ones make a stretch dense.
const DENSE_OF_32: u64 = 3;
/// A stretch with fewer than one id in so many values is no part of a block.
const THIN: i128 = 1000;

/// A question about taken ids, answered by index probes in one statement. All bounds are value numbers, inclusive unless
/// they are called `after`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// The first taken id from `from` to `up_to`: one `min(id)` with a range.
    Nearest {
        /// The next value.
        from: ValueNumber,
        /// The limit, or as far as own ids are looked for one by one.
        up_to: ValueNumber,
    },
    /// All taken ids from `from` to `up_to`, where there are at most `most`: one range of an index, with a LIMIT.
    Few {
        /// The next value.
        from: ValueNumber,
        /// So far that a block which ends among the first values ends before it.
        up_to: ValueNumber,
        /// More ids than this are not looked at.
        most: u64,
    },
    /// The chain of stretches from `after` on: each ends with the last taken id (`max(id)` with a range) within `step`
    /// values of where the one before ended. The chain ends after `most` stretches, after one that is neither dense nor
    /// thin, or where no id follows within `step`.
    Stretches {
        /// A taken id.
        after: ValueNumber,
        /// No stretch ends beyond this value.
        up_to: ValueNumber,
        /// Longest stretch, in values.
        step: i128,
        /// Most stretches in the answer.
        most: u16,
        /// For the values to look at.
        draws: Draws,
    },
    /// One stretch for each of `steps`, all from `after` on: where does a block end whose next whole step is not dense?
    Scales {
        /// A taken id.
        after: ValueNumber,
        /// No stretch ends beyond this value.
        up_to: ValueNumber,
        /// Longest stretches, in values, each shorter than the one before.
        steps: Vec<i128>,
        /// For the values to look at.
        draws: Draws,
    },
    /// Asked by a [`Gather`](super::Gather) alone: the last taken id within each of `steps` from `after` on.
    Lasts {
        /// A taken id.
        after: ValueNumber,
        /// No id beyond this value counts.
        up_to: ValueNumber,
        /// In values.
        steps: Vec<i128>,
    },
    /// Asked by a [`Gather`](super::Gather) alone: which of the values looked at are taken in the stretches from `after` to
    /// each of `lasts`, and how many ids they hold.
    Taken {
        /// A taken id.
        after: ValueNumber,
        /// Where the stretches end.
        lasts: Vec<ValueNumber>,
        /// For the values to look at.
        draws: Draws,
    },
    /// How many ids from `from` to `up_to` are taken, at most `most`: a count by index with a LIMIT.
    Count {
        /// First value counted.
        from: ValueNumber,
        /// Last value counted.
        up_to: ValueNumber,
        /// Counting stops here.
        most: u64,
    },
}

/// The answer to a [`Question`] of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// None where no id is taken.
    Nearest(Option<ValueNumber>),
    /// None where there are more than asked for.
    Few(Option<FewIds>),
    /// Fewer than asked for where the chain ended.
    Stretches(Vec<Stretch>),
    /// One for each step, none where no id is taken within it.
    Scales(Vec<Option<Stretch>>),
    /// One for each step.
    Lasts(Vec<Option<ValueNumber>>),
    /// One for each stretch: a bit for each value looked at, and the number of ids, counted up to [`thin_needs`].
    Taken(Vec<(u32, u64)>),
    /// At most as many as asked for.
    Count(u64),
}

/// The taken ids among some values, all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FewIds {
    /// The first and the last of them; none where no id is taken.
    pub ends: Option<(ValueNumber, ValueNumber)>,
    /// How many values are taken.
    pub taken: u64,
}

/// The values from behind one taken id up to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The last taken id within the step.
    pub last: ValueNumber,
    /// Values looked at: 32, or all of a shorter stretch ([`Draws::values`]).
    pub drawn: u32,
    /// How many of them are taken.
    pub taken: u32,
    /// Whether it holds at least [`thin_needs`] ids. Only read where the stretch is not dense.
    pub thin: bool,
}

impl Stretch {
    /// The stretch behind the id `after` up to `last`, in which so many ids are taken, counted instead of drawn.
    ///
    /// ```
    /// use pgmedic_core::sequence::judgement::Stretch;
    ///
    /// assert!(Stretch::counted(100, 420, 30).is_dense());
    /// assert!(!Stretch::counted(100, 421, 30).is_dense());
    /// ```
    #[must_use]
    pub fn counted(after: ValueNumber, last: ValueNumber, taken: u64) -> Self {
        let length = (last - after).max(1);
        let drawn = length.min(Draws::COUNT as i128);
        let share = (i128::from(taken) * drawn / length).clamp(0, drawn);
        let count = |number| u32::try_from(number).unwrap_or(0);
        Self { last, drawn: count(drawn), taken: count(share), thin: taken >= thin_needs(length) }
    }

    /// At least 3 of 32 of the values looked at are taken.
    ///
    /// ```
    /// use pgmedic_core::sequence::judgement::Stretch;
    ///
    /// assert!(Stretch { last: 100_000, drawn: 32, taken: 3, thin: false }.is_dense());
    /// assert!(!Stretch { last: 100_000, drawn: 32, taken: 2, thin: true }.is_dense());
    /// assert!(Stretch { last: 10, drawn: 10, taken: 1, thin: false }.is_dense());
    /// ```
    #[must_use]
    pub fn is_dense(&self) -> bool {
        u64::from(self.taken) * Draws::COUNT as u64 >= u64::from(self.drawn) * DENSE_OF_32
    }
}

/// How many ids a stretch of `length` values must hold to be thin rather than the end of its block: one in 1 000,
/// rounded up. At most a hundred for a step of 100 000.
///
/// ```
/// use pgmedic_core::sequence::judgement::thin_needs;
///
/// assert_eq!(thin_needs(100_000), 100);
/// assert_eq!(thin_needs(99_001), 100);
/// assert_eq!(thin_needs(3), 1);
/// ```
#[must_use]
pub fn thin_needs(length: i128) -> u64 {
    u64::try_from((length + THIN - 1) / THIN).unwrap_or(0)
}

/// An answer that does not belong to the question: an error of the program that looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerError {
    /// The answer to another kind of question, or to none.
    OtherQuestion,
    /// An id outside the values that were asked for, or out of order.
    OutOfRange,
    /// More or fewer parts than were asked for, or more values taken than looked at.
    WrongCount,
}

impl std::fmt::Display for AnswerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::OtherQuestion => "the answer belongs to another question",
            Self::OutOfRange => "the answer names an id outside the values asked for",
            Self::WrongCount => "the answer has another number of parts than the question",
        })
    }
}

impl std::error::Error for AnswerError {}
