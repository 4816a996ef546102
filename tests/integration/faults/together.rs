//! Many repairs in one message: a failure of one does not affect the others.

use super::{LONG_TIMEOUTS, behind, behind_and_cached, run, state};
use crate::support::{Database, Proxy, pgmedic, server, waiting};
use serde_json::json;

/// Creates the tables `t1` to `t<count>`, each with ids up to `max_id` and the next value 1.
async fn all_behind(database: &mut Database, count: u32, max_id: u32) {
    let create = "CREATE TABLE t%s (id serial PRIMARY KEY)";
    database
        .sql(&format!(
            "DO $$ BEGIN FOR i IN 1..{count} LOOP
                 EXECUTE format('{create}', i);
                 EXECUTE format('INSERT INTO t%s VALUES ({max_id})', i);
             END LOOP; END $$"
        ))
        .await;
}

/// Repairs this many sequences, and returns the number of round trips.
fn round_trips(database: &Database, count: u32) -> usize {
    let proxy = Proxy::to(&server().tcp_url(&database.name).expect("a server that listens"));
    let outcome = pgmedic(&[("DATABASE_URL", proxy.url())], &["--once", "--format", "json"]).exits(0);
    assert_eq!(outcome.json()["summary"]["repaired"], count);
    proxy.round_trips()
}

#[tokio::test]
async fn a_thousand_are_repaired_in_a_hundred_round_trips() {
    let mut database = Database::new().await;
    all_behind(&mut database, 1000, 7).await;
    let took = round_trips(&database, 1000);
    assert!((10..=100).contains(&took), "{took} round trips");
    let in_sync = database.once(&["--dry-run"]).exits(0);
    assert_eq!(in_sync.json()["summary"]["in_sync"], 1000);
    database.forgets_the_pass().await;
}

#[tokio::test]
async fn those_that_take_longer_have_a_message_each() {
    let mut database = Database::new().await;
    all_behind(&mut database, 60, 60_000).await;
    let took = round_trips(&database, 60);
    assert!((60..=90).contains(&took), "{took} round trips");
}

#[tokio::test]
async fn one_that_another_session_alters_fails_alone() {
    let mut database = Database::new().await;
    database.sql(&[behind("first"), behind("altered"), behind("last")].concat()).await;
    let mut holder = database.connect().await;
    run(&mut holder, "BEGIN; ALTER SEQUENCE altered_id_seq OWNED BY altered.id").await;
    let outcome = database.start(&[]).outcome().await.exits(1);
    for name in ["first", "last"] {
        let repair = &outcome.sequence(&format!("public.{name}_id_seq"))["repair"];
        assert_eq!((&repair["outcome"], &repair["next_value"]), (&"repaired".into(), &696.into()), "{name}");
    }
    let repair = &outcome.sequence("public.altered_id_seq")["repair"];
    assert_eq!(repair["outcome"], "failed");
    assert!(
        repair["reason"]["text"].as_str().is_some_and(|reason| reason.contains("lock_timeout (100ms)")),
        "{repair:#}"
    );
    assert_eq!(state(&mut database, "altered_id_seq").await.0, 658);
    run(&mut holder, "ROLLBACK").await;
    database.once(&[]).exits(0).repair("public.altered_id_seq", json!({ "next_value": 696 }));
    database.forgets_the_pass().await;
}

#[tokio::test]
async fn none_is_locked_while_another_one_is_waited_for() {
    let mut database = Database::new().await;
    database.sql(&[behind("first"), behind("altered"), behind("last")].concat()).await;
    let mut holder = database.connect().await;
    run(&mut holder, "BEGIN; ALTER SEQUENCE altered_id_seq OWNED BY altered.id").await;
    let pass = database.start(&LONG_TIMEOUTS);
    database.pass_waits_in("advance").await;
    assert_eq!(state(&mut database, "first_id_seq").await.0, 695, "it is done, in a separate transaction");
    let mut other = database.connect().await;
    run(
        &mut other,
        "SET lock_timeout = '20s'; ALTER SEQUENCE first_id_seq CACHE 1; ALTER SEQUENCE last_id_seq CACHE 1",
    )
    .await;
    run(&mut holder, "COMMIT").await;
    assert_eq!(pass.outcome().await.exits(0).json()["summary"]["repaired"], 3);
}

#[tokio::test]
async fn one_that_the_server_refuses_to_move_fails_alone() {
    let mut database = Database::new().await;
    database.sql(&[behind("first"), behind("used_up"), behind("last")].concat()).await;
    let mut holder = database.connect().await;
    run(&mut holder, "BEGIN; ALTER SEQUENCE first_id_seq OWNED BY first.id").await;
    let pass = database.start(&LONG_TIMEOUTS);
    database.pass_waits_in("advance").await;
    database.sql("ALTER SEQUENCE used_up_id_seq MAXVALUE 660").await;
    run(&mut holder, "COMMIT").await;
    let outcome = pass.outcome().await.exits(1);
    for name in ["first", "last"] {
        outcome.repair(&format!("public.{name}_id_seq"), json!({ "outcome": "repaired", "next_value": 696 }));
    }
    outcome.repair("public.used_up_id_seq", json!({ "outcome": "failed", "method": "advance" }));
    let reason = outcome.repair_reason("public.used_up_id_seq");
    assert!(reason.contains("2200H"), "{reason}");
}

#[tokio::test]
async fn what_is_only_looked_at_is_skipped_also_where_the_connection_is_lost() {
    let mut database = Database::new().await;
    // The first is judged by its max id alone, because it is only a part of its key. The other is walked.
    let part_of_key = "CREATE TABLE first (id serial, part integer DEFAULT 0, PRIMARY KEY (id, part));
                       INSERT INTO first SELECT generate_series(1, 695); SELECT setval('first_id_seq', 658);";
    database.sql(&[part_of_key, &behind("locked")].concat()).await;
    let (mut holder, mut next_holder) = (database.connect().await, database.connect().await);
    run(&mut holder, "BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE").await;
    let pass = database.start(&[LONG_TIMEOUTS.as_slice(), &[("PGMEDIC_SEQUENCES__REPAIR", "false")]].concat());
    database.pass_waits_in("observe").await;
    // This one gets the lock between the read of the max id and the walk.
    let next_lock = tokio::spawn(async move {
        run(&mut next_holder, "BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE").await;
        next_holder
    });
    let queues =
        "SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock' AND relation = 'locked'::regclass";
    database.wait_for_condition(&format!("EXISTS ({queues})")).await;
    run(&mut holder, "COMMIT").await;
    let _next_holder = next_lock.await.expect("the lock");
    database.pass_waits_in("observe").await;
    database.row(&format!("SELECT pg_terminate_backend(pid) {}", waiting("observe"))).await;
    let outcome = pass.outcome().await.exits(1);
    assert_eq!(outcome.sequence("public.locked_id_seq")["verdict"], "unreadable");
    outcome.repair("public.first_id_seq", json!({ "outcome": "skipped", "method": "advance" }));
}

#[tokio::test]
async fn advances_are_looked_at_before_a_leap_is_waited_for() {
    let mut database = Database::new().await;
    database.sql(&[behind_and_cached("leapt"), behind("near")].concat()).await;
    let mut holder = database.connect().await;
    run(&mut holder, "BEGIN; ALTER SEQUENCE leapt_id_seq OWNED BY leapt.id").await;
    let pass = database.start(&LONG_TIMEOUTS);
    database.pass_waits_in("leap").await;
    database.row(&format!("SELECT pg_terminate_backend(pid) {}", waiting("leap"))).await;
    let outcome = pass.outcome().await.exits(1);
    outcome.repair("public.near_id_seq", json!({ "outcome": "repaired", "next_value": 696 }));
    assert_eq!(outcome.sequence("public.leapt_id_seq")["repair"]["outcome"], "failed");
}
