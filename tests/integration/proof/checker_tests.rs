//! Checks the checker with made-up histories: each violation is found, and similar histories without one are accepted.

use super::*;
use crate::proof::history::{Deletion, Fault};

const S: &str = "orders_id_seq";

fn at(seconds: f64) -> Moment {
    Moment::from_secs_f64(seconds)
}

fn entry(seconds: f64, event: Event) -> Entry {
    Entry { from: at(seconds), to: at(seconds + 0.01), event }
}

fn look(seconds: f64, next: i64, behind: bool) -> Entry {
    look_at_cached(seconds, next, behind, None)
}

fn look_at_cached(seconds: f64, next: i64, behind: bool, file: Option<i64>) -> Entry {
    entry(seconds, Event::Sequences(vec![(S, SequenceState { next, behind, file })]))
}

fn sabotage(seconds: f64, moved: Moved) -> Entry {
    entry(seconds, Event::Sabotage { sequence: S, moved })
}

/// A scrape of a leader that reports no problem, after this many passes and sweeps.
fn well(seconds: f64, passes: u64) -> Entry {
    scrape(seconds, Page { passes, ..leading() })
}

fn leading() -> Page {
    Page { leads: true, up: true, in_sync: Some(1), ..Page::default() }
}

fn scrape(seconds: f64, page: Page) -> Entry {
    let sweeps = page.passes;
    entry(seconds, Event::Scrape { agent: 1, page: Page { sweeps, ..page } })
}

fn begins(seconds: f64, fault: Fault) -> Entry {
    entry(seconds, Event::FaultBegins(fault))
}

fn ends(seconds: f64, fault: Fault) -> Entry {
    entry(seconds, Event::FaultEnds(fault))
}

fn found(entries: &[Entry]) -> Vec<Violation> {
    check(entries, &[(S, 1)])
}

/// A drift that lasts for six seconds and six passes, with the page that the agent serves after each pass.
fn drifting(page: impl Fn(u64) -> Page) -> Vec<Entry> {
    let mut entries = vec![look(0.0, 700, false), sabotage(1.0, Moved::To(600))];
    for second in 2..8 {
        entries.push(look(second as f64, 600, true));
        entries.push(scrape(second as f64 + 0.5, Page { passes: second, ..page(second) }));
    }
    entries.push(look(8.0, 700, true));
    entries.push(look(9.0, 701, false));
    entries
}

fn reported(_: u64) -> Page {
    Page { problems: 1, lagging: vec![format!("public.{S}")], ..leading() }
}

#[test]
fn a_sequence_that_goes_back_by_itself_is_seen() {
    let violations = found(&[look(1.0, 700, false), look(2.0, 699, false)]);
    assert_eq!(violations, [Violation::MovedBack { sequence: S, before: 700, now: 699, at: at(2.01) }]);
    let down = [look(1.0, -700, false), look(2.0, -699, false)];
    assert!(matches!(check(&down, &[(S, -1)])[..], [Violation::MovedBack { .. }]));
}

#[test]
fn a_sequence_that_the_saboteur_set_back_is_no_violation_and_going_back_further_is() {
    let entries = [look(1.0, 700, false), sabotage(2.0, Moved::To(600)), look(3.0, 600, false), look(4.0, 601, false)];
    assert_eq!(found(&entries), []);
    let entries = [look(1.0, 700, false), sabotage(2.0, Moved::To(600)), look(3.0, 599, false)];
    assert!(matches!(found(&entries)[..], [Violation::MovedBack { before: 600, now: 599, .. }]));
    // A sabotage that inserts ids ahead does not move the sequence.
    let entries = [look(1.0, 700, false), sabotage(2.0, Moved::Not), look(3.0, 600, false)];
    assert!(matches!(found(&entries)[..], [Violation::MovedBack { before: 700, now: 600, .. }]));
}

#[test]
fn a_crash_may_lose_moves_that_no_client_has_seen_and_nothing_else() {
    let given = entry(1.5, Event::Inserted { sequence: S, id: 690 });
    let crash = |next| {
        let fault = Fault::ServerKilled;
        [look(1.0, 700, false), given.clone(), begins(2.0, fault), ends(3.0, fault), look(4.0, next, false)]
    };
    assert_eq!(found(&crash(691)), []);
    assert!(matches!(found(&crash(689))[..], [Violation::MovedBack { before: 690, now: 689, .. }]));
    let fault = Fault::ServerRestarted;
    let entries = [look(1.0, 700, false), begins(2.0, fault), ends(3.0, fault), look(4.0, 699, false)];
    assert!(matches!(found(&entries)[..], [Violation::MovedBack { .. }]), "an orderly end loses_moves nothing");
}

#[test]
fn a_failover_that_loses_commits_loses_nothing_that_was_confirmed_before_it_began() {
    let fault = Fault::LaggingPromoted;
    let given = |seconds, id| entry(seconds, Event::Inserted { sequence: S, id });
    let failover = |during: Vec<Entry>, next| {
        let mut entries = vec![look(1.0, 700, false), given(1.5, 690), begins(2.0, fault)];
        entries.extend(during);
        entries.extend([ends(3.0, fault), look(4.0, next, false), look(5.0, next, false)]);
        found(&entries)
    };
    let lost = || vec![given(2.2, 720), look(2.5, 721, false)];
    assert_eq!(failover(lost(), 691), []);
    assert!(matches!(failover(lost(), 689)[..], [Violation::MovedBack { before: 690, now: 689, .. }]));
    // A sabotage may be lost too, or not.
    let sabotaged = || vec![sabotage(2.2, Moved::To(600)), given(2.4, 601)];
    assert_eq!(failover(sabotaged(), 700), []);
    assert_eq!(failover(sabotaged(), 600), []);
    assert!(matches!(failover(sabotaged(), 599)[..], [Violation::MovedBack { before: 600, now: 599, .. }]));
    // After it, nothing is lost any more.
    let entries = [begins(2.0, fault), ends(3.0, fault), given(4.0, 700), look(5.0, 701, false), look(6.0, 700, false)];
    assert!(matches!(found(&entries)[..], [Violation::MovedBack { before: 701, now: 700, .. }]));
}

#[test]
fn a_failover_that_loses_commits_loses_no_session_from_before_and_gives_no_taken_id_without_a_drift() {
    let fault = Fault::LaggingPromoted;
    let (one, two) = (session(1, 100), session(2, 100));
    let failover = |after: &[Session]| {
        let during = sessions(2.5, 60, &[one, two], &[]);
        found(&[
            sessions(1.0, 50, &[one], &[]),
            begins(2.0, fault),
            during,
            ends(3.0, fault),
            sessions(4.0, 70, after, &[]),
        ])
    };
    assert_eq!(failover(&[one]), [], "a login during the fault may be lost");
    assert_eq!(failover(&[two]), [Violation::SessionLost { key: one.key, at: at(4.01) }]);

    let duplicate = |seconds| entry(seconds, Event::Duplicate { sequence: S });
    let calm = [look(1.0, 700, false), begins(2.0, fault), ends(3.0, fault), duplicate(3.5)];
    assert!(matches!(found(&calm)[..], [Violation::DuplicateWithoutDrift { .. }]));
    // A repair during the fault may be lost.
    let repaired =
        [sabotage(1.0, Moved::To(600)), begins(2.0, fault), look(2.5, 700, false), ends(3.0, fault), duplicate(3.5)];
    assert_eq!(found(&repaired), []);
}

#[test]
fn a_drift_that_passes_neither_repair_nor_report_is_seen() {
    let violations = found(&drifting(|_| leading()));
    assert!(matches!(violations[..], [Violation::LeftBehind { .. }, Violation::FalselyHealthy { .. }]));
    assert_eq!(found(&drifting(reported)), []);
    // A page without verdicts, as an agent serves it that cannot reach its database, reports nothing.
    let violations = found(&drifting(|_| Page { in_sync: None, ..leading() }));
    assert!(matches!(violations[..], [Violation::LeftBehind { .. }]), "{violations:?}");
}

#[test]
fn passes_that_failed_and_passes_under_a_fault_are_not_held_against_a_drift() {
    let failing = drifting(|second| Page { failures: second, in_sync: None, ..leading() });
    assert_eq!(found(&failing), []);
    let mut entries = vec![begins(0.5, Fault::TableLocked)];
    entries.extend(drifting(|_| Page { in_sync: None, ..leading() }));
    entries.push(ends(9.5, Fault::TableLocked));
    assert_eq!(found(&entries), []);
}

#[test]
fn well_is_false_even_under_a_fault_when_it_was_looked_at_since() {
    let mut entries = vec![begins(0.5, Fault::LeaderCutOff)];
    entries.extend(drifting(|_| leading()));
    assert!(matches!(found(&entries)[..], [Violation::FalselyHealthy { .. }]));
}

#[test]
fn well_is_true_of_a_pass_that_may_have_begun_before_the_drift() {
    let entries = [look(1.0, 600, true), well(2.0, 7), well(3.0, 8), look(4.0, 600, true), look(5.0, 700, false)];
    assert_eq!(found(&entries), []);
    let entries = [look(1.0, 600, true), well(2.0, 7), well(3.0, 9), look(4.0, 600, true), look(5.0, 700, false)];
    assert!(matches!(found(&entries)[..], [Violation::FalselyHealthy { .. }]));
    // A scrape after a new sabotage says nothing about the drift before it.
    let entries = [look(1.0, 600, true), well(2.0, 7), sabotage(2.5, Moved::Not), well(3.0, 9), look(4.0, 600, true)];
    assert_eq!(found(&entries), []);
}

fn session(id: i64, expires: i64) -> Session {
    Session { key: Key { id, created: 1 }, expires }
}

fn sessions(seconds: f64, clock: i64, there: &[Session], deleted: &[(Session, bool, i64)]) -> Entry {
    let deleted =
        deleted.iter().map(|(session, by_agent, at)| Deletion { session: *session, by_agent: *by_agent, at: *at });
    entry(seconds, Event::Sessions { clock, there: there.to_vec(), deleted: deleted.collect() })
}

#[test]
fn a_live_session_that_an_agent_ends_is_seen_and_one_that_a_login_ends_is_none() {
    let one = session(1, 100);
    let ended =
        |by_agent, at| found(&[sessions(1.0, 50, &[one], &[]), sessions(2.0, 120, &[], &[(one, by_agent, at)])]);
    let early = Violation::LiveSessionEnded { session: one, early: Duration::from_micros(1), at: at(2.01) };
    assert_eq!(ended(true, 99), [early]);
    assert_eq!(ended(true, 100), []);
    assert_eq!(ended(false, 60), []);
}

#[test]
fn a_session_that_is_gone_without_a_trace_is_seen() {
    let (one, two) = (session(1, 100), session(2, 100));
    let violations = found(&[sessions(1.0, 50, &[one, two], &[]), sessions(2.0, 60, &[two], &[])]);
    assert_eq!(violations, [Violation::SessionLost { key: one.key, at: at(2.01) }]);
}

/// A session that is over from the first second on, for this many sweeps.
fn kept(sweeps: u64) -> Vec<Entry> {
    let one = session(1, 100);
    let mut entries = Vec::new();
    for second in 1..=sweeps + 1 {
        entries.push(sessions(second as f64, 200, &[one], &[]));
        entries.push(well(second as f64 + 0.5, second));
    }
    entries.push(sessions(sweeps as f64 + 2.0, 200, &[one], &[]));
    entries
}

#[test]
fn an_expired_session_that_outlives_the_sweeps_is_seen() {
    assert!(matches!(found(&kept(4))[..], [Violation::ExpiredSessionKept { sweeps: 4, .. }]));
    assert_eq!(found(&kept(3)), []);
    let fault = Fault::LeaderKilled;
    let mut entries = kept(4);
    entries.insert(0, ends(3.0, fault));
    entries.insert(0, begins(0.5, fault));
    assert_eq!(found(&entries), [], "two of them came under a fault");
}

#[test]
fn a_duplicate_is_explained_by_a_sabotage_and_by_nothing_else() {
    let duplicate = |seconds| entry(seconds, Event::Duplicate { sequence: S });
    let entries = [look(1.0, 700, false), duplicate(2.0)];
    assert_eq!(found(&entries), [Violation::DuplicateWithoutDrift { sequence: S, at: at(2.01) }]);
    let during = |seconds| {
        let end = look(5.0, 700, false);
        found(&[look(1.0, 700, false), sabotage(2.0, Moved::To(600)), look(3.0, 600, true), end, duplicate(seconds)])
    };
    assert_eq!(during(4.0), []);
    assert!(matches!(during(6.0)[..], [Violation::DuplicateWithoutDrift { .. }]));
}

#[test]
fn what_a_session_holds_in_its_cache_may_be_taken_until_a_leap() {
    let duplicate = entry(6.0, Event::Duplicate { sequence: S });
    let ends_with = |file| {
        let behind = look_at_cached(3.0, 600, true, Some(1));
        found(&[sabotage(2.0, Moved::To(600)), behind, look_at_cached(5.0, 710, false, Some(file)), duplicate.clone()])
    };
    assert_eq!(ends_with(1), [], "ahead, because others have drawn so many");
    assert!(matches!(ends_with(2)[..], [Violation::DuplicateWithoutDrift { .. }]));
}

#[test]
fn a_system_that_does_not_come_back_is_seen() {
    assert!(matches!(found(&[entry(1.0, Event::Stuck("gone".to_owned()))])[..], [Violation::Stuck { .. }]));
}
