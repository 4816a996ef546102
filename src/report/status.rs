//! What is true of a sequence after the pass, in one word.

use super::{Outcome, SequenceReport, Verdict};

/// What a row is about, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    Failed,
    Held,
    Exhausted,
    Unreadable,
    Behind,
    Repaired,
    Unsupported,
    Unlinked,
    InSync,
}

impl Status {
    /// All of them, worst first.
    pub const ALL: [Self; 9] = [
        Self::Failed,
        Self::Held,
        Self::Exhausted,
        Self::Unreadable,
        Self::Behind,
        Self::Repaired,
        Self::Unsupported,
        Self::Unlinked,
        Self::InSync,
    ];

    /// What came of its repair, or else the verdict.
    pub fn of(sequence: &SequenceReport) -> Self {
        match (sequence.verdict, sequence.outcome()) {
            (_, Some(Outcome::Failed)) => Self::Failed,
            (_, Some(Outcome::Held)) => Self::Held,
            (_, Some(Outcome::Repaired)) => Self::Repaired,
            (Verdict::Behind, _) => Self::Behind,
            (Verdict::Exhausted, _) => Self::Exhausted,
            (Verdict::Unreadable, _) => Self::Unreadable,
            (Verdict::Unsupported, _) => Self::Unsupported,
            (Verdict::Unlinked, _) => Self::Unlinked,
            (Verdict::InSync, _) => Self::InSync,
        }
    }

    /// For people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Held => "held",
            Self::Exhausted => "exhausted",
            Self::Unreadable => "unreadable",
            Self::Behind => "behind",
            Self::Repaired => "repaired",
            Self::Unsupported => "unsupported",
            Self::Unlinked => "unlinked",
            Self::InSync => "in sync",
        }
    }
}
