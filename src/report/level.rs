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
            (Some(HoldReason::FarIds | HoldReason::NoUniqueKey | HoldReason::NoIndex), _) => {
                Self::of_range(sequence).min(Self::Decision)
            }
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
mod tests {
    use super::*;
    use crate::report::RepairReport;

    fn sequence(verdict: Verdict, outcome: Option<Outcome>, running_out: bool) -> SequenceReport {
        let held_by = (outcome == Some(Outcome::Held)).then_some(HoldReason::Privilege);
        let repair =
            outcome.map(|outcome| Box::new(RepairReport { held_by, ..RepairReport::new(outcome, None, None) }));
        SequenceReport { repair, running_out, ..SequenceReport::new("public.a_id_seq".to_owned(), Vec::new(), verdict) }
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
    fn ids_far_ahead_are_a_decision_and_a_used_up_allowance_fails_with_the_last_free_value() {
        let held = |guard, nearest| {
            let mut held = sequence(Verdict::Behind, Some(Outcome::Held), false);
            (held.next_value, held.nearest_id) = (Some(5), Some(nearest));
            if let Some(repair) = &mut held.repair {
                repair.held_by = Some(guard);
            }
            Level::of(&held)
        };
        assert_eq!(held(HoldReason::FarIds, 2_000_000_000), Level::Decision);
        assert_eq!((held(HoldReason::Budget, 9), held(HoldReason::Budget, 5)), (Level::Soon, Level::Failing));
        assert_eq!(held(HoldReason::Thin, 9), Level::Failing);
    }

    #[test]
    fn what_is_only_observed_by_a_rule_is_never_an_alert() {
        let observed = SequenceReport { observed_only: true, ..sequence(Verdict::Exhausted, None, true) };
        assert_eq!(Level::of(&observed), Level::Healthy);
    }

    #[test]
    fn what_is_not_known_is_never_healthy() {
        for verdict in [Verdict::Unreadable, Verdict::Unsupported] {
            assert_eq!(Level::of(&sequence(verdict, None, false)), Level::Unknown);
        }
    }

    #[test]
    fn ids_in_the_way_of_what_is_not_moved_make_inserts_fail() {
        let level = |verdict| Level::of(&SequenceReport { lag: Some(1), ..sequence(verdict, None, false) });
        assert_eq!((level(Verdict::Unsupported), level(Verdict::Unlinked)), (Level::Failing, Level::Unknown));
        assert_eq!(Level::of(&sequence(Verdict::Unlinked, None, false)), Level::Healthy);
    }

    #[test]
    fn a_range_that_ends_is_soon_and_also_after_a_repair() {
        assert_eq!(Level::of(&sequence(Verdict::InSync, None, true)), Level::Soon);
        assert_eq!(Level::of(&sequence(Verdict::Behind, Some(Outcome::Repaired), true)), Level::Soon);
        assert_eq!(Level::of(&sequence(Verdict::InSync, None, false)), Level::Healthy);
    }
}
