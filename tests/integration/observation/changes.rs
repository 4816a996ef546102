//! Changes by other sessions during a pass: drop, replace, rename, terminate its connection.

use crate::support::{Database, LONG_TIMEOUTS, Outcome, Running, wait_until_blocked_on};
use serde_json::{Value, json};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};

/// Blocks a pass at table `a`, changes `b` or `c`, which follow in the same batch, and lets it continue.
async fn meanwhile(happens: &str) -> Outcome {
    let mut database = Database::new().await;
    for table in ["a", "b", "c"] {
        database.sql(&format!("CREATE TABLE {table} (id serial PRIMARY KEY); INSERT INTO {table} VALUES (7)")).await;
    }
    let mut other = database.connect().await;
    let mut transaction = other.begin().await.unwrap();
    sqlx::query("LOCK TABLE a IN ACCESS EXCLUSIVE MODE").execute(&mut *transaction).await.unwrap();
    let running = Running::once_with(&database, LONG_TIMEOUTS, &[]);
    wait_until_blocked_on(&mut database.connection, "a").await;
    database.sql(happens).await;
    transaction.rollback().await.unwrap();
    running.outcome().await
}

fn neighbors_are_repaired(outcome: &Outcome) {
    for table in ["a", "c"] {
        outcome.repair(&format!("public.{table}_id_seq"), json!({ "outcome": "repaired", "next_value": 8 }));
    }
    assert_eq!(outcome.database()["error"], Value::Null);
}

#[tokio::test]
async fn a_dropped_table_is_unreadable_and_nothing_else() {
    let outcome = meanwhile("DROP TABLE b").await.exits(3);
    neighbors_are_repaired(&outcome);
    outcome.shows("public.b_id_seq", json!({ "verdict": "unreadable", "next_value": null, "repair": null }));
    let reason = outcome.reason("public.b_id_seq");
    assert!(reason.contains("dropped or renamed during the pass") && reason.contains("b_id_seq"), "{reason}");
}

#[tokio::test]
async fn a_renamed_column_is_unreadable_and_nothing_else() {
    let outcome = meanwhile("ALTER TABLE b RENAME id TO no").await.exits(3);
    neighbors_are_repaired(&outcome);
    assert!(outcome.reason("public.b_id_seq").contains("dropped or renamed during the pass"));
}

#[tokio::test]
async fn a_table_created_anew_is_not_taken_for_the_old_one() {
    let outcome = meanwhile(
        "ALTER SEQUENCE b_id_seq OWNED BY NONE; DROP TABLE b CASCADE;
         CREATE TABLE b (id integer PRIMARY KEY); INSERT INTO b VALUES (500)",
    )
    .await
    .exits(3);
    neighbors_are_repaired(&outcome);
    outcome.shows("public.b_id_seq", json!({ "verdict": "unreadable", "max_id": null }));
    assert!(outcome.reason("public.b_id_seq").contains("altered or replaced during the pass"));
}

#[tokio::test]
async fn a_sequence_created_anew_is_not_taken_for_the_old_one() {
    let outcome = meanwhile("ALTER TABLE b ALTER id DROP DEFAULT; DROP SEQUENCE b_id_seq; CREATE SEQUENCE b_id_seq")
        .await
        .exits(3);
    neighbors_are_repaired(&outcome);
    assert!(outcome.reason("public.b_id_seq").contains("altered or replaced during the pass"));
}

/// The same, as a role that owns nothing and may read everything when the pass begins.
async fn meanwhile_to_a_reader(happens: &str) -> Outcome {
    let mut database = Database::new().await;
    let role = database.role("reader");
    for table in ["a", "b", "c"] {
        database.sql(&format!("CREATE TABLE {table} (id serial PRIMARY KEY); INSERT INTO {table} VALUES (7)")).await;
    }
    database
        .sql(&format!(
            "CREATE ROLE {role} LOGIN;
             GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role};
             GRANT SELECT, USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"
        ))
        .await;
    let mut other = database.connect().await;
    let mut transaction = other.begin().await.unwrap();
    sqlx::query("LOCK TABLE a IN ACCESS EXCLUSIVE MODE").execute(&mut *transaction).await.unwrap();
    let running = Running::once_with_as(&database, &role, LONG_TIMEOUTS, &["--dry-run"]);
    wait_until_blocked_on(&mut database.connection, "a").await;
    database.sql(&happens.replace("{role}", &role)).await;
    transaction.rollback().await.unwrap();
    let outcome = running.outcome().await.exits(3);
    outcome.shows("public.a_id_seq", json!({ "verdict": "behind", "max_id": 7 }));
    outcome.shows("public.b_id_seq", json!({ "verdict": "unreadable", "max_id": null }));
    outcome.shows("public.c_id_seq", json!({ "verdict": "behind", "max_id": 7 }));
    outcome
}

#[tokio::test]
async fn a_privilege_revoked_meanwhile_makes_one_sequence_unreadable() {
    let outcome = meanwhile_to_a_reader("REVOKE SELECT ON b FROM {role}").await;
    assert!(outcome.reason("public.b_id_seq").contains("permission denied"));
}

#[tokio::test]
async fn a_policy_made_meanwhile_hides_no_rows_silently() {
    let outcome =
        meanwhile_to_a_reader("ALTER TABLE b ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON b USING (id < 2)").await;
    assert!(outcome.reason("public.b_id_seq").contains("row-level security"));
}

async fn end_its_connections(connection: &mut PgConnection) {
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE application_name = 'pgmedic' AND datname = current_database()";
    sqlx::query(AssertSqlSafe(end)).execute(connection).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_is_ended_while_reading_is_said_to_be_lost() {
    let mut database = Database::new().await;
    database
        .sql("CREATE TABLE a (id serial PRIMARY KEY); CREATE TABLE b (id serial PRIMARY KEY); INSERT INTO b VALUES (7)")
        .await;
    let mut other = database.connect().await;
    let mut transaction = other.begin().await.unwrap();
    sqlx::query("LOCK TABLE a IN ACCESS EXCLUSIVE MODE").execute(&mut *transaction).await.unwrap();
    let running = Running::once_with(&database, LONG_TIMEOUTS, &[]);
    wait_until_blocked_on(&mut database.connection, "a").await;
    end_its_connections(&mut database.connection).await;

    let outcome = running.outcome().await.exits(1);
    let error = outcome.database()["error"].clone();
    assert_eq!(error["kind"], "connection_lost");
    assert!(outcome.error().contains("the connection was lost: terminating connection"), "{error}");
    for sequence in ["public.a_id_seq", "public.b_id_seq"] {
        outcome.shows(sequence, json!({ "verdict": "unreadable", "repair": null }));
    }
    transaction.rollback().await.unwrap();
    assert_eq!(database.nextval("b_id_seq").await, 1);
}

#[tokio::test]
async fn a_connection_that_is_ended_during_a_leap_leaves_nothing_half_done() {
    let mut database = Database::new().await;
    database
        .sql("CREATE TABLE t (id serial PRIMARY KEY); ALTER SEQUENCE t_id_seq CACHE 3; INSERT INTO t VALUES (7)")
        .await;
    let mut other = database.connect().await;
    let mut transaction = other.begin().await.unwrap();
    sqlx::query("SELECT setval('t_id_seq', 2, false)").execute(&mut *transaction).await.unwrap();
    let running = Running::once_with(&database, LONG_TIMEOUTS, &[]);
    wait_until_blocked_on(&mut database.connection, "t_id_seq").await;
    end_its_connections(&mut database.connection).await;

    let outcome = running.outcome().await.exits(1);
    outcome.repair("public.t_id_seq", json!({ "outcome": "failed", "method": "leap", "next_value": null }));
    assert!(outcome.repair_reason("public.t_id_seq").contains("the connection was lost"));
    assert!(outcome.error().contains("the connection was lost"));
    transaction.rollback().await.unwrap();
    // The state that setval left, which no rollback undoes.
    assert_eq!(database.nextval("t_id_seq").await, 2);
}
