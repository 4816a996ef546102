//! The generated ids of a store: a row whose id its sequence has yet to hand out must not be deleted, because the id would go
//! to another one.

use crate::config::SessionStoreConfig;
use pgmedic_core::sequence::allocator::{Allocator, Blocks};
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
    values: Values,
    is_declared: bool,
    /// The link counts, and the connected role has the rights of the sequence's owner: an approval lets it repair the sequence.
    pub is_approvable: bool,
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

/// What the sequence produces, and which ids are made of it.
#[derive(Debug, Clone, Copy)]
struct Values {
    increment: i64,
    /// The furthest value.
    bound: i64,
    allocator: Allocator,
    /// The furthest id that counts, where the configuration states it.
    stated: Option<i64>,
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
        let values = Values {
            increment,
            bound: row.try_get(if increment > 0 { "highest" } else { "lowest" })?,
            allocator: declared.map_or(Allocator::Residue, |declared| declared.allocator),
            stated: store.max_ids.iter().find(|(rule, _)| rule.matches(&schema, &name)).and_then(|(_, max)| *max),
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
            values,
            is_declared: declared.is_some(),
            is_approvable,
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
        let Self { sequence, column, values, .. } = self;
        let id = format!("{alias}.{column}");
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

    /// The furthest id in `table` that the sequence can lead to was handed out.
    pub fn furthest_is_spent(&self, table: &str) -> String {
        let Self { column, values, .. } = self;
        let (furthest, up_to, _) = values.direction();
        let bound = values.furthest_id();
        let found = format!("SELECT {furthest}(c.{column}) FROM {table} AS c WHERE c.{column} {up_to} {bound}");
        format!("coalesce(({found}) {up_to} {}, true)", self.last_id())
    }

    /// The last id that was handed out.
    fn last_id(&self) -> String {
        format!("(SELECT {} FROM {} AS q)", self.values.last_id(), self.sequence)
    }
}

impl Values {
    /// The aggregate that finds the furthest id, and the operators for one that is not further, and for one that is.
    fn direction(self) -> (&'static str, &'static str, &'static str) {
        if self.increment > 0 { ("max", "<=", ">") } else { ("min", ">=", "<") }
    }

    /// The ids of a value are it, times this, and so far from that.
    fn of_last_in_block(self) -> (i128, i128) {
        if let Allocator::LegacyHiLo { block_size } = self.allocator {
            let size = i128::from(block_size.max(1));
            return (size, if self.increment > 0 { size - 1 } else { 0 });
        }
        let block = Blocks::new(self.allocator, self.increment, 0).ids(0);
        (1, if self.increment > 0 { *block.end() } else { *block.start() })
    }

    /// The last id that was handed out by the sequence `q`: before the first call it is that of the value before.
    fn last_id(self) -> String {
        let (factor, more) = self.of_last_in_block();
        let value = format!(
            "CASE WHEN q.is_called THEN q.last_value::numeric ELSE q.last_value::numeric - ({}) END",
            self.increment
        );
        format!("greatest(least(({value}) * {factor} + ({more}), {}), {})::bigint", i64::MAX, i64::MIN)
    }

    /// The last id that it can lead to.
    fn furthest_id(self) -> i64 {
        let (factor, more) = self.of_last_in_block();
        let furthest = i128::from(self.bound) * factor + more;
        let furthest = furthest.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        let furthest = i64::try_from(furthest).unwrap_or(self.bound);
        match self.stated {
            Some(stated) if self.increment > 0 => furthest.min(stated),
            Some(stated) => furthest.max(stated),
            None => furthest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(increment: i64, bound: i64, allocator: Allocator) -> Values {
        Values { increment, bound, allocator, stated: None }
    }

    #[test]
    fn the_furthest_id_is_the_last_one_of_the_last_block() {
        let legacy = Allocator::LegacyHiLo { block_size: 50 };
        for (values, expected) in [
            (values(1, 100, Allocator::Residue), 100),
            (values(50, 100, Allocator::Pooled), 100),
            (values(50, 100, Allocator::HiLo), 149),
            (values(-50, -100, Allocator::HiLo), -149),
            (values(1, 100, legacy), 5049),
            (values(-1, -100, legacy), -5000),
            (values(1, i64::MAX, legacy), i64::MAX),
            (values(50, i64::MAX, Allocator::PooledLo), i64::MAX),
            (Values { stated: Some(70), ..values(1, 100, Allocator::Residue) }, 70),
            (Values { stated: Some(-70), ..values(-1, -100, Allocator::Residue) }, -70),
        ] {
            assert_eq!(values.furthest_id(), expected, "{values:?}");
        }
    }
}
