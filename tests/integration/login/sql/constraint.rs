//! `pgmedic.repair(schema, table, constraint)`: what drivers tell of a duplicate key.

use super::{CALL, Scene, incident, repair, run};
use crate::support::wait_until;
use sqlx::postgres::{PgConnection, PgDatabaseError};
use sqlx::{AssertSqlSafe, Row};

/// Runs the insert, which meets a duplicate, and returns what the function says of the error's fields.
async fn repaired(application: &mut PgConnection, insert: &str) -> Result<bool, String> {
    let error = sqlx::raw_sql(AssertSqlSafe(insert.to_owned())).execute(&mut *application).await.unwrap_err();
    let error = error.as_database_error().unwrap().downcast_ref::<PgDatabaseError>();
    assert_eq!(error.code(), "23505");
    let row = sqlx::query("SELECT pgmedic.repair($1, $2, $3)")
        .bind(error.schema().unwrap())
        .bind(error.table().unwrap())
        .bind(error.constraint().unwrap())
        .fetch_one(application)
        .await;
    row.map(|row| row.get(0)).map_err(|error| error.as_database_error().unwrap().message().to_owned())
}

const LOGIN: &str = "INSERT INTO user_sessions (user_id) VALUES (7)";

#[tokio::test]
async fn the_fields_of_the_error_are_enough() {
    let scene = incident().await;
    let mut application = scene.application().await;
    assert_eq!(repaired(&mut application, LOGIN).await, Ok(true));
    run(&mut application, LOGIN).await;
}

#[tokio::test]
async fn a_sequence_that_another_session_repaired_first_is_worth_a_second_try_too() {
    let mut scene = incident().await;
    let mut application = scene.application().await;
    sqlx::raw_sql(LOGIN).execute(&mut application).await.unwrap_err();
    assert_eq!(scene.repair(CALL).await, Ok(37));
    let call = "SELECT pgmedic.repair('public', 'user_sessions', 'user_sessions_pkey')";
    let again: bool = sqlx::query(call).fetch_one(&mut application).await.unwrap().get(0);
    assert!(again, "this session had drawn a taken id");
    // A pool may run the call on another connection, which has drawn none.
    let mut other = scene.application().await;
    let again: bool = sqlx::query(call).fetch_one(&mut other).await.unwrap().get(0);
    assert!(again, "the log tells of the repair");
    scene.database.sql("DELETE FROM pgmedic.repair_log").await;
    let again: bool = sqlx::query(call).fetch_one(&mut other).await.unwrap().get(0);
    assert!(!again);
}

/// After a drift, every login asks for the repair. The second one waits for the first one's, and reads nothing.
#[tokio::test]
async fn a_session_that_waited_for_the_repair_of_another_inserts_again_at_once() {
    for (form, answer) in [(CALL, "0"), ("'public', 'user_sessions', 'user_sessions_pkey'", "true")] {
        let mut scene = incident().await;
        let [mut first, mut second] = [scene.application().await, scene.application().await];
        // So that a slow machine changes nothing.
        scene.database.sql("ALTER FUNCTION pgmedic.wait_for_repair(oid) SET lock_timeout = 0").await;
        run(&mut first, "BEGIN").await;
        assert_eq!(repair(&mut first, CALL).await, Ok(38));
        let question = format!("SELECT pgmedic.repair({form})::text");
        let waiting = tokio::spawn(async move {
            let row = sqlx::query(AssertSqlSafe(question)).fetch_one(&mut second).await.unwrap();
            row.get::<String, _>(0)
        });
        let is_waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                              AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))";
        wait_until(&mut scene.database.connection, is_waiting).await;
        // Another repair would move the sequence again.
        scene.database.sql("SELECT setval('user_sessions_session_id_seq', 690, false)").await;
        run(&mut first, "COMMIT").await;
        assert_eq!(waiting.await.unwrap(), answer, "{form}");
        assert_eq!(scene.database.nextval("user_sessions_session_id_seq").await, 690, "{form}");
    }
}

#[tokio::test]
async fn a_session_that_keeps_its_transaction_open_after_a_repair_is_not_waited_for() {
    let mut scene = incident().await;
    let mut first = scene.application().await;
    run(&mut first, "BEGIN").await;
    assert_eq!(repair(&mut first, CALL).await, Ok(38));
    scene.database.sql("SELECT setval('user_sessions_session_id_seq', 690, false)").await;
    assert_eq!(scene.repair(CALL).await, Ok(6));
}

#[tokio::test]
async fn a_duplicate_that_no_sequence_explains_is_false_and_moves_nothing() {
    let mut scene = Scene::new(
        "CREATE TABLE t (id serial PRIMARY KEY, email text UNIQUE, a int, b int, UNIQUE (id, b));
         CREATE UNIQUE INDEX lower_email ON t (lower(email)); CREATE TABLE plain (id int PRIMARY KEY);
         INSERT INTO t (id, email, a, b) VALUES (1, 'a', 1, 1), (50, 'b', 2, 2); INSERT INTO plain VALUES (1)",
    )
    .await;
    scene.may_insert().await;
    scene.database.sql(&format!("GRANT INSERT ON plain TO \"{}\"", scene.app)).await;
    let mut application = scene.application().await;
    for insert in [
        "INSERT INTO t (id, email) VALUES (60, 'a')",
        "INSERT INTO t (id, email) VALUES (60, 'A')",
        "INSERT INTO plain VALUES (1)",
    ] {
        assert_eq!(repaired(&mut application, insert).await, Ok(false), "{insert}");
    }
    for call in [
        "'public', 't', 'no'",
        "'no', 't', 't_pkey'",
        "'public', 'no', 't_pkey'",
        "'public', 't', 't_id_b_key'",
        "NULL, NULL, NULL",
        "'public', 't', 'lower_email'",
    ] {
        let row = sqlx::query(AssertSqlSafe(format!("SELECT COALESCE(pgmedic.repair({call}), true)")));
        assert!(!row.fetch_one(&mut application).await.unwrap().get::<bool, _>(0), "{call}");
    }
    assert_eq!(scene.database.nextval("t_id_seq").await, 1);
    // An id that the application chose, beside a sequence that is not behind.
    scene.database.sql("SELECT setval('t_id_seq', 50)").await;
    assert_eq!(repaired(&mut application, "INSERT INTO t (id) VALUES (50)").await, Ok(false));
}

#[tokio::test]
async fn a_partitions_key_may_hold_the_columns_that_choose_the_partition() {
    let mut scene = Scene::new(
        "CREATE TABLE t (id serial, region int DEFAULT 1, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
         CREATE TABLE one PARTITION OF t FOR VALUES IN (1); INSERT INTO t SELECT generate_series(1, 20), 1",
    )
    .await;
    scene.may_insert().await;
    let mut application = scene.application().await;
    assert_eq!(repaired(&mut application, "INSERT INTO t DEFAULT VALUES").await, Ok(true));
    run(&mut application, "INSERT INTO t DEFAULT VALUES").await;
}

#[tokio::test]
async fn what_the_other_form_refuses_is_refused() {
    let mut scene = incident().await;
    let mut application = scene.application().await;
    scene.database.sql(&format!("REVOKE INSERT (user_id) ON user_sessions FROM \"{}\"", scene.app)).await;
    let refusal = repair(&mut application, CALL).await.unwrap_err();
    let call = "SELECT pgmedic.repair('public', 'user_sessions', 'user_sessions_pkey')";
    let error = sqlx::query(call).fetch_one(&mut application).await.unwrap_err();
    assert_eq!(error.as_database_error().unwrap().message(), refusal);
}
