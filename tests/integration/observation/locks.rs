//! Locks of other sessions: only what is locked is unreadable, and other sessions wait for pgmedic only briefly.

use crate::support::{Database, LONG_TIMEOUTS, Running, wait_until, wait_until_blocked_on};
use serde_json::json;
use sqlx::Connection;

const QUICK: &str = "[sequences]\nlock_timeout = \"20ms\"\n";

async fn three_tables() -> Database {
    let mut database = Database::new().await;
    for table in ["a", "b", "c"] {
        database.sql(&format!("CREATE TABLE {table} (id serial PRIMARY KEY); INSERT INTO {table} VALUES (7)")).await;
    }
    database
}

#[tokio::test]
async fn a_locked_table_is_unreadable_and_its_neighbors_in_the_batch_are_repaired() {
    let mut database = three_tables().await;
    let mut other = database.connect().await;
    let mut transaction = other.begin().await.unwrap();
    sqlx::query("LOCK TABLE b IN ACCESS EXCLUSIVE MODE").execute(&mut *transaction).await.unwrap();

    let outcome = database.once_with(QUICK, &[]).exits(3);
    outcome.shows("public.a_id_seq", json!({ "verdict": "behind", "max_id": 7 }));
    outcome.shows("public.c_id_seq", json!({ "verdict": "behind", "max_id": 7 }));
    outcome.shows("public.b_id_seq", json!({ "verdict": "unreadable", "next_value": null, "max_id": null }));
    let reason = outcome.reason("public.b_id_seq");
    assert!(reason.contains("another session held a lock on public.b_id_seq or public.b"), "{reason}");
    assert!(reason.contains("lock_timeout (20ms), or waited for one that pgmedic held; look again"), "{reason}");

    transaction.rollback().await.unwrap();
    database.once_with(QUICK, &[]).exits(0).shows("public.b_id_seq", json!({ "verdict": "behind", "max_id": 7 }));
    assert_eq!(database.nextval("b_id_seq").await, 8);
}

#[tokio::test]
async fn a_drop_that_is_not_committed_makes_one_sequence_unreadable_while_it_lasts() {
    let database = three_tables().await;
    let mut other = database.connect().await;
    let mut transaction = other.begin().await.unwrap();
    // DROP takes an ACCESS EXCLUSIVE lock, on the sequence and on the default of its table.
    sqlx::raw_sql("ALTER TABLE b ALTER id DROP DEFAULT; DROP SEQUENCE b_id_seq")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let outcome = database.once_with(QUICK, &[]).exits(3);
    outcome.shows("public.b_id_seq", json!({ "verdict": "unreadable" }));
    outcome.shows("public.c_id_seq", json!({ "verdict": "behind" }));
    transaction.rollback().await.unwrap();
    database.once_with(QUICK, &[]).exits(0).shows("public.b_id_seq", json!({ "verdict": "behind", "max_id": 7 }));
}

#[tokio::test]
async fn discovery_waits_for_no_lock_at_all() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE s; CREATE TABLE t (id bigint DEFAULT nextval('s'), other text DEFAULT 'x' || nextval('s'));
             CREATE VIEW v AS SELECT * FROM t; ALTER VIEW v ALTER id SET DEFAULT nextval('s');
             INSERT INTO t VALUES (7)",
        )
        .await;
    let mut other = database.connect().await;
    let mut transaction = other.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE t, v IN ACCESS EXCLUSIVE MODE").execute(&mut *transaction).await.unwrap();
    let outcome = database.once_with(QUICK, &[]).exits(3);
    // The pass was completed. It is not when the catalog cannot be read.
    assert_eq!(outcome.database()["error"], json!(null));
    outcome.shows("public.s", json!({ "verdict": "unreadable" }));
    transaction.rollback().await.unwrap();
}

#[tokio::test]
async fn a_leap_that_an_open_transaction_blocks_is_made_by_an_advance() {
    let mut database = three_tables().await;
    database.sql("ALTER SEQUENCE b_id_seq CACHE 5").await;
    let mut other = database.connect().await;
    let mut transaction = other.begin().await.unwrap();
    // An insert keeps its lock on the sequence until its transaction ends.
    sqlx::query("SELECT setval('b_id_seq', 2, false)").execute(&mut *transaction).await.unwrap();

    let outcome = database.once_with(QUICK, &[]).exits(0);
    outcome.repair("public.a_id_seq", json!({ "outcome": "repaired" }));
    outcome.repair("public.b_id_seq", json!({ "outcome": "repaired", "method": "advance" }));
    let reason = outcome.repair_reason("public.b_id_seq");
    assert!(reason.contains("sessions that hold cached values (CACHE 5)"), "{reason}");
    transaction.commit().await.unwrap();
    assert!(database.number("INSERT INTO b DEFAULT VALUES RETURNING id::bigint").await > 7);
}

#[tokio::test]
async fn what_another_session_is_altering_is_not_moved_and_fails() {
    let database = three_tables().await;
    let mut other = database.connect().await;
    let mut transaction = other.begin().await.unwrap();
    sqlx::raw_sql("ALTER SEQUENCE b_id_seq CACHE 1").execute(&mut *transaction).await.unwrap();
    let outcome = database.once_with(QUICK, &[]).exits(1);
    outcome.repair("public.b_id_seq", json!({ "outcome": "failed", "method": "advance", "next_value": null }));
    let reason = outcome.repair_reason("public.b_id_seq");
    assert!(reason.contains("another session held public.b_id_seq in an open transaction"), "{reason}");
    assert!(reason.contains("lock_timeout (20ms), or waited for one that pgmedic held"), "{reason}");
    assert_eq!(outcome.json()["summary"]["failed"], 1);
    transaction.rollback().await.unwrap();
    let outcome = database.once_with(QUICK, &[]).exits(0);
    outcome.repair("public.b_id_seq", json!({ "outcome": "repaired", "method": "advance", "next_value": 8 }));
}

#[tokio::test]
async fn an_advance_waits_for_no_session_that_only_inserts() {
    let database = three_tables().await;
    let mut other = database.connect().await;
    let mut transaction = other.begin().await.unwrap();
    let taken = sqlx::query("SELECT nextval('b_id_seq')").fetch_one(&mut *transaction).await.unwrap();
    assert_eq!(sqlx::Row::get::<i64, _>(&taken, 0), 1);
    let outcome = database.once_with(QUICK, &[]).exits(0);
    outcome.repair("public.b_id_seq", json!({ "outcome": "repaired", "method": "advance", "next_value": 8 }));
    transaction.rollback().await.unwrap();
}

#[tokio::test]
async fn a_pass_that_waits_goes_on_when_the_lock_is_released() {
    let mut database = three_tables().await;
    let mut other = database.connect().await;
    let mut transaction = other.begin().await.unwrap();
    sqlx::query("LOCK TABLE b IN ACCESS EXCLUSIVE MODE").execute(&mut *transaction).await.unwrap();
    let running = Running::once_with(&database, LONG_TIMEOUTS, &[]);
    wait_until_blocked_on(&mut database.connection, "b").await;
    transaction.rollback().await.unwrap();
    running.outcome().await.exits(0).shows("public.b_id_seq", json!({ "verdict": "behind", "max_id": 7 }));
}

#[tokio::test]
async fn nothing_stays_open_or_locked_when_a_run_is_over() {
    let mut database = three_tables().await;
    database.once(&[]).exits(0);
    wait_until(
        &mut database.connection,
        "SELECT NOT EXISTS (SELECT FROM pg_stat_activity
                            WHERE application_name = 'pgmedic' AND datname = current_database())
            AND NOT EXISTS (SELECT FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname =
                            current_database()) AND pid <> pg_backend_pid())",
    )
    .await;
}
