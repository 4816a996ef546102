//! The retry of a single statement, without a transaction around it.

use super::{LOGIN, drifted};
use pgmedic_login::{InlineRepairLimits, RetryOutcome, repair_after, retry_statement_after_repair};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Error, Row};

async fn insert(pool: &PgPool, statement: &'static str) -> Result<RetryOutcome<i64>, Error> {
    retry_statement_after_repair(pool, InlineRepairLimits::default(), async move |connection| {
        sqlx::query(AssertSqlSafe(statement)).fetch_one(connection).await?.try_get(0)
    })
    .await
}

#[tokio::test]
async fn a_login_that_meets_drift_moves_the_sequence_and_a_healthy_one_opens_no_transaction() {
    let database = drifted().await;
    let pool = PgPoolOptions::new().max_connections(1).connect(database.url()).await.unwrap();
    let repaired = insert(&pool, LOGIN).await.unwrap();
    assert_eq!((repaired.value, repaired.attempts, repaired.repairs.len()), (696, 2, 1));
    let healthy = retry_statement_after_repair(&pool, InlineRepairLimits::default(), async |connection| {
        assert!(!connection.is_in_transaction());
        sqlx::query(LOGIN).fetch_one(connection).await?.try_get::<i64, _>(0)
    });
    let healthy = healthy.await.unwrap();
    assert_eq!((healthy.value, healthy.attempts), (697, 1));
}

#[tokio::test]
async fn a_duplicate_that_no_sequence_explains_is_returned_after_one_run() {
    let mut database = drifted().await;
    let pool = PgPoolOptions::new().max_connections(1).connect(database.url()).await.unwrap();
    let error =
        insert(&pool, "INSERT INTO user_sessions (user_id, token) VALUES (7, 'token 3') RETURNING 1::bigint").await;
    assert_eq!(error.unwrap_err().as_database_error().unwrap().code().as_deref(), Some("23505"));
    assert_eq!(database.nextval("user_sessions_session_id_seq").await, 697);
}

#[tokio::test]
async fn the_repair_alone_serves_inserts_that_run_elsewhere() {
    let mut database = drifted().await;
    let error = sqlx::query(LOGIN).fetch_one(&mut database.connection).await.unwrap_err();
    let repairs = repair_after(&mut database.connection, &error, InlineRepairLimits::default()).await.unwrap();
    assert_eq!(repairs.map(|repairs| repairs.len()), Some(1));
    assert_eq!(database.number(LOGIN).await, 696);
    let other = sqlx::query("SELECT 1 / 0").execute(&mut database.connection).await.unwrap_err();
    let nothing = repair_after(&mut database.connection, &other, InlineRepairLimits::default()).await.unwrap();
    assert_eq!(nothing, None);
}

#[tokio::test]
async fn the_repair_alone_leaves_the_callers_transaction_open() {
    let mut database = drifted().await;
    let mut transaction = database.connection.begin().await.unwrap();
    sqlx::raw_sql("CREATE TABLE before (id int); SAVEPOINT login").execute(&mut *transaction).await.unwrap();
    let error = sqlx::query(LOGIN).fetch_one(&mut *transaction).await.unwrap_err();
    sqlx::raw_sql("ROLLBACK TO SAVEPOINT login").execute(&mut *transaction).await.unwrap();
    let repairs = repair_after(&mut transaction, &error, InlineRepairLimits::default()).await.unwrap();
    assert_eq!(repairs.map(|repairs| repairs.len()), Some(1));
    transaction.rollback().await.unwrap();
    assert_eq!(database.number("SELECT count(*) FROM pg_class WHERE relname = 'before'").await, 0);
    assert_eq!(database.number(LOGIN).await, 696);
}
