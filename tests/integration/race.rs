//! Law 1 under fire: no repair ever moves a sequence back.
//!
//! The check is airtight because it does not wait for a duplicate key: every value that a sequence gives to an insert
//! is kept, also of the inserts that failed. A sequence that never moves back gives no value twice, gives each client
//! rising values, and meets only those ids that were put in its way by hand.

mod burnt;
mod field;
mod seen;

use field::{Mender, Order, TARGETS, Target, field, fight, repair};
use pgmedic::report::Verdict;
use pgmedic_core::sequence::Method;

/// Of putting ids ahead and repairing.
const ROUNDS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repairs_beside_six_inserting_clients_cause_no_duplicate() {
    let mut database = field().await;
    let seen = fight(&mut database, Order { mender: Mender::Pass, saboteur: false, rounds: ROUNDS }).await;
    println!("{} inserts", seen.inserts());
    let wrongs = seen.wrongs();
    assert!(wrongs.given_twice.is_empty(), "{:?}", wrongs.given_twice);
    assert!(wrongs.out_of_order.is_empty(), "{:?}", wrongs.out_of_order);
    assert!(wrongs.collisions.is_empty(), "{:?}", wrongs.collisions);
    assert!(seen.backward.is_empty(), "{:?}", seen.backward);
    assert_eq!((seen.failures(), seen.unreadable()), (vec![], vec![]));
    // Two targets each; a busy machine may let the clients reach an id before the repair does.
    for method in [Method::Advance, Method::Leap] {
        assert!(seen.repaired_by(method) >= ROUNDS, "{method:?}: {} of {}", seen.repaired_by(method), 2 * ROUNDS);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_saboteur_is_ever_seen_moving_a_sequence_back() {
    let mut database = field().await;
    let seen = fight(&mut database, Order { mender: Mender::Pass, saboteur: true, rounds: ROUNDS }).await;
    println!("{} inserts, {} sabotages, {} repairs failed", seen.inserts(), seen.sabotages, seen.failures().len());
    assert!(seen.backward.is_empty(), "{:?}", seen.backward);
    assert!(seen.sabotages >= ROUNDS, "only {} sabotages", seen.sabotages);
    assert!(!seen.wrongs().collisions.is_empty(), "the saboteur did no harm");
    for method in [Method::Advance, Method::Leap] {
        assert!(seen.repaired_by(method) >= ROUNDS, "{method:?}: {}", seen.repaired_by(method));
    }
    // When the saboteur is gone, one pass repairs everything.
    repair(&database).await;
    assert!(repair(&database).await.iter().all(|finding| finding.verdict == Verdict::InSync));
    for target in &TARGETS {
        database.sql(&format!("INSERT INTO {} DEFAULT VALUES", target.table)).await;
    }
}

/// Or else the two tests above prove nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_fight_shows_what_setval_to_the_maximum_does() {
    let mut database = field().await;
    let seen = fight(&mut database, Order { mender: Mender::SetvalMax, saboteur: false, rounds: 15 * ROUNDS }).await;
    let wrongs = seen.wrongs();
    println!(
        "{} inserts, {} given twice, {} out of order, {} collisions, {} seen moving back",
        seen.inserts(),
        wrongs.given_twice.len(),
        wrongs.out_of_order.len(),
        wrongs.collisions.len(),
        seen.backward.len()
    );
    assert!(!wrongs.given_twice.is_empty());
    assert!(!wrongs.collisions.is_empty());
    assert!(!seen.backward.is_empty());
}

#[tokio::test]
async fn a_deleted_top_id_is_never_handed_out_again() {
    let mut database = field().await;
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

        // Nor by a repair that has something to repair: an id ahead, deleted after the look.
        let ahead = target.put_ahead(&mut database.connection).await;
        repair(&database).await;
        database.sql(&format!("DELETE FROM {table}")).await;
        repair(&database).await;
        let next = database.number(&format!("INSERT INTO {table} DEFAULT VALUES RETURNING id")).await;
        assert!((next - ahead) * further > 0, "{table}: {next} after {ahead}");
    }
}
