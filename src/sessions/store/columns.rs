//! Compares the columns of a store's table with what the configuration says they are.

use super::{EndAction, LifetimeColumn, TimeColumn, TimeType};
use crate::config::{Action, Encoding, Lifetime, Scalar, SessionStoreConfig};
use pgmedic_core::{Fix, QueryError, Reason, ReasonKind, quote_literal};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// The table, and what the connected role may do with it. Names are quoted.
#[derive(Debug)]
pub struct Table {
    /// As `pg_class.relkind`.
    pub kind: String,
    /// Schema-qualified.
    pub name: String,
    pub schema: String,
    pub owner: String,
    /// A partition or child that is a foreign table.
    pub foreign_part: Option<String>,
    /// It has partitions or children.
    pub has_children: bool,
    /// Of the table and its partitions and children.
    pub oids: Vec<i64>,
    /// It has row-level security policies.
    pub row_security: bool,
    /// The policies hide rows from the connected role.
    pub hides_rows: bool,
    pub may_use_schema: bool,
    pub may_delete: bool,
    pub may_update_some_column: bool,
    pub may_read_ctid: bool,
    pub may_read_tableoid: bool,
}

impl Table {
    /// `row` is of `table.sql`.
    pub fn read(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            kind: row.try_get("kind")?,
            name: row.try_get("name")?,
            schema: row.try_get("schema")?,
            owner: row.try_get("owner")?,
            foreign_part: row.try_get("foreign_part")?,
            has_children: row.try_get("has_children")?,
            oids: row.try_get("oids")?,
            row_security: row.try_get("row_security")?,
            hides_rows: row.try_get("hides_rows")?,
            may_use_schema: row.try_get("may_use_schema")?,
            may_delete: row.try_get("may_delete")?,
            may_update_some_column: row.try_get("may_update_some_column")?,
            may_read_ctid: row.try_get("may_read_ctid")?,
            may_read_tableoid: row.try_get("may_read_tableoid")?,
        })
    }
}

/// A column of the table.
#[derive(Debug)]
pub struct Column {
    pub raw_name: String,
    /// Quoted, as are all names below.
    pub name: String,
    /// Of the base type, where the column's type is a domain.
    pub type_oid: i64,
    /// Without its length: a cast to a length cuts a value that is too long, and an assignment refuses it.
    pub type_name: String,
    pub is_generated: bool,
    pub is_required: bool,
    /// The operator that compares it, with its schema.
    pub equals: String,
    pub default: Option<String>,
    pub may_read: bool,
    pub may_set: bool,
    /// A usable index begins with it.
    pub is_indexed: bool,
}

impl Column {
    /// `row` is of `columns.sql`.
    pub fn read(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            raw_name: row.try_get("raw_name")?,
            name: row.try_get("name")?,
            type_oid: row.try_get("type_oid")?,
            type_name: row.try_get("type_name")?,
            is_generated: row.try_get("is_generated")?,
            is_required: row.try_get("is_required")?,
            equals: row.try_get("equals")?,
            default: row.try_get("default_expression")?,
            may_read: row.try_get("may_read")?,
            may_set: row.try_get("may_set")?,
            is_indexed: row.try_get("is_indexed")?,
        })
    }
}

/// Why a store cannot be resolved.
#[derive(Debug)]
pub enum ResolveError {
    /// The configuration names what does not exist, or says what the catalog contradicts.
    InvalidConfig(Reason),
    /// The catalog could not be read.
    Query(QueryError),
}

impl ResolveError {
    /// `text` names the key, what was found and what was expected.
    pub fn invalid_config(text: impl Into<String>) -> Self {
        Self::InvalidConfig(Reason::new(ReasonKind::Configuration, text))
    }
}

impl From<sqlx::Error> for ResolveError {
    fn from(error: sqlx::Error) -> Self {
        Self::Query(error.into())
    }
}

/// A configured store with its table and that table's columns.
pub struct TableColumns<'a> {
    pub store: &'a SessionStoreConfig,
    pub table: &'a Table,
    pub all: &'a [Column],
}

impl TableColumns<'_> {
    /// The columns that a sweep reads.
    pub fn used(&self) -> impl Iterator<Item = &Column> {
        let used = self.store.columns();
        self.all.iter().filter(move |column| used.contains(&column.raw_name.as_str()))
    }

    /// The column of this name, which the configuration states under `key`.
    pub fn find(&self, key: &str, name: &str) -> Result<&Column, ResolveError> {
        self.all.iter().find(|column| column.raw_name == name).ok_or_else(|| {
            let known: Vec<&str> = self.all.iter().map(|column| column.name.as_str()).collect();
            ResolveError::invalid_config(format!(
                "{key}: found no column {name:?} in {}, expected one of {}",
                self.table.name,
                known.join(", ")
            ))
        })
    }

    /// The column of this name, which the configuration states under `key`.
    pub fn find_time(&self, key: &str, name: &str) -> Result<TimeColumn, ResolveError> {
        self.time_column(key, self.find(key, name)?)
    }

    /// The column that most likely has the time of creation, by its name, where the configuration names none.
    pub fn likely_creation(&self) -> Option<TimeColumn> {
        const NAMES: [&str; 10] = [
            "created_at",
            "createdat",
            "created",
            "created_on",
            "create_time",
            "creation_time",
            "date_created",
            "inserted_at",
            "created_time",
            "issued_at",
        ];
        let used = self.store.columns();
        let is_likely = |column: &&Column| {
            NAMES.contains(&column.raw_name.to_lowercase().as_str())
                && column.may_read
                && !used.contains(&column.raw_name.as_str())
        };
        self.all.iter().filter(is_likely).find_map(|column| self.time_column("created_at", column).ok())
    }

    /// The column, if its type is the one that `encoding` states.
    pub fn time_column(&self, key: &str, column: &Column) -> Result<TimeColumn, ResolveError> {
        let found = TimeType::of(column.type_oid);
        let (fits, expected) = match &self.store.encoding {
            Encoding::Timestamptz => (found == Some(TimeType::Timestamptz), "timestamp with time zone"),
            Encoding::Timestamp { .. } => (found == Some(TimeType::Timestamp), "timestamp without time zone"),
            Encoding::Date { .. } => (found == Some(TimeType::Date), "date"),
            Encoding::EpochSeconds => (
                matches!(found, Some(TimeType::Int4 | TimeType::Int8 | TimeType::Float8 | TimeType::Numeric)),
                "integer or bigint (or double precision, numeric)",
            ),
            // In milliseconds, the largest integer is in January 1970.
            Encoding::EpochMillis | Encoding::EpochMicros | Encoding::EpochNanos => (
                matches!(found, Some(TimeType::Int8 | TimeType::Float8 | TimeType::Numeric)),
                "bigint (or double precision, numeric)",
            ),
        };
        match found {
            Some(time_type) if fits => Ok(TimeColumn { name: column.name.clone(), time_type }),
            _ => Err(ResolveError::invalid_config(format!(
                "{key}: found {} of type {}, expected {expected}, because encoding is \"{}\"",
                column.name,
                column.type_name,
                self.store.encoding.word()
            ))),
        }
    }

    /// The column with each session's lifetime, if it holds a number.
    pub fn lifetime(&self, lifetime: &Lifetime) -> Result<LifetimeColumn, ResolveError> {
        let found = self.find("lifetime.column", &lifetime.column)?;
        // smallint, integer, bigint, real, double precision, numeric
        if ![21, 23, 20, 700, 701, 1700].contains(&found.type_oid) {
            return Err(ResolveError::invalid_config(format!(
                "lifetime.column: found {} of type {}, expected a number; a generated column can hold one",
                found.name, found.type_name
            )));
        }
        Ok(LifetimeColumn { name: found.name.clone(), nanoseconds: lifetime.unit.nanoseconds() })
    }

    /// The columns by which kinds of sessions are often told apart, and which the configuration does not use; and whether they
    /// can be read.
    pub fn kinds(&self) -> Vec<(String, bool)> {
        const NAMES: [&str; 16] = [
            "type",
            "kind",
            "category",
            "intent",
            "remember",
            "remember_me",
            "remembered",
            "offline",
            "offline_flag",
            "expiring",
            "permanent",
            "persistent",
            "token_type",
            "grant_type",
            "session_type",
            "scope",
        ];
        let used = self.store.columns();
        let is_kind = |column: &&Column| {
            NAMES.contains(&column.raw_name.to_lowercase().as_str()) && !used.contains(&column.raw_name.as_str())
        };
        self.all.iter().filter(is_kind).map(|column| (column.name.clone(), column.may_read)).collect()
    }

    /// How sessions are ended, if the table has what that needs.
    pub fn end_action(&self) -> Result<EndAction, ResolveError> {
        let Action::Revoke { column, value } = &self.store.action else { return Ok(EndAction::Delete) };
        let found = self.find("revoke.column", column)?;
        if found.is_generated {
            let text = format!("revoke.column: found {}, which is generated, expected one that can be set", found.name);
            return Err(ResolveError::invalid_config(text));
        }
        if value.is_none() && found.is_required {
            let text = format!(
                "revoke.column: found {}, which is NOT NULL, expected one that is NULL while a session lives; or a `value` to \
                 set it to",
                found.name
            );
            return Err(ResolveError::invalid_config(text));
        }
        if value.is_none() && self.store.meanings.iter().any(|rule| rule.column == *column) {
            let text = format!(
                "revoke.column: found {}, which says when a session ends, expected one that is NULL while it lives",
                found.name
            );
            return Err(ResolveError::invalid_config(text));
        }
        match value {
            Some(value) => Ok(EndAction::Set { column: found.name.clone(), value: constant(value, found) }),
            // A timestamptz needs no encoding.
            None if TimeType::of(found.type_oid) == Some(TimeType::Timestamptz) => {
                Ok(EndAction::Stamp(TimeColumn { name: found.name.clone(), time_type: TimeType::Timestamptz }))
            }
            None => self.time_column("revoke.column", found).map(EndAction::Stamp).map_err(|error| match error {
                ResolveError::InvalidConfig(reason) => {
                    ResolveError::invalid_config(format!("{}; or a `value` to set it to", reason.text))
                }
                ResolveError::Query(error) => ResolveError::Query(error),
            }),
        }
    }

    /// That no index begins with `column`, and the statement that creates the best one.
    pub fn missing_index_warning(&self, column: &str) -> Result<Reason, ResolveError> {
        let filter = match self.end_action()? {
            EndAction::Delete => String::new(),
            EndAction::Stamp(revoked) => format!(" WHERE {} IS NULL", revoked.name),
            EndAction::Set { column, value } => format!(" WHERE {column} IS DISTINCT FROM {value}"),
        };
        let text =
            format!("no index begins with {column}, so finding the sessions that are over reads the whole table");
        Ok(missing_index(text, &self.table.name, self.table.kind == "p", &format!("({column}){filter}")))
    }
}

/// A warning with the statement that creates the index on `what` of `table`. PostgreSQL creates none concurrently on a
/// partitioned table.
pub fn missing_index(text: String, table: &str, is_partitioned: bool, what: &str) -> Reason {
    let (text, concurrently) = match is_partitioned {
        true => (format!("{text}; creating one on a partitioned table stops writes meanwhile"), ""),
        false => (text, "CONCURRENTLY "),
    };
    let fix = Fix::Sql(format!("CREATE INDEX {concurrently}ON {table} {what}"));
    Reason::new(ReasonKind::MissingIndex, text).with_fix(fix)
}

/// Whether a default is the current time, such as `CURRENT_TIMESTAMP` or `now()`, with nothing added to it.
pub fn is_now(default: &str) -> bool {
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '(' | ')' | ':' | ' ' | '\'' | '"' | ',' | '*' | '.');
    let lower = default.to_lowercase();
    let now = [
        "current_timestamp",
        "current_date",
        "localtimestamp",
        "now()",
        "'now'::",
        "clock_timestamp()",
        "statement_timestamp()",
        "transaction_timestamp()",
    ];
    lower.chars().all(plain) && now.iter().any(|now| lower.contains(now))
}

/// The value as an SQL constant of the column's type.
pub fn constant(value: &Scalar, column: &Column) -> String {
    let text = match value {
        Scalar::Switch(switch) => switch.to_string(),
        Scalar::Whole(number) => number.to_string(),
        Scalar::Text(text) => text.clone(),
    };
    format!("{}::{}", quote_literal(&text), column.type_name)
}

#[cfg(test)]
#[path = "columns_tests.rs"]
mod tests;
