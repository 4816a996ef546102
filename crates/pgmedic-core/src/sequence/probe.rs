//! The statement that reads one sequence: its state, and the extreme ids of the columns it feeds.
//!
//! One statement has one snapshot, taken before the sequence is read. So every id in the snapshot that came from
//! the sequence was handed out before the state was read, and a healthy insert never looks like drift.

use super::allocator::Blocks;
use super::block::BlockQuestion;
use super::judgement::Answer;
use super::model::{FeedSource, Sequence};
use super::position::{Parameters, SequenceState};
use crate::QueryError;
use crate::quote_literal;
use sqlx::Row;
use sqlx::postgres::PgRow;

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

/// One statement about one sequence.
#[derive(Debug)]
pub struct Probe<'a> {
    /// Index into the sequences that are looked at.
    pub sequence: usize,
    pub parts: Vec<ProbePart<'a>>,
    /// What is asked of a walk; none where the state and the furthest ids are read.
    pub block: Option<BlockQuestion>,
}

/// The furthest id of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnExtreme {
    /// Cut to an integer.
    pub value: i128,
    pub integral: bool,
}

/// What a probe found.
#[derive(Debug)]
pub enum ProbeAnswer {
    /// The state, and each part's extreme in the order of the parts.
    Extremes { state: SequenceState, extremes: Vec<Option<ColumnExtreme>> },
    /// The answer to its question.
    Block(Answer),
}

impl ProbePart<'_> {
    /// Relations that reading it locks.
    pub fn relations(&self) -> u64 {
        self.member.as_ref().map_or(self.source.relations, |member| member.relations)
    }

    pub fn table(&self) -> &str {
        self.member.as_ref().map_or(&self.source.table, |member| &member.name)
    }

    pub fn oid(&self) -> u32 {
        self.member.as_ref().map_or(self.source.table_oid, |member| member.oid)
    }

    /// A member is read without its own members.
    pub fn only_keyword(&self) -> &'static str {
        if self.member.is_some() { "ONLY " } else { "" }
    }

    /// The extreme as a scalar subquery.
    fn extreme(&self, sequence: &Sequence) -> String {
        let parameters = sequence.parameters;
        let extreme = if parameters.increment > 0 { "max" } else { "min" };
        let only = self.only_keyword();
        let FeedSource { column, numeric, .. } = self.source;
        let kind = if *numeric { "numeric" } else { "bigint" };
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
        if *numeric || self.own_values.is_some() || allocator.takes_blocks() {
            sql += &format!(" WHERE {column} BETWEEN '{low}'::{kind} AND '{high}'::{kind}");
        }
        if *numeric && self.own_values.is_some() {
            sql += &format!(" AND {column} = pg_catalog.trunc({column})");
        }
        if let (Some(OwnValues { first, .. }), increment @ 2..) =
            (self.own_values, i128::from(parameters.increment).abs())
        {
            // Without an index the whole table is read anyway. A negative number has a negative remainder.
            let rest = first.rem_euclid(increment);
            sql +=
                &format!(" AND {column} % '{increment}'::{kind} IN ('{rest}'::{kind}, '{}'::{kind})", rest - increment);
        }
        sql.push(')');
        sql
    }

    /// Whether the name means the table that was discovered, and so is the one that this statement reads.
    pub fn unchanged_condition(&self) -> String {
        same_relation_sql(self.table(), self.oid())
    }
}

impl Probe<'_> {
    /// Relations that the probe locks, the sequence included.
    pub fn relations(&self) -> u64 {
        1 + self.parts.iter().map(ProbePart::relations).sum::<u64>()
    }

    /// Whether it must not share a transaction.
    pub fn must_run_alone(&self) -> bool {
        self.parts.iter().any(|part| part.source.alone)
    }

    pub fn sql(&self, sequence: &Sequence) -> String {
        if let Some(block) = &self.block {
            let unchanged: Vec<String> = self.parts.iter().map(ProbePart::unchanged_condition).collect();
            return block.sql(&self.parts, &unchanged.join(" AND "));
        }
        let mut sql = format!("SELECT s.last_value, s.is_called, s.tableoid = {}::oid", sequence.oid);
        for part in &self.parts {
            sql += " AND ";
            sql += &part.unchanged_condition();
        }
        for part in &self.parts {
            sql += ", ";
            sql += &part.extreme(sequence);
        }
        sql += " FROM ";
        sql += &sequence.name;
        sql += " AS s";
        sql
    }

    /// Reads the one row of an answer.
    ///
    /// # Errors
    ///
    /// When a relation was replaced since it was discovered, or the row is not what was asked for.
    pub fn read(&self, rows: &[PgRow]) -> Result<ProbeAnswer, QueryError> {
        if let Some(block) = &self.block {
            return block.read(rows).map(ProbeAnswer::Block);
        }
        let row = match rows {
            [row] => row,
            [] => return Err(QueryError::ConcurrentlyChanged),
            rows => return Err(QueryError::UnexpectedResponse(format!("{} rows instead of one", rows.len()))),
        };
        if !row.try_get::<bool, _>(2)? {
            return Err(QueryError::ConcurrentlyChanged);
        }
        let state = SequenceState { last_value: row.try_get(0)?, is_called: row.try_get(1)? };
        let extremes = (0..self.parts.len()).map(|part| read_extreme(row, 3 + part)).collect::<Result<_, _>>()?;
        Ok(ProbeAnswer::Extremes { state, extremes })
    }
}

/// The smallest and the largest id that counts: within the sequence's bounds, and not beyond its limit.
fn usable_bounds(sequence: &Sequence) -> (i128, i128) {
    let Parameters { min_value, max_value, increment, .. } = sequence.parameters;
    let columns = sequence.usable_ids();
    if increment > 0 {
        (min_value.into(), max_value.min(columns.max).into())
    } else {
        (min_value.max(columns.min).into(), max_value.into())
    }
}

/// Any integer or numeric type arrives as decimal digits: simple-query messages answer in text.
fn read_extreme(row: &PgRow, column: usize) -> Result<Option<ColumnExtreme>, QueryError> {
    let value = row.try_get_raw(column)?;
    if sqlx::ValueRef::is_null(&value) {
        return Ok(None);
    }
    let text = value.as_str().map_err(|error| QueryError::UnexpectedResponse(error.to_string()))?;
    parse_extreme(text).map(Some).ok_or_else(|| QueryError::UnexpectedResponse(format!("{text:?} is no number")))
}

fn parse_extreme(text: &str) -> Option<ColumnExtreme> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let integral = fraction.bytes().all(|digit| digit == b'0');
    Some(ColumnExtreme { value: whole.parse().ok()?, integral })
}

/// Whether the name stands for the relation that was discovered, as SQL.
///
/// It calls `to_regclass`, which resolves the name while the statement runs and holds the table's lock, so that the table
/// cannot be renamed. A `regclass` constant is resolved before the lock is waited for, and the table may be renamed then.
pub fn same_relation_sql(name: &str, oid: u32) -> String {
    format!("to_regclass({}) IS NOT DISTINCT FROM {oid}::regclass", quote_literal(name))
}

/// A probe and its answer.
pub type ProbeResult<'a> = (Probe<'a>, Result<ProbeAnswer, QueryError>);

/// Whether `relations` fit into one transaction.
pub fn fits_in_transaction(relations: u64) -> bool {
    relations <= MAX_RELATIONS
}

/// Most relations that one transaction may lock: a default server's lock table holds about 12 500, for all sessions.
pub const MAX_RELATIONS: u64 = 500;

#[cfg(test)]
mod tests {
    use crate::sequence::probe::*;

    #[test]
    fn extremes_keep_every_digit_and_know_fractions() {
        let whole = |value| Some(ColumnExtreme { value, integral: true });
        assert_eq!(parse_extreme("9223372036854775807"), whole(i128::from(i64::MAX)));
        assert_eq!(parse_extreme("-9223372036854775808"), whole(i128::from(i64::MIN)));
        assert_eq!(parse_extreme("695.000"), whole(695));
        assert_eq!(parse_extreme("695.5"), Some(ColumnExtreme { value: 695, integral: false }));
        assert_eq!(parse_extreme("NaN"), None);
    }
}
