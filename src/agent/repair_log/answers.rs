//! Statements in one transaction, under the name of this room.

use crate::db::{BoundedConnection, TransactionMode};
use pgmedic_core::{QueryError, Timeouts};
use sqlx::postgres::PgRow;

/// The rows of each statement.
///
/// # Errors
///
/// The first failure.
pub async fn answers(
    connection: &mut BoundedConnection,
    access: TransactionMode,
    timeouts: Timeouts,
    statements: Vec<String>,
) -> Result<Vec<Vec<PgRow>>, QueryError> {
    let result = connection.run_transaction("repair-log", access, timeouts, statements).await;
    result.failure.map_or(Ok(result.answers), Err)
}
