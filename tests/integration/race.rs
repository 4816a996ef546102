//! Law 1 under concurrent inserts: no repair ever moves a sequence back.
//!
//! The check does not wait for a duplicate key. It records every value that a sequence gives to an insert, including
//! inserts that fail. A sequence that never moves back hands out no value twice, gives each client increasing values,
//! and collides only with ids that the test inserted ahead of it.

mod burnt;
mod run;
mod seen;

use pgmedic::report::Verdict;
use pgmedic_core::sequence::Method;
use run::{Race, RepairKind, TARGETS, Target, race_tables, repair, run_race};

/// The number of rounds, each of which inserts ids ahead and repairs.
const ROUNDS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repairs_beside_six_inserting_clients_cause_no_duplicate() {
    let mut database = race_tables().await;
    let seen = run_race(&mut database, Race { repair: RepairKind::Pass, saboteur: false, rounds: ROUNDS }).await;
    println!("{} inserts", seen.inserts());
    let violations = seen.violations();
    assert!(violations.given_twice.is_empty(), "{:?}", violations.given_twice);
    assert!(violations.out_of_order.is_empty(), "{:?}", violations.out_of_order);
    assert!(violations.collisions.is_empty(), "{:?}", violations.collisions);
    assert!(seen.backward.is_empty(), "{:?}", seen.backward);
    assert_eq!((seen.failures(), seen.unreadable()), (vec![], vec![]));
    // Two targets for each method. On a busy machine, clients may reach an id before the repair does.
    for method in [Method::Advance, Method::Leap] {
        assert!(seen.repaired_by(method) >= ROUNDS, "{method:?}: {} of {}", seen.repaired_by(method), 2 * ROUNDS);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_saboteur_is_ever_seen_moving_a_sequence_back() {
    let mut database = race_tables().await;
    let seen = run_race(&mut database, Race { repair: RepairKind::Pass, saboteur: true, rounds: ROUNDS }).await;
    println!("{} inserts, {} sabotages, {} repairs failed", seen.inserts(), seen.sabotages, seen.failures().len());
    assert!(seen.backward.is_empty(), "{:?}", seen.backward);
    assert!(seen.sabotages >= ROUNDS, "only {} sabotages", seen.sabotages);
    assert!(!seen.violations().collisions.is_empty(), "the saboteur did no harm");
    for method in [Method::Advance, Method::Leap] {
        assert!(seen.repaired_by(method) >= ROUNDS, "{method:?}: {}", seen.repaired_by(method));
    }
    // After the saboteur has ended, one pass repairs everything.
    repair(&database).await;
    assert!(repair(&database).await.iter().all(|finding| finding.verdict == Verdict::InSync));
    for target in &TARGETS {
        database.sql(&format!("INSERT INTO {} DEFAULT VALUES", target.table)).await;
    }
}

/// The control: without this violation, the two tests above would prove nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_race_shows_what_setval_to_the_maximum_does() {
    let mut database = race_tables().await;
    let seen =
        run_race(&mut database, Race { repair: RepairKind::SetvalMax, saboteur: false, rounds: 15 * ROUNDS }).await;
    let violations = seen.violations();
    println!(
        "{} inserts, {} given twice, {} out of order, {} collisions, {} seen moving back",
        seen.inserts(),
        violations.given_twice.len(),
        violations.out_of_order.len(),
        violations.collisions.len(),
        seen.backward.len()
    );
    assert!(!violations.given_twice.is_empty());
    assert!(!violations.collisions.is_empty());
    assert!(!seen.backward.is_empty());
}

#[tokio::test]
async fn a_deleted_top_id_is_never_handed_out_again() {
    let mut database = race_tables().await;
    for target in &TARGETS {
        let Target { table, increment, .. } = target;
        let insert = format!("INSERT INTO {table} SELECT nextval('{table}_id_seq') FROM generate_series(1, 30)");
        database.sql(&insert).await;
        let further = increment.signum();
        let last = database.number(&format!("SELECT {further} * max({further} * id) FROM {table}")).await;
        database
            .sql(&format!("DELETE FROM {table} WHERE {further} * id > {further} * {last} - 15 * abs({increment})"))
            .await;
        assert!(repair(&database).await.iter().all(|finding| finding.verdict == Verdict::InSync));
        let next = database.number(&format!("INSERT INTO {table} DEFAULT VALUES RETURNING id")).await;
        assert_eq!(next, last + increment, "{table}");

        // A repair that has drift to repair does not return to it either: an id ahead, deleted after the pass has read
        // it.
        let ahead = target.put_ahead(&mut database.connection).await;
        repair(&database).await;
        database.sql(&format!("DELETE FROM {table}")).await;
        repair(&database).await;
        let next = database.number(&format!("INSERT INTO {table} DEFAULT VALUES RETURNING id")).await;
        assert!((next - ahead) * further > 0, "{table}: {next} after {ahead}");
    }
}
