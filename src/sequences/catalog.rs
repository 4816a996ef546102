//! Discovery: which sequences feed which columns, by one catalog query.

use super::owners;
use crate::config::{DeclaredFeed, Sequences};
use crate::db::BoundedConnection;
use pgmedic_core::sequence::feed_row::{catalog_sql, push_row};
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::{QueryError, Timeouts};
use sqlx::postgres::PgRow;
use sqlx::{Column, Row, TypeInfo, ValueRef};
use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;
use std::time::Duration;

static CATALOG: LazyLock<String> = LazyLock::new(|| catalog_sql(include_str!("catalog.sql"), &[]));

/// The catalog query locks no user's table, so it may take the time that 100 000 sequences need.
const CATALOG_TIMEOUT: Duration = Duration::from_secs(60);

/// The sequences of a database, from its catalog and the configuration.
#[derive(Debug)]
pub struct Catalog {
    /// Every covered sequence once, in OID order.
    pub sequences: Vec<Sequence>,
    /// Declared feeds of sequences that this database does not have.
    pub missing: Vec<DeclaredFeed>,
    /// Sequences with a name in their row of the catalog that is not UTF-8, as far as it can be shown.
    pub unnamed: Vec<String>,
    /// How many sequences `include` and `exclude` leave out.
    pub excluded: usize,
}

/// Reads the catalog.
///
/// # Errors
///
/// When a query fails.
pub async fn discover(
    connection: &mut BoundedConnection,
    database: &str,
    settings: &Sequences,
    timeouts: Timeouts,
) -> Result<Catalog, QueryError> {
    let role = connection.server().role.clone();
    let timeouts = Timeouts { statement: timeouts.statement.max(CATALOG_TIMEOUT), ..timeouts };
    let mut sequences: Vec<Sequence> = Vec::new();
    let mut unnamed: BTreeMap<i64, [String; 2]> = BTreeMap::new();
    let trusted = owners::trusted_roles(connection, timeouts).await?;
    connection
        .query("catalog", timeouts, &CATALOG, declared(database, settings), |row| match has_only_utf8(&row)? {
            true => push_row(&mut sequences, &row, &role),
            false => {
                let name = [lossy(&row, "seq_schema")?, lossy(&row, "seq_name")?];
                unnamed.insert(row.try_get::<i64, _>("seq_oid")?, name);
                Ok(())
            }
        })
        .await?;
    sequences.retain(|sequence| !unnamed.contains_key(&i64::from(sequence.oid)));
    unnamed.retain(|_, [schema, name]| settings.covers(schema, name));
    let known: HashSet<(&str, &str)> =
        sequences.iter().map(|sequence| (sequence.name_parts.0.as_str(), sequence.name_parts.1.as_str())).collect();
    let missing = settings
        .feeds_in(database)
        .filter(|feed| !known.contains(&(feed.sequence.schema.as_str(), feed.sequence.name.as_str())))
        .cloned()
        .collect();
    for sequence in &mut sequences {
        sequence.untrusted_owners.retain(|owner| !trusted.contains(owner));
    }
    let total = sequences.len();
    sequences.retain(|sequence| settings.covers(&sequence.name_parts.0, &sequence.name_parts.1));
    let left_out = total - sequences.len();
    let unnamed = unnamed.into_values().map(|name| name.join(".")).collect();
    Ok(Catalog { sequences, missing, unnamed, excluded: left_out })
}

/// Whether every text of the row can be read.
fn has_only_utf8(row: &PgRow) -> Result<bool, QueryError> {
    for column in row.columns().iter().filter(|column| ["TEXT", "NAME"].contains(&column.type_info().name())) {
        let value = row.try_get_raw(column.ordinal())?;
        if !value.is_null() && value.as_str().is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The text of a column, with a mark in the place of what cannot be read.
fn lossy(row: &PgRow, column: &str) -> Result<String, QueryError> {
    let value = row.try_get_raw(column)?;
    let bytes = value.as_bytes().map_err(|error| QueryError::UnexpectedResponse(error.to_string()))?;
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

fn declared(database: &str, settings: &Sequences) -> [Vec<String>; 5] {
    let mut columns: [Vec<String>; 5] = Default::default();
    for feed in settings.feeds_in(database) {
        let parts = [
            &feed.sequence.schema,
            &feed.sequence.name,
            &feed.column.table.schema,
            &feed.column.table.name,
            &feed.column.column,
        ];
        for (column, part) in columns.iter_mut().zip(parts) {
            column.push(part.clone());
        }
    }
    columns
}
