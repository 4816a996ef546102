//! The login path: the retry, the session store, the SQL function, and the example servers.
//!
//! | module | what it tests |
//! |---|---|
//! | `repair` | what `retry_after_repair` repairs, and what it returns unchanged |
//! | `single_statement` | the retry without a transaction, and its pieces |
//! | `links` | every way in which a sequence feeds a key |
//! | `cancellation` | logins that are dropped, and their round trips |
//! | `concurrency` | many inserts at once, also through a pooler |
//! | `store` | the session store |
//! | `tokio_postgres` | the retry for tokio-postgres and deadpool |
//! | `frameworks` | the hooks of docs/frameworks against the real frameworks |
//! | `follow` | `pgmedic sql follow` |
//! | `sql` | `pgmedic sql install` and the function `pgmedic.repair` |
//! | `examples` | the example servers under concurrent logins |

mod cancellation;
mod concurrency;
mod examples;
mod follow;
mod frameworks;
mod links;
mod repair;
mod single_statement;
mod sql;
mod store;
mod tokio_postgres;

use crate::support::Database;
use pgmedic_login::{InlineRepairLimits, RetryOutcome, retry_after_repair};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Error, Row};
use std::time::Duration;

/// Runs an insert that returns a bigint through `retry_after_repair`. Also returns how often it ran, even if it failed.
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

/// Asserts that the insert failed after a single run, with the server's error of this code.
#[track_caller]
fn fails_at_once((result, runs): (Result<RetryOutcome<i64>, Error>, u32), code: &str) {
    let error = result.expect_err("an insert that fails");
    let error = error.as_database_error().unwrap_or_else(|| panic!("not an error of the server: {error}"));
    assert_eq!((error.code().as_deref(), runs), (Some(code), 1), "{error}");
}

/// A database with the incident's table, whose sequence is behind.
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

/// Asserts that a session expires in this time, less the duration of the test: under a minute.
#[track_caller]
fn expires_in(left: Duration, expected: Duration) {
    assert!(left <= expected && left + Duration::from_secs(60) > expected, "{left:?} of {expected:?}");
}
