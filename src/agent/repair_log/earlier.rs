//! What earlier runs repaired: the page's last 24 hours outlive a restart.

use crate::db::{BoundedConnection, TransactionMode};
use crate::report::{Cause, Evidence};
use crate::sequences::LogOwner;
use crate::state::EarlierRepair;
use pgmedic_core::{QueryError, Timeouts, fill_sql};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// The repairs of the last 24 hours, the newest first.
///
/// # Errors
///
/// When the statement fails.
pub async fn earlier_repairs(
    connection: &mut BoundedConnection,
    timeouts: Timeouts,
    owner: &LogOwner,
) -> Result<Vec<EarlierRepair>, QueryError> {
    let statement = fill_sql(include_str!("earlier.sql"), &[("TRUSTED", &owner.may_know())]);
    let result = connection.run_transaction("repair-log", TransactionMode::Read, timeouts, [statement]).await;
    result.into_rows()?.iter().map(repair).collect()
}

fn repair(row: &PgRow) -> Result<EarlierRepair, QueryError> {
    let (cause, evidence): (Option<String>, Option<String>) = (row.try_get("cause")?, row.try_get("evidence")?);
    let evidence = evidence.and_then(|evidence| serde_json::from_str(&evidence).ok());
    Ok(EarlierRepair {
        sequence: row.try_get("sequence")?,
        at: row.try_get("at")?,
        cause: cause.as_deref().and_then(Cause::of_word),
        from: row.try_get("from_value")?,
        to: row.try_get("to_value")?,
        who: evidence.as_ref().and_then(Evidence::of_json).and_then(|evidence| evidence.text()),
    })
}
