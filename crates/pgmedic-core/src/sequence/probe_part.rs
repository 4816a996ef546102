//! Some of the rows that a sequence feeds, and the furthest id among them as SQL.

use super::allocator::Blocks;
use super::model::{FeedSource, Sequence};
use super::position::Parameters;
use crate::quote_literal;

/// One partition or child of a tree that has too many relations for a single transaction.
#[derive(Debug, Clone)]
pub struct Partition {
    pub oid: u32,
    /// Schema-qualified, quoted by the server.
    pub name: String,
    /// Itself and its indexes.
    pub relations: u64,
}

/// Some of the rows that a sequence feeds.
#[derive(Debug, Clone)]
pub struct ProbePart<'a> {
    pub source: &'a FeedSource,
    /// Only this member's own rows.
    pub member: Option<Partition>,
    /// Read the extreme of the sequence's own values among these, instead of the extreme of all ids.
    pub own_values: Option<OwnValues>,
}

/// The values to look at where the extreme of all ids is none of the sequence's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnValues {
    /// The first one.
    pub first: i128,
    /// The last one, where they are looked for one by one, because others' ids lie between them; else all up to the limit
    /// are looked at.
    pub one_by_one_to: Option<i128>,
}

impl ProbePart<'_> {
    /// Relations that reading it locks.
    pub fn relations(&self) -> u64 {
        self.member.as_ref().map_or(self.source.relations, |member| member.relations)
    }

    pub fn table(&self) -> &str {
        self.member.as_ref().map_or(self.source.table(), |member| &member.name)
    }

    pub fn oid(&self) -> u32 {
        self.member.as_ref().map_or(self.source.table_oid, |member| member.oid)
    }

    /// A member is read without its own members.
    pub fn only_keyword(&self) -> &'static str {
        if self.member.is_some() { "ONLY " } else { "" }
    }

    /// The extreme as a scalar subquery.
    pub fn extreme(&self, sequence: &Sequence) -> String {
        let parameters = &sequence.parameters;
        let extreme = if parameters.increment > 0 { "max" } else { "min" };
        let only = self.only_keyword();
        let (column, numeric) = (self.source.column(), self.source.numeric);
        let kind = if numeric { "numeric" } else { "bigint" };
        let allocator = self.source.allocator();
        let (low, high) = usable_bounds(sequence);
        // The ids of a block lie beside its value.
        let (low, high) = if allocator.takes_blocks() {
            let blocks = Blocks::new(allocator, parameters.increment, parameters.start.into());
            let (first, last) = (blocks.ids(low), blocks.ids(high));
            ((*first.start()).max(i64::MIN.into()), (*last.end()).min(i64::MAX.into()))
        } else {
            (low, high)
        };
        let (low, high) = match self.own_values {
            // It may lie before the sequence's first bound, and then is no bigint.
            Some(OwnValues { first, .. }) if parameters.increment > 0 => (first.max(low), high),
            Some(OwnValues { first, .. }) => (low, first.min(high)),
            None => (low, high),
        };
        if let Some(OwnValues { first, one_by_one_to: Some(end) }) = self.own_values {
            // The last one first.
            let (increment, table) = (parameters.increment, self.table());
            return format!(
                "(SELECT v.id FROM pg_catalog.generate_series('{end}'::numeric, '{first}'::numeric, -'{increment}'::numeric) \
                 AS v(id) WHERE (SELECT true FROM {only}{table} AS t WHERE t.{column} = v.id::{kind} LIMIT 1) LIMIT 1)"
            );
        }
        let mut sql = format!("(SELECT {extreme}({column}) FROM {only}{table}", table = self.table());
        // A numeric column can hold NaN, infinity and values that no sequence can.
        if numeric || self.own_values.is_some() || allocator.takes_blocks() {
            sql += &format!(" WHERE {column} BETWEEN '{low}'::{kind} AND '{high}'::{kind}");
        }
        if numeric && self.own_values.is_some() {
            sql += &format!(" AND {}", integral_sql(column));
        }
        if let (Some(OwnValues { first, .. }), increment @ 2..) =
            (self.own_values, i128::from(parameters.increment).abs())
        {
            // Without an index the whole table is read anyway. A negative number has a negative remainder.
            let rest = first.rem_euclid(increment);
            let kind = if increment > i128::from(i64::MAX) { "numeric" } else { kind };
            sql += &format!(
                " AND {column}::{kind} % '{increment}'::{kind} IN ('{rest}'::{kind}, '{}'::{kind})",
                rest - increment
            );
        }
        sql.push(')');
        sql
    }

    /// Whether the name means the table that was discovered, and so is the one that this statement reads.
    pub fn unchanged_condition(&self) -> String {
        same_relation_sql(self.table(), self.oid())
    }
}

/// The smallest and the largest id that counts: within the sequence's bounds, and not beyond its limit.
fn usable_bounds(sequence: &Sequence) -> (i128, i128) {
    let Parameters { min_value, max_value, increment, .. } = *sequence.parameters;
    let columns = sequence.usable_ids();
    if increment > 0 {
        (min_value.into(), max_value.min(columns.max).into())
    } else {
        (min_value.max(columns.min).into(), max_value.into())
    }
}

/// That a numeric column holds a whole number.
///
/// The planner takes an inequality for true of a third of the rows, and an equality for one of 200: then it expects a single
/// row between two values, and reads them all for the first or the last one.
pub fn integral_sql(column: &str) -> String {
    format!("pg_catalog.abs(pg_catalog.mod({column}, 1)) <= 0")
}

/// Whether the name stands for the relation that was discovered, as SQL.
///
/// It calls `to_regclass`, which resolves the name while the statement runs and holds the table's lock, so that the table
/// cannot be renamed. A `regclass` constant is resolved before the lock is waited for, and the table may be renamed then.
pub fn same_relation_sql(name: &str, oid: u32) -> String {
    format!("to_regclass({}) IS NOT DISTINCT FROM {oid}::regclass", quote_literal(name))
}
