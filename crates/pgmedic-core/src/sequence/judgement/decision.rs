//! What a judgement says.

use std::time::Duration;

use super::{ThinPart, ValueNumber};

/// What to do with a sequence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decision {
    /// No value is left up to the limit.
    Exhausted,
    /// No own id lies at or beyond the next value.
    InSync {
        /// So many values will be handed out again, because memory knows a further next value; none where it knows none.
        rewound: Option<i128>,
        /// Own ids beyond this value were not looked for; none where all were.
        looked_to: Option<ValueNumber>,
    },
    /// The sequence is behind and is moved.
    Repair {
        /// The move.
        repair: Repair,
        /// What this repair leaves in the way, and why.
        rest: Option<Hold>,
    },
    /// The sequence is behind and stays where it is.
    Held(Hold),
}

/// A move forward: the next value afterwards is the one after `past`, and headroom beyond that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repair {
    /// The last value that is passed.
    pub past: ValueNumber,
    /// Values that the allowance pays for, counted from the observed next value.
    pub charged: u128,
    /// Why it is made.
    pub kind: RepairKind,
}

/// Why a repair is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepairKind {
    /// An insert would soon fail.
    Soon,
    /// A block a little further away, once for each sequence and memory.
    Early,
    /// Back to a next value that memory knows.
    Known,
    /// A person approved it.
    Approved,
}

/// Why a sequence that is behind is not moved, or not moved further, with the numbers that the reason needs. All ids are
/// value numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Hold {
    /// No insert fails yet: the ids are far away.
    FarIds {
        /// Free values before them.
        gap: i128,
        /// The first of them.
        from: ValueNumber,
        /// The last of them, where it is known.
        to: Option<ValueNumber>,
        /// How many there are, where they were counted.
        count: Option<u64>,
        /// When the first of them is reached at the present pace; none where the pace is not known, or 0.
        due: Option<Duration>,
    },
    /// The block's thin stretches cost more than the allowance.
    Thin {
        /// The first of them.
        part: ThinPart,
        /// What repairs may still burn.
        allowance: i128,
    },
    /// The free values before the nearest id cost more than the allowance; it is passed once none are left.
    Budget {
        /// Free values before the nearest id.
        gap: i128,
        /// What repairs may still burn.
        allowance: i128,
        /// When the nearest id is reached at the present pace.
        due: Option<Duration>,
    },
    /// No value would be left before the limit.
    Limit {
        /// The last id that had to be passed.
        past: ValueNumber,
        /// The last value that can be used.
        limit: ValueNumber,
    },
    /// Without an index no block is found, and the furthest id is more than a step away.
    NoIndex {
        /// Values up to the furthest id.
        lag: i128,
    },
    /// No unique index makes an insert fail.
    NoUniqueKey {
        /// Values up to the furthest id.
        lag: i128,
    },
}

impl Hold {
    /// The word for it in reports, metrics and JSON.
    ///
    /// ```
    /// use pgmedic_core::sequence::judgement::Hold;
    ///
    /// assert_eq!(Hold::Limit { past: 99, limit: 99 }.word(), "limit");
    /// ```
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::FarIds { .. } => "far_ids",
            Self::Thin { .. } => "thin",
            Self::Budget { .. } => "budget",
            Self::Limit { .. } => "limit",
            Self::NoIndex { .. } => "no_index",
            Self::NoUniqueKey { .. } => "no_unique_key",
        }
    }
}
