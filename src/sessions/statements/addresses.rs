//! The places of rows: each identifies a row until it is changed.

use pgmedic_core::{QueryError, quote_literal};
use serde::Deserialize;
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::hash::{Hash, Hasher};

/// The place of a row. Where it is in time makes no difference to that.
#[derive(Debug, Clone, Deserialize)]
pub struct Address {
    /// The OID of the partition; 0 where the table has none.
    table: i64,
    /// Its `ctid`.
    #[serde(rename = "address")]
    place: String,
    /// The time by which the session is over, in microseconds since 1970; none where that is not why it is ended.
    pub at: Option<i64>,
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        (self.table, &self.place) == (other.table, &other.place)
    }
}

impl Eq for Address {}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.table, &self.place).hash(state);
    }
}

impl Address {
    /// The same place, at any time: another rule may have another one.
    pub fn at_any_time(&self) -> Self {
        Self { at: None, ..self.clone() }
    }

    /// The page of the table: the first number in its `ctid`, such as `(12,3)`.
    pub fn page(&self) -> Option<u32> {
        self.place.strip_prefix('(')?.split(',').next()?.parse().ok()
    }

    #[cfg(test)]
    pub fn of(place: &str) -> Self {
        Self { table: 0, place: place.to_owned(), at: None }
    }

    /// `row` is of `addresses.sql`.
    pub fn read(row: &PgRow) -> Result<Self, QueryError> {
        Ok(Self { table: row.try_get("tableoid")?, place: row.try_get("address")?, at: row.try_get("at")? })
    }
}

/// In which order addresses are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As a batch would end the sessions.
    Batch,
    Random,
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
                .map(|row| format!("({}::oid, {}::tid)", row.table, quote_literal(&row.place)))
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
    let table = if has_children { format!("{table}::bigint") } else { "0::bigint".to_owned() };
    format!("{place}::text AS address, {table} AS tableoid")
}
