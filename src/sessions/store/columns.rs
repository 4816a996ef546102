//! The columns of a store's table, held against what the configuration says they are.

use super::{EndAction, TimeColumn, TimeType};
use crate::config::{Action, Encoding, Scalar, SessionStoreConfig};
use pgmedic_core::{QueryError, quote_literal};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// A column of the table.
#[derive(Debug)]
pub struct Column {
    pub raw_name: String,
    /// Quoted, as are all names below.
    pub name: String,
    /// Of the base type, where it is a domain.
    pub type_oid: i64,
    /// Without its length: a value that is cast to a length is cut, and one that is assigned is refused.
    pub type_name: String,
    pub generated: bool,
    pub default: Option<String>,
    pub readable: bool,
    pub settable: bool,
    /// Some usable index begins with it.
    pub indexed: bool,
}

/// Why a store cannot be swept.
#[derive(Debug)]
pub enum ResolveError {
    InvalidConfig(String),
    Query(QueryError),
}

impl From<sqlx::Error> for ResolveError {
    fn from(error: sqlx::Error) -> Self {
        Self::Query(error.into())
    }
}

/// The store, and the columns of its table.
pub struct TableColumns<'a> {
    pub store: &'a SessionStoreConfig,
    /// Quoted.
    pub table: &'a str,
    pub all: &'a [Column],
}

impl TableColumns<'_> {
    /// The columns that a sweep reads.
    pub fn used(&self) -> impl Iterator<Item = &Column> {
        let used = self.store.columns();
        self.all.iter().filter(move |column| used.contains(&column.raw_name.as_str()))
    }

    pub fn find(&self, key: &str, name: &str) -> Result<&Column, ResolveError> {
        self.all.iter().find(|column| column.raw_name == name).ok_or_else(|| {
            let known: Vec<&str> = self.all.iter().map(|column| column.name.as_str()).collect();
            ResolveError::InvalidConfig(format!(
                "{key}: found no column {name:?} in {}, expected one of {}",
                self.table,
                known.join(", ")
            ))
        })
    }

    /// The column, if its type is the one that `encoding` states.
    pub fn time_column(&self, key: &str, column: &Column) -> Result<TimeColumn, ResolveError> {
        let found = TimeType::of(column.type_oid);
        let (fits, expected) = match &self.store.encoding {
            Encoding::Timestamptz => (found == Some(TimeType::Timestamptz), "timestamp with time zone"),
            Encoding::Timestamp { .. } => (found == Some(TimeType::Timestamp), "timestamp without time zone"),
            Encoding::EpochSeconds => (matches!(found, Some(TimeType::Int4 | TimeType::Int8)), "integer or bigint"),
            // In milliseconds, the largest integer is in January 1970.
            Encoding::EpochMillis => (found == Some(TimeType::Int8), "bigint"),
        };
        match found.filter(|_| fits) {
            Some(time_type) => Ok(TimeColumn { name: column.name.clone(), time_type }),
            None => Err(ResolveError::InvalidConfig(format!(
                "{key}: found {} of type {}, expected {expected}, because encoding is \"{}\"",
                column.name,
                column.type_name,
                self.store.encoding.word()
            ))),
        }
    }

    pub fn end_action(&self) -> Result<EndAction, ResolveError> {
        let Action::Revoke { column, value } = &self.store.action else { return Ok(EndAction::Delete) };
        let found = self.find("revoke.column", column)?;
        if found.generated {
            let text = format!("revoke.column: found {}, which is generated, expected one that can be set", found.name);
            return Err(ResolveError::InvalidConfig(text));
        }
        match value {
            Some(value) => {
                let text = match value {
                    Scalar::Switch(switch) => switch.to_string(),
                    Scalar::Whole(number) => number.to_string(),
                    Scalar::Text(text) => text.clone(),
                };
                let value = format!("{}::{}", quote_literal(&text), found.type_name);
                Ok(EndAction::Set { column: found.name.clone(), value })
            }
            // Says itself what time it is, whatever the other columns do.
            None if TimeType::of(found.type_oid) == Some(TimeType::Timestamptz) => {
                Ok(EndAction::Stamp(TimeColumn { name: found.name.clone(), time_type: TimeType::Timestamptz }))
            }
            None => self.time_column("revoke.column", found).map(EndAction::Stamp).map_err(|error| match error {
                ResolveError::InvalidConfig(text) => {
                    ResolveError::InvalidConfig(format!("{text}; or a `value` to set it to"))
                }
                unread @ ResolveError::Query(_) => unread,
            }),
        }
    }

    pub fn missing_index_warning(&self, column: &str) -> Result<String, ResolveError> {
        let part = match self.end_action()? {
            EndAction::Delete => String::new(),
            EndAction::Stamp(revoked) => format!(" WHERE {} IS NULL", revoked.name),
            EndAction::Set { column, value } => format!(" WHERE {column} IS DISTINCT FROM {value}"),
        };
        Ok(format!(
            "no index begins with {column}, so each batch reads the whole table: \
             CREATE INDEX CONCURRENTLY ON {} ({column}){part}",
            self.table
        ))
    }

    /// The statement for the first privilege that is lacking to look.
    pub fn missing_read_privilege(
        &self,
        table: &PgRow,
        role: &str,
        has_children: bool,
    ) -> Result<Option<String>, ResolveError> {
        if !table.try_get::<bool, _>(3)? {
            let schema: String = table.try_get(4)?;
            return Ok(Some(format!("GRANT USAGE ON SCHEMA {schema} TO {role}")));
        }
        let unread = self.used().find(|column| !column.readable).map(|column| column.name.as_str());
        let no_address = (!table.try_get::<bool, _>(6)?).then_some("ctid");
        let no_table = (has_children && !table.try_get::<bool, _>(7)?).then_some("tableoid");
        let column = unread.or(no_address).or(no_table);
        let hidden: bool = table.try_get(11)?;
        Ok(match column {
            Some(column) => Some(format!("GRANT SELECT ({column}) ON {} TO {role}", self.table)),
            None if hidden => Some(format!(
                "ALTER ROLE {role} BYPASSRLS, because row security hides rows of {} from it, and what is hidden \
                 cannot be judged",
                self.table
            )),
            None => None,
        })
    }

    /// The statement for the first privilege that is lacking to sweep.
    pub fn missing_sweep_privilege(&self, table: &PgRow, role: &str) -> Result<Option<String>, ResolveError> {
        let [delete, update] = [table.try_get::<bool, _>(5)?, table.try_get::<bool, _>(8)?];
        let privilege = match &self.store.action {
            Action::Delete if !delete => Some("DELETE".to_owned()),
            // To lock rows asks for it, on any one column.
            Action::Delete if !update => {
                Some(format!("UPDATE ({})", self.find("table", &self.store.meanings[0].column)?.name))
            }
            Action::Delete => None,
            Action::Revoke { column, .. } => {
                let column = self.find("revoke.column", column)?;
                (!column.settable).then(|| format!("UPDATE ({})", column.name))
            }
        };
        Ok(privilege.map(|privilege| format!("GRANT {privilege} ON {} TO {role}", self.table)))
    }
}

/// `CURRENT_TIMESTAMP`, `now()` and their like, and nothing added to them.
pub fn is_now(default: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '(' | ')' | ':' | ' ' | '\'' | '"');
    let lower = default.to_lowercase();
    let now = ["current_timestamp", "localtimestamp", "now()", "clock_timestamp()", "statement_timestamp()"];
    lower.chars().all(plain) && now.iter().any(|now| lower.contains(now))
}

#[cfg(test)]
mod tests {
    use super::is_now;

    #[test]
    fn only_the_bare_current_time_is_one() {
        for now in ["CURRENT_TIMESTAMP", "now()", "(now())::timestamp without time zone", "LOCALTIMESTAMP"] {
            assert!(is_now(now), "{now}");
        }
        for other in
            ["(now() + '01:00:00'::interval)", "NULL::timestamp with time zone", "timezone('utc'::text, '2020'::text)"]
        {
            assert!(!is_now(other), "{other}");
        }
    }
}
