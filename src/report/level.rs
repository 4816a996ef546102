//! How urgent a finding is, in one of five levels.

use super::{Outcome, SequenceReport, Verdict};

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

/// The guards that hold a repair while no insert fails yet, as the report names them.
const NOTHING_FAILS_YET: [&str; 3] = ["far_ids", "no_unique_key", "no_index"];

impl Level {
    pub const ALL: [Self; 5] = [Self::Failing, Self::Unknown, Self::Soon, Self::Decision, Self::Healthy];

    /// Of a sequence, as the pass left it.
    pub fn of(sequence: &SequenceReport) -> Self {
        match sequence.verdict {
            Verdict::Behind if sequence.outcome() == Some(Outcome::Repaired) => Self::of_range(sequence),
            Verdict::Behind => match sequence.repair.as_ref().and_then(|repair| repair.held_by) {
                Some(guard) if NOTHING_FAILS_YET.contains(&guard.word()) => Self::of_range(sequence).min(Self::Decision),
                _ => Self::Failing,
            },
            Verdict::Exhausted => Self::Failing,
            Verdict::Unreadable | Verdict::Unsupported => Self::Unknown,
            Verdict::InSync => Self::of_range(sequence),
            Verdict::Unlinked => Self::Healthy,
        }
    }

    fn of_range(sequence: &SequenceReport) -> Self {
        if sequence.running_out { Self::Soon } else { Self::Healthy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::RepairReport;
    use pgmedic_core::sequence::HoldReason;

    fn sequence(verdict: Verdict, outcome: Option<Outcome>, running_out: bool) -> SequenceReport {
        let repair = outcome.map(|outcome| RepairReport {
            outcome,
            method: None,
            next_value: None,
            held_by: (outcome == Outcome::Held).then_some(HoldReason::Privilege),
            reason: None,
            duration_seconds: 0.0,
        });
        SequenceReport { repair, running_out, ..SequenceReport::named("public.a_id_seq", verdict) }
    }

    #[test]
    fn an_insert_fails_unless_the_same_pass_repaired_it() {
        let level = |verdict, outcome| Level::of(&sequence(verdict, outcome, false));
        assert_eq!(level(Verdict::Behind, Some(Outcome::Repaired)), Level::Healthy);
        for outcome in [None, Some(Outcome::Skipped), Some(Outcome::Held), Some(Outcome::Failed)] {
            assert_eq!(level(Verdict::Behind, outcome), Level::Failing, "{outcome:?}");
        }
        assert_eq!(level(Verdict::Exhausted, None), Level::Failing);
    }

    #[test]
    fn what_is_not_known_is_never_healthy() {
        for verdict in [Verdict::Unreadable, Verdict::Unsupported] {
            assert_eq!(Level::of(&sequence(verdict, None, false)), Level::Unknown);
        }
    }

    #[test]
    fn a_range_that_ends_is_soon_and_also_after_a_repair() {
        assert_eq!(Level::of(&sequence(Verdict::InSync, None, true)), Level::Soon);
        assert_eq!(Level::of(&sequence(Verdict::Behind, Some(Outcome::Repaired), true)), Level::Soon);
        assert_eq!(Level::of(&sequence(Verdict::InSync, None, false)), Level::Healthy);
    }
}
