//! Which guard holds a repair, in one word.

use super::judgement::Hold;
use serde::Serialize;

/// Why a repair is not made, though the sequence is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// The ids ahead are so far away that no insert fails yet.
    FarIds,
    /// The ids ahead lie so thin that passing them would burn more than the allowance.
    Thin,
    /// The free values before the nearest id are more than the allowance.
    Budget,
    /// No unique index makes an insert fail.
    NoUniqueKey,
    /// No index can find where the ids ahead end.
    NoIndex,
    /// It would leave no value before the limit.
    Limit,
    /// It takes a leap, and only an owner of the sequence may make one.
    Ownership,
    /// The role lacks a privilege on the sequence.
    Privilege,
    /// The server is a replica, or read only.
    ReadOnly,
}

impl HoldReason {
    pub const ALL: [Self; 9] = [
        Self::FarIds,
        Self::Thin,
        Self::Budget,
        Self::NoUniqueKey,
        Self::NoIndex,
        Self::Limit,
        Self::Ownership,
        Self::Privilege,
        Self::ReadOnly,
    ];

    /// As in the JSON report.
    pub fn word(self) -> &'static str {
        match self {
            Self::FarIds => "far_ids",
            Self::Thin => "thin",
            Self::Budget => "budget",
            Self::NoUniqueKey => "no_unique_key",
            Self::NoIndex => "no_index",
            Self::Limit => "limit",
            Self::Ownership => "ownership",
            Self::Privilege => "privilege",
            Self::ReadOnly => "read_only",
        }
    }
}

impl From<&Hold> for HoldReason {
    fn from(hold: &Hold) -> Self {
        match hold {
            Hold::FarIds { .. } => Self::FarIds,
            Hold::Thin { .. } => Self::Thin,
            Hold::Budget { .. } => Self::Budget,
            Hold::Limit { .. } => Self::Limit,
            Hold::NoIndex { .. } => Self::NoIndex,
            Hold::NoUniqueKey { .. } => Self::NoUniqueKey,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_judgement_and_the_report_use_the_same_words() {
        let holds = [
            Hold::Limit { past: 1, limit: 1 },
            Hold::NoIndex { lag: 1 },
            Hold::NoUniqueKey { lag: 1 },
            Hold::Budget { gap: 1, allowance: 0, due: None },
            Hold::FarIds { gap: 1, from: 1, to: None, count: None, due: None },
        ];
        for hold in holds {
            assert_eq!(HoldReason::from(&hold).word(), hold.word());
        }
    }
}
