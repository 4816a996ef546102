use crate::state::history::*;

fn ended(number: u64) -> HistoryEvent {
    HistoryEvent::Ended { store: "logins".to_owned(), sweeps: 1, expired: number, superseded: 0 }
}

#[test]
fn the_newest_are_kept_and_the_others_counted() {
    let mut history = History::default();
    for number in 1..=CAPACITY as u64 + 7 {
        history.add(0.0, "app", ended(number));
    }
    let kept: Vec<&HistoryEvent> = history.entries().map(|entry| &entry.action).collect();
    assert_eq!((kept.len(), kept[0], kept[CAPACITY - 1]), (CAPACITY, &ended(CAPACITY as u64 + 7), &ended(8)));
    assert_eq!(history.dropped(), 7);
}

#[test]
fn what_an_earlier_run_repaired_goes_before_all_that_is_known() {
    let mut history = History::default();
    history.add(50.0, "app", ended(1));
    let repair = |at| EarlierRepair { sequence: "s".to_owned(), at, cause: None, from: None, to: None, who: None };
    history.add_earlier("app", [40.0, 30.0].map(repair).into());
    assert_eq!(history.entries().map(|entry| entry.at).collect::<Vec<_>>(), [50.0, 40.0, 30.0]);
    history.add_earlier("app", (0..CAPACITY).map(|n| repair(n as f64)).collect());
    assert_eq!((history.entries().count(), history.dropped()), (CAPACITY, 3));
}

#[test]
fn a_sweep_that_ended_nothing_is_no_entry() {
    let mut history = History::default();
    let report = |expired, superseded| SessionReport { expired, superseded, ..Default::default() };
    history.record_sweep(0.0, "app", &[report(0, 0)]);
    assert_eq!(history.entries().count(), 0);
}

#[test]
fn the_sweeps_of_a_store_in_one_hour_are_one_entry() {
    let mut history = History::default();
    let report = |expired, superseded| SessionReport { expired, superseded, ..Default::default() };
    for (at, database) in [(3600.0, "app"), (3700.0, "app"), (3700.0, "shop"), (7200.0, "app")] {
        history.record_sweep(at, database, &[report(3, 1)]);
    }
    let entries: Vec<_> = history.entries().cloned().collect();
    assert_eq!(entries.len(), 3);
    let sum = HistoryEvent::Ended { store: String::new(), sweeps: 2, expired: 6, superseded: 2 };
    assert_eq!((&entries[2].action, entries[2].at), (&sum, 3700.0));
}
