//! Statements on a connection of the application, inside its transaction.

use crate::error::QueryError;
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgConnection, PgRow};

/// Sends one simple-query message, and returns the rows of all its statements. They must be made of constants and of
/// names that the server itself quoted.
///
/// # Errors
///
/// The failure of the first statement that failed; those after it were not run.
pub async fn simple_query(
    connection: &mut PgConnection,
    name: &str,
    statements: &str,
) -> Result<Vec<PgRow>, QueryError> {
    let message = format!("/* pgmedic:{name} */ {statements}");
    Ok(sqlx::raw_sql(AssertSqlSafe(message)).fetch_all(connection).await?)
}
