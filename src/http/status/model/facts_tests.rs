use super::*;
use crate::http::status::model::test_support::{NOW, behind, checked, in_sync, standby};
use crate::report::SessionReport;
use pgmedic_core::{Reason, ReasonKind};

fn level(state: &DatabaseState) -> PageLevel {
    DatabaseFacts::of("app", state, NOW).level
}

#[test]
fn a_database_has_the_level_of_its_worst_sequence() {
    assert_eq!(level(&checked(vec![in_sync("public.a_id_seq")])), PageLevel::Healthy);
    assert_eq!(level(&checked(vec![in_sync("public.a_id_seq"), behind("public.b_id_seq")])), PageLevel::Failing);
}

#[test]
fn a_pass_that_failed_or_is_overdue_leaves_nothing_known() {
    let mut failed = checked(vec![in_sync("public.a_id_seq")]);
    failed.last_error = Some("refused".to_owned());
    let mut overdue = checked(vec![in_sync("public.a_id_seq")]);
    overdue.last_success = Some(NOW - 3.0 * overdue.interval - OVERDUE_GRACE - 1.0);
    for state in [failed, overdue] {
        let facts = DatabaseFacts::of("app", &state, NOW);
        assert_eq!((facts.level, facts.counts.healthy, facts.unchecked()), (PageLevel::Unknown, 0, 1));
        assert_eq!(facts.checked_sequences().count(), 0);
    }
}

#[test]
fn no_sequence_at_all_is_unknown_unless_there_are_session_stores() {
    let mut empty = checked(Vec::new());
    assert_eq!(level(&empty), PageLevel::Unknown);
    empty.sweeps.stores.insert("logins".to_owned(), SessionReport::default());
    assert_eq!(level(&empty), PageLevel::Healthy);
}

#[test]
fn before_the_first_pass_it_starts_and_where_another_leads_it_stands_by() {
    assert_eq!(level(&DatabaseState::default()), PageLevel::Starting);
    let leads = DatabaseState { up: Some(true), leader: true, ..DatabaseState::default() };
    assert_eq!(level(&leads), PageLevel::Starting);
    assert_eq!(level(&standby()), PageLevel::Standby);
}

#[test]
fn a_held_sweep_is_a_decision_and_a_failed_one_unknown() {
    let reason = || Some(Reason::new(ReasonKind::NoneLeft, "all would go"));
    let mut state = checked(vec![in_sync("public.a_id_seq")]);
    state.sweeps.stores.insert("a".to_owned(), SessionReport { held: reason(), ..Default::default() });
    assert_eq!(level(&state), PageLevel::Decision);
    state.sweeps.stores.insert("b".to_owned(), SessionReport { error: reason(), ..Default::default() });
    assert_eq!(level(&state), PageLevel::Unknown);
}
