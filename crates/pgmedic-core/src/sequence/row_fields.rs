//! The fields of a catalog query's row.

use super::model::UntrustedOwners;
use crate::QueryError;
use sqlx::postgres::PgRow;
use sqlx::{Row, ValueRef};

/// A text column.
pub fn text(row: &PgRow, column: &str) -> Result<String, QueryError> {
    Ok(row.try_get(column)?)
}

/// A text column, with a replacement character for what is no UTF-8.
pub fn lossy_text(row: &PgRow, column: &str) -> Result<String, QueryError> {
    let value = row.try_get_raw(column)?;
    let bytes = value.as_bytes().map_err(|error| QueryError::UnexpectedResponse(error.to_string()))?;
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// The same, of a column that may be NULL.
pub fn optional_lossy_text(row: &PgRow, column: &str) -> Result<Option<String>, QueryError> {
    if row.try_get_raw(column)?.is_null() { Ok(None) } else { lossy_text(row, column).map(Some) }
}

/// An OID, which the query widens to a bigint.
pub fn oid(row: &PgRow, column: &str) -> Result<u32, QueryError> {
    let oid: i64 = row.try_get(column)?;
    u32::try_from(oid).map_err(|error| QueryError::UnexpectedResponse(format!("{column}: {error}")))
}

/// Whether the role has the privilege. The check is null when its object was dropped meanwhile: the read then fails and says so.
pub fn has_privilege(row: &PgRow, column: &str) -> Result<bool, QueryError> {
    Ok(row.try_get::<Option<bool>, _>(column)?.unwrap_or(true))
}

/// Reads the catalog query's list of OIDs.
pub fn untrusted_owners(list: &str) -> Result<UntrustedOwners, QueryError> {
    list.split_whitespace().map(parse_oid).collect()
}

pub fn parse_oid(oid: &str) -> Result<u32, QueryError> {
    oid.parse().map_err(|_| QueryError::UnexpectedResponse(format!("{oid:?} is no OID")))
}
