//! What is repaired, which errors are returned unchanged, and what remains in a transaction.

use super::{LOGIN, drifted, fails_at_once, insert, insert_within};
use crate::support::Database;
use pgmedic_login::{InlineRepairLimits, retry_after_repair};
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{Connection, Row};

const SEQUENCE: &str = "public.user_sessions_session_id_seq";

#[tokio::test]
async fn a_login_that_meets_drift_moves_the_sequence_and_succeeds() {
    let mut database = drifted().await;
    let (repaired, runs) = insert(&mut database.connection, LOGIN).await;
    let repaired = repaired.unwrap();
    assert_eq!((repaired.value, repaired.attempts, runs), (696, 2, 2));
    // The failed insert has used up 658.
    let [repair] = repaired.repairs.as_slice() else { panic!("{:?}", repaired.repairs) };
    assert_eq!((repair.sequence.as_str(), repair.from, repair.to), (SEQUENCE, 659, 695));
    assert_eq!(database.nextval(SEQUENCE).await, 697);
}

#[tokio::test]
async fn a_login_on_a_pool_is_committed_and_can_be_spawned() {
    let mut database = drifted().await;
    let pool = PgPool::connect(database.url()).await.unwrap();
    let login = tokio::spawn(async move {
        retry_after_repair(&pool, InlineRepairLimits::default(), async |connection| {
            sqlx::query(LOGIN).fetch_one(connection).await?.try_get::<i64, _>(0)
        })
        .await
    });
    assert_eq!(login.await.unwrap().unwrap().value, 696);
    assert_eq!(database.number("SELECT count(*) FROM user_sessions WHERE session_id = 696").await, 1);
}

#[tokio::test]
async fn a_healthy_login_runs_once_and_moves_nothing() {
    let mut database = drifted().await;
    database.sql("SELECT setval('user_sessions_session_id_seq', 695)").await;
    let repaired = insert(&mut database.connection, LOGIN).await.0.unwrap();
    assert_eq!((repaired.value, repaired.attempts, repaired.repairs.len()), (696, 1, 0));
    assert_eq!(database.nextval(SEQUENCE).await, 697);
}

#[tokio::test]
async fn a_duplicate_token_is_never_retried_even_when_the_sequence_is_behind() {
    let mut database = drifted().await;
    let taken = "INSERT INTO user_sessions (session_id, user_id, token) VALUES (5000, 7, 'token 3')
                 RETURNING session_id::bigint";
    fails_at_once(insert(&mut database.connection, taken).await, "23505");
    assert_eq!(database.number("SELECT last_value FROM user_sessions_session_id_seq").await, 658);
}

#[tokio::test]
async fn a_taken_id_that_the_application_chose_is_not_retried() {
    let mut database = drifted().await;
    database.sql("SELECT setval('user_sessions_session_id_seq', 695)").await;
    let chosen = "INSERT INTO user_sessions (session_id, user_id) VALUES (5, 7) RETURNING session_id::bigint";
    fails_at_once(insert(&mut database.connection, chosen).await, "23505");
    // The same after this session has drawn values from the sequence.
    insert(&mut database.connection, LOGIN).await.0.unwrap();
    fails_at_once(insert(&mut database.connection, chosen).await, "23505");
    assert_eq!(database.nextval(SEQUENCE).await, 697);
}

#[tokio::test]
async fn an_expired_row_that_was_not_purged_is_no_drift() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE sessions (id serial PRIMARY KEY, user_id integer UNIQUE, expires_at timestamptz);
             INSERT INTO sessions (user_id, expires_at) VALUES (7, now() - interval '1 day');
             CREATE TABLE by_token (token text PRIMARY KEY, number serial, expires_at timestamptz);
             INSERT INTO by_token VALUES ('t', 1, now() - interval '1 day');
             SELECT setval('sessions_id_seq', 90)",
        )
        .await;
    let again = "INSERT INTO sessions (user_id) VALUES (7) RETURNING id::bigint";
    fails_at_once(insert(&mut database.connection, again).await, "23505");
    let again = "INSERT INTO by_token (token) VALUES ('t') RETURNING number::bigint";
    fails_at_once(insert(&mut database.connection, again).await, "23505");
}

#[tokio::test]
async fn other_errors_are_returned_unchanged() {
    let mut database = drifted().await;
    let null = "INSERT INTO user_sessions (user_id) VALUES (NULL) RETURNING session_id::bigint";
    fails_at_once(insert(&mut database.connection, null).await, "23502");
    fails_at_once(insert(&mut database.connection, "SELECT 1 / 0").await, "22012");
    let mut runs = 0;
    let result = retry_after_repair(&mut database.connection, InlineRepairLimits::default(), async |_| {
        runs += 1;
        Err::<(), _>(sqlx::Error::RowNotFound)
    });
    assert!(matches!(result.await, Err(sqlx::Error::RowNotFound)));
    assert_eq!(runs, 1);
}

#[tokio::test]
async fn in_a_transaction_everything_done_before_remains() {
    let mut database = drifted().await;
    database.sql("CREATE TABLE audit (line text)").await;
    let mut transaction = database.connection.begin().await.unwrap();
    sqlx::raw_sql("INSERT INTO audit VALUES ('before'); SET LOCAL lock_timeout = '7s'; SET LOCAL search_path = public")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let repaired = insert(&mut transaction, LOGIN).await.0.unwrap();
    assert_eq!((repaired.value, repaired.attempts), (696, 2));
    // An insert that fails leaves the transaction as it was, too.
    let taken = "INSERT INTO user_sessions (user_id, token) VALUES (7, 'token 3') RETURNING session_id::bigint";
    fails_at_once(insert(&mut transaction, taken).await, "23505");
    let kept = "SELECT current_setting('lock_timeout') || ' ' || current_setting('search_path') || ' '
                || current_setting('row_security') || ' ' || current_setting('statement_timeout')";
    let kept: String = sqlx::query(kept).fetch_one(&mut *transaction).await.unwrap().get(0);
    assert_eq!(kept, "7s public on 0");
    transaction.commit().await.unwrap();
    assert_eq!(database.number("SELECT count(*) FROM audit").await, 1);
    assert_eq!(database.number("SELECT count(*) FROM user_sessions WHERE session_id > 695").await, 1);
}

#[tokio::test]
async fn a_transaction_begun_with_a_plain_begin_is_not_committed() {
    let mut database = drifted().await;
    database.sql("CREATE TABLE audit (line text)").await;
    database.sql("BEGIN; INSERT INTO audit VALUES ('before')").await;
    assert_eq!(insert(&mut database.connection, LOGIN).await.0.unwrap().value, 696);
    let taken = "INSERT INTO user_sessions (user_id, token) VALUES (7, 'token 3') RETURNING session_id::bigint";
    fails_at_once(insert(&mut database.connection, taken).await, "23505");
    assert_eq!(database.number("SELECT count(*) FROM audit").await, 1);
    database.sql("ROLLBACK").await;
    assert_eq!(database.number("SELECT count(*) FROM audit").await, 0);
    assert_eq!(database.number("SELECT count(*) FROM user_sessions").await, 695);
}

#[tokio::test]
async fn an_insert_that_ignores_an_error_of_the_server_fails() {
    let mut database = drifted().await;
    let mut transaction = database.connection.begin().await.unwrap();
    for _ in 0..2 {
        let silent = retry_after_repair(&mut transaction, InlineRepairLimits::default(), async |connection| {
            let _ = sqlx::query("SELECT 1 / 0").execute(connection).await;
            Ok(())
        });
        let error = silent.await.unwrap_err();
        assert_eq!(error.as_database_error().and_then(|error| error.code()).as_deref(), Some("25P02"));
    }
    transaction.rollback().await.unwrap();
    let silent = retry_after_repair(&mut database.connection, InlineRepairLimits::default(), async |connection| {
        let _ = sqlx::query("SELECT 1 / 0").execute(connection).await;
        Ok(())
    });
    let error = silent.await.unwrap_err();
    assert_eq!(error.as_database_error().and_then(|error| error.code()).as_deref(), Some("25P02"));
    assert_eq!(insert(&mut database.connection, LOGIN).await.0.unwrap().value, 696);
}

#[tokio::test]
async fn an_insert_that_ends_its_transaction_is_told_so() {
    let mut database = drifted().await;
    let committing = async |connection: &mut PgConnection| {
        let mut transaction = connection.begin().await?;
        sqlx::query("SELECT 1").execute(&mut *transaction).await?;
        transaction.commit().await
    };
    let limits = InlineRepairLimits::default();
    let error = retry_after_repair(&mut database.connection, limits, committing).await.unwrap_err();
    assert!(error.to_string().contains("call retry_after_repair with a transaction of yours"), "{error}");
    let mut transaction = database.connection.begin().await.unwrap();
    retry_after_repair(&mut transaction, limits, committing).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(insert(&mut database.connection, LOGIN).await.0.unwrap().value, 696);
}

#[tokio::test]
async fn rolling_back_the_transaction_removes_the_row_and_does_not_rewind_the_sequence() {
    let mut database = drifted().await;
    let mut transaction = database.connection.begin().await.unwrap();
    insert(&mut transaction, LOGIN).await.0.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(database.number("SELECT count(*) FROM user_sessions").await, 695);
    assert_eq!(database.nextval(SEQUENCE).await, 697);
}

#[tokio::test]
async fn an_insert_of_several_statements_leaves_the_work_of_its_last_run_only() {
    let mut database = drifted().await;
    database.sql("CREATE TABLE audit (line text)").await;
    let repaired = retry_after_repair(&mut database.connection, InlineRepairLimits::default(), async |connection| {
        sqlx::query("INSERT INTO audit VALUES ('login')").execute(&mut *connection).await?;
        sqlx::query(LOGIN).fetch_one(connection).await?.try_get::<i64, _>(0)
    });
    assert_eq!(repaired.await.unwrap().attempts, 2);
    assert_eq!(database.number("SELECT count(*) FROM audit").await, 1);
}

#[tokio::test]
async fn a_lag_above_the_limit_is_not_repaired() {
    let mut database = drifted().await;
    let near = InlineRepairLimits::default().with_advance_limit(36);
    fails_at_once(insert_within(&mut database.connection, near, LOGIN).await, "23505");
    assert_eq!(database.number("SELECT last_value FROM user_sessions_session_id_seq").await, 658);
    // The failed insert has used up a value.
    let enough = InlineRepairLimits::default().with_advance_limit(36);
    assert_eq!(insert_within(&mut database.connection, enough, LOGIN).await.0.unwrap().value, 696);
}

#[tokio::test]
async fn a_single_far_id_does_not_exhaust_the_sequence() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id smallserial PRIMARY KEY); INSERT INTO t VALUES (1), (30000)").await;
    let statement = "INSERT INTO t DEFAULT VALUES RETURNING id::bigint";
    fails_at_once(insert(&mut database.connection, statement).await, "23505");
    assert_eq!(database.nextval("t_id_seq").await, 2);
}

#[tokio::test]
async fn an_insert_is_retried_at_most_three_times() {
    let mut database = drifted().await;
    let mut saboteur = database.connect().await;
    let mut runs = 0;
    let result = retry_after_repair(&mut database.connection, InlineRepairLimits::default(), async |connection| {
        runs += 1;
        sqlx::query("SELECT setval('user_sessions_session_id_seq', 658, false)").execute(&mut saboteur).await?;
        sqlx::query(LOGIN).fetch_one(connection).await?.try_get::<i64, _>(0)
    });
    let error = result.await.unwrap_err();
    assert_eq!(error.as_database_error().and_then(|error| error.code()).as_deref(), Some("23505"));
    assert_eq!(runs, 4);
}

#[tokio::test]
async fn without_the_privilege_to_read_the_error_is_returned() {
    let mut database = drifted().await;
    let app = database.role("app");
    database
        .sql(&format!(
            "CREATE ROLE {app} LOGIN; GRANT INSERT, SELECT (user_id) ON user_sessions TO {app};
             GRANT USAGE ON SEQUENCE user_sessions_session_id_seq TO {app}"
        ))
        .await;
    let mut guest = sqlx::PgConnection::connect(&database.url_as(&app)).await.unwrap();
    let login = "INSERT INTO user_sessions (user_id) VALUES (7) RETURNING user_id::bigint";
    fails_at_once(insert(&mut guest, login).await, "23505");
    database.sql(&format!("GRANT SELECT ON user_sessions, user_sessions_session_id_seq TO {app}")).await;
    assert_eq!(insert(&mut guest, LOGIN).await.0.unwrap().value, 696);
}

#[tokio::test]
async fn a_locked_table_does_not_delay_a_login_beyond_the_lock_timeout() {
    let mut database = Database::new().await;
    let mut other = database.connect().await;
    database
        .sql(
            "CREATE SEQUENCE shared; CREATE TABLE a (id bigint PRIMARY KEY DEFAULT nextval('shared'));
             CREATE TABLE b (id bigint PRIMARY KEY DEFAULT nextval('shared')); INSERT INTO a VALUES (1)",
        )
        .await;
    let mut lock = other.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE b").execute(&mut *lock).await.unwrap();
    let statement = "INSERT INTO a DEFAULT VALUES RETURNING id";
    fails_at_once(insert(&mut database.connection, statement).await, "23505");
    lock.rollback().await.unwrap();
    assert_eq!(insert(&mut database.connection, statement).await.0.unwrap().attempts, 1);
}
