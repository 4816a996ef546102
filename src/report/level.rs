//! How urgent a finding is, in one of five levels.

use super::{Outcome, SequenceReport, Verdict};
use pgmedic_core::sequence::HoldReason;

/// Worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// An insert fails now.
    Failing,
    /// It could not be read or judged, so inserts may fail.
    Unknown,
    /// An insert will fail unless a person acts.
    Soon,
    /// Nothing fails; a person has to decide.
    Decision,
    /// Ahead of its data, or it feeds no column.
    Healthy,
}

impl Level {
    /// Of a sequence, as the pass left it.
    pub fn of(sequence: &SequenceReport) -> Self {
        if sequence.observed_only {
            return Self::Healthy;
        }
        match sequence.verdict {
            Verdict::Behind => Self::of_behind(sequence),
            Verdict::Exhausted => Self::Failing,
            _ if sequence.meets_taken_ids() => Self::Failing,
            // Ids in its way were seen all the same.
            Verdict::Unsupported if sequence.needs_attention() => Self::Failing,
            // So it is if it feeds the likely column.
            Verdict::Unlinked if sequence.needs_attention() => Self::Unknown,
            Verdict::Unreadable | Verdict::Unsupported => Self::Unknown,
            Verdict::InSync => Self::of_range(sequence),
            Verdict::Unlinked => Self::Healthy,
        }
    }

    fn of_behind(sequence: &SequenceReport) -> Self {
        match (sequence.held_by(), sequence.outcome()) {
            // Which of the next values are taken was not seen.
            (Some(HoldReason::NoIndex), _) => Self::Unknown,
            (Some(HoldReason::NoUniqueKey), _) if sequence.feeds_part_of_key() => Self::Unknown,
            (Some(HoldReason::FarIds | HoldReason::NoUniqueKey), _) => Self::of_range(sequence).min(Self::Decision),
            // It waits for the last free value.
            (Some(HoldReason::Budget), _) if sequence.nearest_id != sequence.next_value_after_pass() => Self::Soon,
            (None, Some(Outcome::Repaired)) => Self::of_range(sequence),
            _ => Self::Failing,
        }
    }

    fn of_range(sequence: &SequenceReport) -> Self {
        if sequence.running_out { Self::Soon } else { Self::Healthy }
    }
}

#[cfg(test)]
#[path = "level_tests.rs"]
mod tests;
