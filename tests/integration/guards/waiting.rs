//! Changes by other sessions while a leap waits for its lock: it reads the state again under the lock, and what it leaves
//! in the way is judged anew.

use crate::support::{Database, LONG_TIMEOUTS, Outcome, Running, wait_until_blocked_on};
use serde_json::json;
use sqlx::AssertSqlSafe;

/// Makes a leap past id 40 wait for a transaction that has used the sequence. The transaction then runs `happens` and
/// commits.
async fn while_it_waits(happens: &str) -> (Outcome, Database) {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE t (id serial PRIMARY KEY); ALTER SEQUENCE t_id_seq CACHE 10;
             INSERT INTO t SELECT generate_series(1, 40)",
        )
        .await;
    let mut other = database.connect().await;
    sqlx::raw_sql("BEGIN; SELECT nextval('t_id_seq')").execute(&mut other).await.unwrap();
    let running = Running::once_with(&database, LONG_TIMEOUTS, &[]);
    wait_until_blocked_on(&mut database.connection, "t_id_seq").await;
    sqlx::raw_sql(AssertSqlSafe(format!("{happens}; COMMIT"))).execute(&mut other).await.unwrap();
    (running.outcome().await, database)
}

#[tokio::test]
async fn a_sequence_that_another_session_has_moved_further_is_not_moved_back() {
    let (outcome, mut database) = while_it_waits("SELECT setval('t_id_seq', 1000)").await;
    outcome.exits(0).repair("public.t_id_seq", json!({ "method": "leap", "next_value": 1001 }));
    assert_eq!(database.nextval("t_id_seq").await, 1001);
}

#[tokio::test]
async fn ids_that_were_committed_meanwhile_are_leapt_over_too() {
    let (outcome, mut database) = while_it_waits("INSERT INTO t VALUES (60)").await;
    let outcome = outcome.exits(0);
    outcome.shows("public.t_id_seq", json!({ "max_id": 40 }));
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "method": "leap", "next_value": 61 }));
    assert_eq!(database.nextval("t_id_seq").await, 61);
}

#[tokio::test]
async fn a_poisoned_id_that_was_committed_meanwhile_is_held() {
    let (outcome, mut database) = while_it_waits("INSERT INTO t VALUES (2000000000)").await;
    let outcome = outcome.exits(3);
    let expected = json!({ "outcome": "repaired", "method": "leap", "next_value": 41, "held_by": "far_ids" });
    outcome.repair("public.t_id_seq", expected);
    assert!(outcome.repair_reason("public.t_id_seq").contains("one id, 2000000000"));
    assert_eq!(database.nextval("t_id_seq").await, 41);
}

/// Whether a leap of `t_id_seq` holds a lock on the table while it waits for the sequence.
async fn holds_the_table(made: &str) -> bool {
    let mut database = Database::new().await;
    let role = database.role("owner");
    database
        .sql(&format!(
            "CREATE ROLE {role}; {made}; ALTER SEQUENCE t_id_seq CACHE 10; INSERT INTO t SELECT generate_series(1, 40)",
            made = made.replace("@OWNER@", &role)
        ))
        .await;
    let mut other = database.connect().await;
    sqlx::raw_sql("BEGIN; SELECT nextval('t_id_seq')").execute(&mut other).await.unwrap();
    let running = Running::once_with(&database, LONG_TIMEOUTS, &[]);
    wait_until_blocked_on(&mut database.connection, "t_id_seq").await;
    let held = "SELECT count(*) FROM pg_locks w JOIN pg_locks h USING (pid)
                WHERE w.relation = 't_id_seq'::regclass AND NOT w.granted AND h.relation = 't'::regclass AND h.granted";
    let held = database.number(held).await;
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    running.outcome().await.exits(0).repair("public.t_id_seq", json!({ "outcome": "repaired", "method": "leap" }));
    held == 1
}

#[tokio::test]
async fn a_leap_reads_no_table_and_holds_none_of_any_owner() {
    let of_another = "CREATE TABLE t (id serial PRIMARY KEY); ALTER TABLE t OWNER TO @OWNER@";
    let in_anothers_schema = "CREATE TABLE t (id serial PRIMARY KEY) PARTITION BY RANGE (id);
                              CREATE SCHEMA m AUTHORIZATION @OWNER@; CREATE TABLE m.p PARTITION OF t DEFAULT";
    for made in ["CREATE TABLE t (id serial PRIMARY KEY)", of_another, in_anothers_schema] {
        assert!(!holds_the_table(made).await, "{made}");
    }
}
