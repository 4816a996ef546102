use crate::state::*;
use pgmedic_core::{Reason, ReasonKind};

#[test]
fn readiness_begins_with_the_first_connection_and_outlives_it() {
    let state = AgentState::new(false);
    state.update("app", |database| database.interval = 1.0);
    state.update("app", |database| database.up = Some(false));
    assert!(!state.ready());
    // A standby: it has never completed a pass.
    state.update("app", |database| database.up = Some(true));
    state.update("app", |database| database.up = Some(false));
    assert!(state.ready());
    state.retain(&[("another", Vec::new())].into());
    assert!(state.ready());
}

#[test]
fn a_leader_is_ready_before_its_first_pass_is_over() {
    let state = AgentState::new(false);
    state.update("app", |database| database.leader = true);
    assert!(state.ready());
}

#[test]
fn a_database_that_was_looked_at_is_up() {
    let state = AgentState::new(false);
    state.update("app", |database| database.up = Some(false));
    state.record_pass("app", Arc::default());
    assert_eq!(state.databases()["app"].up, Some(true));
}

#[test]
fn the_revision_changes_with_what_is_known() {
    let state = AgentState::new(false);
    let mut revision = state.revision();
    let mut changes = |act: &dyn Fn(&AgentState)| {
        act(&state);
        let changed = revision.has_changed().unwrap();
        revision.mark_unchanged();
        changed
    };
    assert!(changes(&|state| state.update("app", |database| database.up = Some(true))));
    assert!(!changes(&|state| state.update("app", |database| database.up = Some(true))));
    assert!(changes(&|state| state.update("app", |database| database.leader = true)));
    assert!(changes(&|state| drop(state.record_pass("app", Arc::default()))));
    assert!(changes(&|state| state.record_sweep("app", Vec::new())));
    assert!(!changes(&|state| state.record_inline_repairs("app", "repaired", 0)));
    assert!(changes(&|state| state.record_inline_repairs("app", "repaired", 1)));
}

#[test]
fn the_repairs_of_an_earlier_run_are_taken_once() {
    let state = AgentState::new(false);
    let at = state.started() - 60.0;
    let repair = EarlierRepair { sequence: "s".to_owned(), at, cause: None, from: None, to: None, who: None };
    for _ in 0..2 {
        state.restore_repairs("app", vec![repair.clone(), repair.clone()]);
    }
    let observed = Arc::clone(&state.databases()["app"].observed);
    assert_eq!(observed.day.sum(state.started(), |hour| hour.repaired), 2);
    assert_eq!(observed.last_repair("s").map(|repair| repair.at), Some(at));
}

#[test]
fn a_configuration_that_is_refused_leaves_the_time_of_the_one_that_stays() {
    let state = AgentState::new(false);
    assert_eq!((state.reload().accepted, state.reload().accepted_at), (true, state.started()));
    state.set_reloaded(false);
    assert_eq!((state.reload().accepted, state.reload().accepted_at), (false, state.started()));
    state.set_reloaded(true);
    assert!(state.reload().accepted && state.reload().accepted_at >= state.started());
}

#[test]
fn a_sweep_is_a_success_when_no_store_is_left_with_a_failure() {
    let state = AgentState::new(false);
    let swept = |name: &str, error: Option<&str>| {
        let error = error.map(|text| Reason::new(ReasonKind::ServerError, text));
        let report = SessionReport { name: name.to_owned(), error, ..Default::default() };
        state.record_sweep("app", vec![report]);
        state.databases()["app"].sweeps.last_success
    };
    assert_eq!(swept("a", Some("gone")), None);
    assert_eq!(swept("b", None), None);
    assert!(swept("a", None).is_some());
}
