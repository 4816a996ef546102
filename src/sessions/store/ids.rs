//! The generated ids of a store: a row whose id its sequence has yet to hand out must not be deleted, because the id would go
//! to another one.

use super::id_values::Values;
use crate::config::SessionStoreConfig;
use pgmedic_core::sequence::allocator::Allocator;
use pgmedic_core::{Fix, QueryError, Reason, ReasonKind};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// A column whose values come from a sequence. Names are quoted.
#[derive(Debug, Clone)]
pub struct GeneratedId {
    /// Schema-qualified.
    pub sequence: String,
    pub sequence_schema: String,
    pub column: String,
    /// Which rows it is of.
    pub rows: IdRows,
    /// The column is one of texts: what of them is a number is compared, and holds nothing.
    pub is_text: bool,
    values: Values,
    is_declared: bool,
    /// The link counts, and the connected role has the rights of the sequence's owner: an approval lets it repair the sequence.
    pub is_approvable: bool,
    /// The configuration lets the sequence be repaired.
    pub is_repaired: bool,
    missing: Option<Missing>,
}

/// The rows that have such an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdRows {
    Sessions,
    /// Of another table, deleted with the sessions.
    Others(OtherRows),
}

/// Rows of another table that are deleted with sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherRows {
    pub schema: String,
    /// Schema-qualified.
    pub table: String,
    /// Over the table `c` and the sessions `t`: the row refers to the session. None where it does through other rows.
    pub join: Option<String>,
    /// The columns that the comparison reads.
    pub columns: String,
    /// And those of the table of the sessions.
    pub store_columns: Option<String>,
}

#[derive(Debug, Clone)]
enum Missing {
    Privilege(String),
    /// Rows of this table are hidden.
    Rows(String),
}

impl GeneratedId {
    /// The columns of `ids.sql`'s rows, for the table of the sessions of this name.
    pub fn read_all(rows: &[PgRow], table: &str, store: &SessionStoreConfig) -> Result<Vec<Self>, QueryError> {
        let mut ids = rows.iter().map(|row| Self::read(row, table, store)).collect::<Result<Vec<_>, _>>()?;
        // What the configuration says of a column's blocks is true of a link that the catalog records too.
        let in_blocks: Vec<(String, IdRows, String)> = ids
            .iter()
            .filter(|id| id.is_declared && id.values.allocator.takes_blocks())
            .map(|id| (id.sequence.clone(), id.rows.clone(), id.column.clone()))
            .collect();
        ids.retain(|id| {
            id.values.allocator.takes_blocks()
                || !in_blocks.contains(&(id.sequence.clone(), id.rows.clone(), id.column.clone()))
        });
        Ok(ids)
    }

    fn read(row: &PgRow, store_table: &str, store: &SessionStoreConfig) -> Result<Self, QueryError> {
        let (sequence, column): (String, String) = (row.try_get("sequence")?, row.try_get("column")?);
        let (sequence_schema, table): (String, String) = (row.try_get("sequence_schema")?, row.try_get("relation")?);
        let (schema, name): (String, String) = (row.try_get("raw_schema")?, row.try_get("raw_name")?);
        let (unread, store_unread): (Option<String>, Option<String>) =
            (row.try_get("unread")?, row.try_get("store_unread")?);
        let table_schema: String = row.try_get("relation_schema")?;
        let is_of_sessions = row.try_get::<i32, _>("steps")? == 0;
        let missing = if !row.try_get::<bool, _>("may_enter_relation")? {
            Some(format!("USAGE ON SCHEMA {table_schema}"))
        } else if let Some(unread) = unread {
            Some(format!("SELECT ({unread}) ON {table}"))
        } else if let Some(unread) = store_unread {
            Some(format!("SELECT ({unread}) ON {store_table}"))
        } else if !row.try_get::<bool, _>("may_enter")? {
            Some(format!("USAGE ON SCHEMA {sequence_schema}"))
        } else if !row.try_get::<bool, _>("may_read_sequence")? {
            Some(format!("SELECT ON SEQUENCE {sequence}"))
        } else {
            None
        };
        let missing = missing.map(Missing::Privilege);
        let hides_rows = row.try_get::<bool, _>("hides_rows")? && !is_of_sessions;
        let missing = missing.or_else(|| hides_rows.then(|| Missing::Rows(table.clone())));
        let increment: i64 = row.try_get("increment")?;
        let entry: Option<i32> = row.try_get("entry")?;
        let declared = entry.and_then(|entry| store.declared_ids.get(usize::try_from(entry).ok()?));
        let rule = store.sequence_rules.iter().find(|rule| rule.pattern.matches(&schema, &name));
        let values = Values {
            increment,
            bound: row.try_get(if increment > 0 { "highest" } else { "lowest" })?,
            allocator: declared.map_or(Allocator::Residue, |declared| declared.allocator),
            cache: row.try_get("cache")?,
            stated: rule.and_then(|rule| rule.max_id),
        };
        let rows = if is_of_sessions {
            IdRows::Sessions
        } else {
            let own: Option<String> = row.try_get("own_columns")?;
            let columns = own.map_or_else(|| column.clone(), |own| format!("{column}, {own}"));
            let (join, store_columns) = (row.try_get("condition")?, row.try_get("store_columns")?);
            IdRows::Others(OtherRows { schema: table_schema, table, join, columns, store_columns })
        };
        let is_approvable = row.try_get("is_approvable")?;
        Ok(Self {
            sequence,
            sequence_schema,
            column,
            rows,
            is_text: row.try_get("is_text")?,
            values,
            is_declared: declared.is_some(),
            is_approvable,
            is_repaired: store.repairs_sequences && rule.is_none_or(|rule| rule.repair),
            missing,
        })
    }

    /// Why `role` cannot compare the ids with the sequence.
    pub fn missing_privilege(&self, role: &str) -> Option<Reason> {
        Some(match self.missing.as_ref()? {
            Missing::Privilege(privilege) => Reason::missing_privilege(privilege, role),
            Missing::Rows(table) => {
                let text =
                    format!("row security hides rows of {table} from {role}, and they are deleted with the sessions");
                Reason::new(ReasonKind::RowSecurity, text).with_fix(Fix::Sql(format!("ALTER ROLE {role} BYPASSRLS")))
            }
        })
    }

    /// The id of the row `alias` does not come again: it was handed out already, or is none that the sequence leads to.
    pub fn is_spent(&self, alias: &str) -> String {
        let (Self { sequence, values, .. }, id) = (self, self.id(alias));
        let (_, up_to, beyond) = values.direction();
        let mut ways = vec![
            format!("{id} IS NULL"),
            format!("{id} {up_to} {}", self.last_id()),
            format!("{id} {beyond} {}", values.furthest_id()),
        ];
        if !values.allocator.takes_blocks() && values.increment.unsigned_abs() > 1 {
            let distance = format!("({id}::numeric - (SELECT q.last_value FROM {sequence} AS q))");
            ways.push(format!("{distance} % {} <> 0", values.increment.unsigned_abs()));
        }
        format!("({})", ways.join(" OR "))
    }

    /// The id of the row `alias`; of a text, NULL where it is no number.
    fn id(&self, alias: &str) -> String {
        let id = format!("{alias}.{}", self.column);
        if self.is_text { format!("(CASE WHEN {id} ~ '^[0-9]{{1,18}}$' THEN {id}::bigint END)") } else { id }
    }

    /// The furthest of the ids of the rows `alias`.
    pub fn furthest(&self, alias: &str) -> String {
        format!("{}({})", self.values.direction().0, self.id(alias))
    }

    /// Whether the connected role can compare them.
    pub fn is_readable(&self) -> bool {
        self.missing.is_none()
    }

    /// The furthest id in `table` that the sequence can lead to was handed out.
    pub fn furthest_is_spent(&self, table: &str) -> String {
        let Self { column, values, .. } = self;
        let (furthest, up_to, _) = values.direction();
        let bound = values.furthest_id();
        let found = format!("SELECT {furthest}(c.{column}) FROM {table} AS c WHERE c.{column} {up_to} {bound}");
        format!("coalesce(({found}) {up_to} {}, true)", self.last_id())
    }

    /// The statements that move the sequence past the ids in `table`.
    pub fn repair_sql(&self, table: &str) -> String {
        let (furthest, ..) = self.values.direction();
        let found = format!(
            "SELECT {furthest}(c.{})::numeric AS id FROM {table} AS c WHERE NOT {}",
            self.column,
            self.is_spent("c")
        );
        self.values.repair_sql(&self.sequence, &found)
    }

    /// The statements that move the sequence past this id.
    pub fn repair_sql_up_to(&self, id: i64) -> String {
        self.values.repair_sql(&self.sequence, &format!("SELECT {id}::numeric AS id"))
    }

    /// The last id that was handed out.
    fn last_id(&self) -> String {
        format!("(SELECT {} FROM {} AS q)", self.values.last_id(), self.sequence)
    }
}
