use super::*;
use crate::report::DatabaseReport;
use std::sync::Arc;

/// The events that a state makes: kind and name.
fn told(told: &mut Told, state: DatabaseState) -> Vec<(EventKind, String)> {
    let (events, next) = told.news(&[("app".to_owned(), Arc::new(state))].into(), &History::default(), true);
    *told = next;
    events.into_iter().map(|event| (event.event, event.name)).collect()
}

fn down(why: &str) -> DatabaseState {
    DatabaseState { last_error: Some(why.to_owned()), ..DatabaseState::default() }
}

fn swept(held: bool) -> DatabaseState {
    let held = held.then(|| Reason::new(ReasonKind::NoneLeft, "none would be left"));
    let store = SessionReport { name: "logins".to_owned(), held, ..SessionReport::default() };
    let mut state = DatabaseState { report: Some(Arc::<DatabaseReport>::default()), ..DatabaseState::default() };
    state.sweeps.stores = [("logins".to_owned(), store)].into();
    state
}

#[test]
fn a_lasting_problem_is_told_once_and_its_end_too() {
    let mut known = Told::default();
    assert_eq!(told(&mut known, swept(true)), [(EventKind::Problem, "logins".to_owned())]);
    assert_eq!(told(&mut known, swept(true)), []);
    assert_eq!(told(&mut known, swept(false)), [(EventKind::Resolved, "logins".to_owned())]);
    assert_eq!(told(&mut known, swept(false)), []);
}

#[test]
fn what_is_not_known_is_not_over() {
    let mut known = Told::default();
    told(&mut known, swept(true));
    assert_eq!(told(&mut known, down("refused")), [(EventKind::Problem, "app".to_owned())]);
    assert_eq!(told(&mut known, down("refused, again")), [], "another sentence is no news");
    // Another agent leads: nothing is known of the store, and the database responds.
    assert_eq!(told(&mut known, DatabaseState::default()), [(EventKind::Resolved, "app".to_owned())]);
    assert_eq!(told(&mut known, swept(false)), [(EventKind::Resolved, "logins".to_owned())]);
}

#[test]
fn each_repair_is_told_once_unless_repairs_are_not_wanted() {
    let mut history = History::default();
    let repaired = |sequence: &str| HistoryEvent::Repaired {
        sequence: sequence.to_owned(),
        cause: None,
        lag: Some(38),
        from: Some(658),
        to: Some(696),
        who: None,
    };
    history.add(10.0, "app", repaired("public.before"));
    history.add(20.0, "app", repaired("public.a"));
    let (events, next) = Told::since(10.0).news(&BTreeMap::new(), &history, true);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].text, "was behind by 38, and was moved to 696");
    assert_eq!(next.news(&BTreeMap::new(), &history, true).0, []);
    assert_eq!(Told::since(10.0).news(&BTreeMap::new(), &history, false).0, []);
}
