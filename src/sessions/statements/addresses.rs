//! The places of rows: each identifies a row until it is changed.

use pgmedic_core::{QueryError, quote_literal};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// The place of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The OID of the partition; none where the table has none.
    table: Option<i64>,
    /// Its `ctid`.
    place: String,
}

impl Address {
    /// `row` is of `addresses.sql`.
    pub fn read(row: &PgRow, has_children: bool) -> Result<Self, QueryError> {
        let table = if has_children { Some(row.try_get("tableoid")?) } else { None };
        Ok(Self { table, place: row.try_get("address")? })
    }
}

/// Which rows a statement is about.
#[derive(Debug, Clone, Copy)]
pub enum Rows<'a> {
    Only(&'a [Address]),
    Except(&'a [Address]),
}

impl Rows<'_> {
    /// As a condition over these columns. Addresses are unique in a table without partitions.
    pub fn condition(self, table: &str, place: &str, has_children: bool) -> String {
        let (addresses, only) = match self {
            Self::Except([]) => return "true".to_owned(),
            Self::Only(addresses) => (addresses, true),
            Self::Except(addresses) => (addresses, false),
        };
        if has_children {
            let pairs: Vec<String> = addresses
                .iter()
                .map(|row| format!("({}::oid, {}::tid)", row.table.unwrap_or_default(), quote_literal(&row.place)))
                .collect();
            let not = if only { "" } else { "NOT " };
            return format!("({table}, {place}) {not}IN (VALUES {})", pairs.join(", "));
        }
        let places: Vec<String> = addresses.iter().map(|row| format!("\"{}\"", row.place)).collect();
        let list = quote_literal(&format!("{{{}}}", places.join(",")));
        if only { format!("{place} = ANY ({list}::tid[])") } else { format!("{place} <> ALL ({list}::tid[])") }
    }
}

/// The address as `Address::read` expects it.
pub fn address_text(table: &str, place: &str, has_children: bool) -> String {
    let place = format!("{place}::text AS address");
    if has_children { format!("{place}, {table}::bigint AS tableoid") } else { place }
}
