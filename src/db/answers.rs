//! Small statements on a bare connection, each of which is answered soon or counts as failed.

use futures_util::TryFutureExt;
use pgmedic_core::QueryError;
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgConnection, PgRow};
use std::time::Duration;

/// For one round trip of a statement that waits for no lock.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// The rows of a statement made of constants.
///
/// # Errors
///
/// Also when the answer takes too long.
pub async fn rows(connection: &mut PgConnection, sql: String) -> Result<Vec<PgRow>, QueryError> {
    within(ANSWER_WITHIN, sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(connection)).await
}

/// The only row of a statement made of constants.
///
/// # Errors
///
/// Also when there is none, or the answer takes too long.
pub async fn ask(connection: &mut PgConnection, sql: String) -> Result<PgRow, QueryError> {
    let mut rows = rows(connection, sql).await?;
    rows.pop().ok_or_else(|| QueryError::UnexpectedResponse("none".to_owned()))
}

/// The answer, where it comes in time.
///
/// # Errors
///
/// The driver's, or that there is no answer.
pub async fn within<T>(limit: Duration, answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, QueryError> {
    match tokio::time::timeout(limit, answer.map_err(QueryError::from)).await {
        Ok(answer) => answer,
        Err(_) => Err(QueryError::no_response(limit)),
    }
}
