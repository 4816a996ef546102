//! The keys and indexes of fed columns, read only where an id is ahead: a healthy sequence costs no question.

use super::catalog_timeouts::catalog_timeouts;
use crate::db::BoundedConnection;
use pgmedic_core::sequence::feed_row::catalog_sql;
use pgmedic_core::sequence::model::{FeedSource, Keys};
use pgmedic_core::sequence::row_fields::optional_lossy_text;
use pgmedic_core::{QueryError, Timeouts};
use sqlx::Row;
use std::sync::LazyLock;

static KEYS: LazyLock<String> = LazyLock::new(|| catalog_sql(include_str!("keys.sql"), &[]));

/// The keys of each of these columns, in their order.
///
/// # Errors
///
/// When the query fails.
pub async fn read_keys(
    connection: &mut BoundedConnection,
    sources: &[&FeedSource],
    timeouts: Timeouts,
) -> Result<Vec<Keys>, QueryError> {
    if sources.is_empty() {
        return Ok(Vec::new());
    }
    let empty = || vec![String::new(); sources.len()];
    let tables = sources.iter().map(|source| source.table_oid.to_string()).collect();
    let columns = sources.iter().map(|source| source.column().to_owned()).collect();
    let mut keys = Vec::with_capacity(sources.len());
    let parameters = [tables, columns, empty(), empty(), empty()];
    connection
        .query("keys", catalog_timeouts(timeouts), &KEYS, parameters, |row| {
            keys.push(Keys {
                unique: row.try_get("is_unique")?,
                in_primary_key: row.try_get("in_primary_key")?,
                longer_key: optional_lossy_text(&row, "longer_key")?,
                indexed: row.try_get("is_indexed")?,
            });
            Ok(())
        })
        .await?;
    if keys.len() != sources.len() {
        return Err(QueryError::UnexpectedResponse(format!("{} rows instead of {}", keys.len(), sources.len())));
    }
    Ok(keys)
}
