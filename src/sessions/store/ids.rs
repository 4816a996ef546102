//! The generated ids of a store: a session whose id its sequence has yet to hand out must not be deleted, because the id
//! would go to another session.

use pgmedic_core::{QueryError, Reason};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// A column whose values come from a sequence. Names are quoted.
#[derive(Debug, Clone)]
pub struct GeneratedId {
    /// Schema-qualified.
    pub sequence: String,
    pub sequence_schema: String,
    pub column: String,
    is_descending: bool,
    /// The link counts, and the connected role has the rights of the sequence's owner: an approval lets it repair the sequence.
    pub is_approvable: bool,
    missing: Option<String>,
}

impl GeneratedId {
    /// `row` is of `ids.sql`, for the table of this name.
    pub fn read(row: &PgRow, table: &str) -> Result<Self, QueryError> {
        let (sequence, column): (String, String) = (row.try_get("sequence")?, row.try_get("column")?);
        let sequence_schema: String = row.try_get("sequence_schema")?;
        let missing = if !row.try_get::<bool, _>("may_read_column")? {
            Some(format!("SELECT ({column}) ON {table}"))
        } else if !row.try_get::<bool, _>("may_enter")? {
            Some(format!("USAGE ON SCHEMA {sequence_schema}"))
        } else if !row.try_get::<bool, _>("may_read_sequence")? {
            Some(format!("SELECT ON SEQUENCE {sequence}"))
        } else {
            None
        };
        let (is_descending, is_approvable) = (row.try_get("is_descending")?, row.try_get("is_approvable")?);
        Ok(Self { sequence, sequence_schema, column, is_descending, is_approvable, missing })
    }

    /// The first privilege that `role` lacks to compare the ids with the sequence.
    pub fn missing_privilege(&self, role: &str) -> Option<Reason> {
        self.missing.as_ref().map(|privilege| Reason::missing_privilege(privilege, role))
    }

    /// The row's id was handed out already, so that it does not come again.
    pub fn is_spent(&self) -> String {
        let Self { sequence, column, is_descending, .. } = self;
        // The last value that was handed out: before the first call it is the one before `last_value`.
        let (compare, before) = if *is_descending {
            (">=", "least(q.last_value, 9223372036854775806) + 1")
        } else {
            ("<=", "greatest(q.last_value, -9223372036854775807) - 1")
        };
        format!(
            "(t.{column} IS NULL OR t.{column} {compare} \
             (SELECT CASE WHEN q.is_called THEN q.last_value ELSE {before} END FROM {sequence} AS q))"
        )
    }
}
