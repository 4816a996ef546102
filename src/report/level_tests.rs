use super::*;
use crate::report::RepairReport;
use pgmedic_core::{Reason, ReasonKind};

fn sequence(verdict: Verdict, outcome: Option<Outcome>, running_out: bool) -> SequenceReport {
    let held_by = (outcome == Some(Outcome::Held)).then_some(HoldReason::Privilege);
    let repair = outcome.map(|outcome| Box::new(RepairReport { held_by, ..RepairReport::new(outcome, None, None) }));
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
fn without_an_index_or_with_a_part_of_a_primary_key_it_is_not_known_whether_inserts_fail() {
    let held = |guard, kind| {
        let reason = Reason::new(kind, "");
        let repair = Some(Box::new(RepairReport::held(guard, None, reason)));
        Level::of(&SequenceReport { repair, ..sequence(Verdict::Behind, None, true) })
    };
    assert_eq!(held(HoldReason::NoIndex, ReasonKind::NoIndex), Level::Unknown);
    assert_eq!(held(HoldReason::NoUniqueKey, ReasonKind::PartOfKey), Level::Unknown);
    assert_eq!(held(HoldReason::NoUniqueKey, ReasonKind::NoUniqueKey), Level::Soon, "the range ends, no insert fails");
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
