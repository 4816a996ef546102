//! The roles that are trusted not to change what a read does.
//!
//! Planning a read may run functions of a table's owner, and the owner of a table or schema may replace it between two
//! statements. So what is exposed to different owners is read in different transactions, which are
//! rolled back; and where code would gain rights by it, the tables are held and each is looked at again right before.

use crate::db::{BoundedConnection, TransactionMode};
use pgmedic_core::sequence::feed_row::parse_oid;
use pgmedic_core::{QueryError, Timeouts};
use sqlx::Row;
use std::collections::HashSet;

/// Superusers and the connected role; `pg_database_owner` (OID 6171, from 14 on) where it stands for one of them.
const TRUSTED: &str = "\
    SELECT oid::bigint FROM pg_roles WHERE rolsuper OR rolname = current_user \
    UNION ALL \
    SELECT 6171 FROM pg_database d JOIN pg_roles o ON o.oid = d.datdba \
    WHERE d.datname = current_database() AND (o.rolsuper OR o.rolname = current_user)";

/// The roles that are trusted with the rights of the connected role, by OID.
///
/// # Errors
///
/// When the query fails.
pub async fn trusted_roles(session: &mut BoundedConnection, bounds: Timeouts) -> Result<HashSet<u32>, QueryError> {
    let script = session.run_transaction("trusted", TransactionMode::Read, bounds, [TRUSTED]).await;
    if let Some(failure) = script.failure {
        return Err(failure);
    }
    script.answers.iter().flatten().map(|row| parse_oid(&row.try_get::<i64, _>(0)?.to_string())).collect()
}
