//! The roles that are trusted not to change what a read does.
//!
//! Planning a read may run functions of a table's owner, and the owner of a table or schema may replace it between two
//! statements. So what is exposed to different owners is read in different transactions, which are rolled back. Where the
//! functions would run with a superuser's rights, the tables are locked, and a guard checks each right before it is read.

use crate::db::{BoundedConnection, TransactionMode};
use pgmedic_core::sequence::row_fields::parse_oid;
use pgmedic_core::{QueryError, Timeouts, fill_sql};
use sqlx::Row;
use std::collections::HashSet;

/// The roles that are trusted with the rights of the connected role, by OID.
///
/// # Errors
///
/// When the query fails.
pub async fn trusted_roles(connection: &mut BoundedConnection, timeouts: Timeouts) -> Result<HashSet<u32>, QueryError> {
    let statement = fill_sql::<&str>(include_str!("trusted_roles.sql"), &[]);
    let result = connection.run_transaction("trusted", TransactionMode::Read, timeouts, [statement]).await;
    result.into_rows()?.iter().map(|row| parse_oid(&row.try_get::<i64, _>(0)?.to_string())).collect()
}
