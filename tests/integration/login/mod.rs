//! The login path: an insert that repairs itself, the session store, and the same for SQL.

mod examples;
mod links;
mod repair;
mod sql;
mod store;
mod together;

use crate::support::Database;
use pgmedic_login::{InlineRepairLimits, RetryOutcome, retry_after_repair};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Error, Row};
use std::time::Duration;

/// An insert through `retry_after_repair`, whose statement returns a bigint; and how often it ran, whatever came of it.
async fn insert(connection: &mut PgConnection, statement: &str) -> (Result<RetryOutcome<i64>, Error>, u32) {
    insert_within(connection, InlineRepairLimits::default(), statement).await
}

async fn insert_within(
    connection: &mut PgConnection,
    limits: InlineRepairLimits,
    statement: &str,
) -> (Result<RetryOutcome<i64>, Error>, u32) {
    let mut runs = 0;
    let result = retry_after_repair(&mut *connection, limits, async |connection| {
        runs += 1;
        let query = sqlx::query(AssertSqlSafe(statement.to_owned())).persistent(false);
        query.fetch_one(connection).await?.try_get(0)
    })
    .await;
    (result, runs)
}

/// The insert is refused after a single run, with the server's own error.
#[track_caller]
fn refused_at_once((result, runs): (Result<RetryOutcome<i64>, Error>, u32), code: &str) {
    let error = result.expect_err("a refused insert");
    let error = error.as_database_error().unwrap_or_else(|| panic!("not the server's: {error}"));
    assert_eq!((error.code().as_deref(), runs), (Some(code), 1), "{error}");
}

/// The story's table, whose sequence is behind.
async fn drifted() -> Database {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE user_sessions (session_id serial PRIMARY KEY, user_id integer NOT NULL, token text UNIQUE);
             INSERT INTO user_sessions SELECT id, id % 50, 'token ' || id FROM generate_series(1, 695) AS id;
             SELECT setval('user_sessions_session_id_seq', 658, false)",
        )
        .await;
    database
}

const LOGIN: &str = "INSERT INTO user_sessions (user_id) VALUES (7) RETURNING session_id::bigint";

/// A time to live, less what has gone by since: not a minute.
#[track_caller]
fn exactly(left: Duration, expected: Duration) {
    assert!(left <= expected && left + Duration::from_secs(60) > expected, "{left:?} of {expected:?}");
}
