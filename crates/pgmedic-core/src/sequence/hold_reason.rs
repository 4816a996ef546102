//! Which guard holds a repair, in one word.

use serde::Serialize;

/// Why a repair is not made, though the sequence is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// It would use more than `max_repair_ratio` of the values left.
    RepairRatio,
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
    pub const ALL: [Self; 5] = [Self::RepairRatio, Self::Limit, Self::Ownership, Self::Privilege, Self::ReadOnly];

    /// As in the JSON report.
    pub fn word(self) -> &'static str {
        match self {
            Self::RepairRatio => "repair_ratio",
            Self::Limit => "limit",
            Self::Ownership => "ownership",
            Self::Privilege => "privilege",
            Self::ReadOnly => "read_only",
        }
    }
}
