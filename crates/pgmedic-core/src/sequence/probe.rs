//! The statement that reads one sequence: its state, and the extreme ids of the columns it feeds.
//!
//! One statement has one snapshot, taken before the sequence is read. So every id in the snapshot that came from
//! the sequence was handed out before the state was read, and a healthy insert never looks like drift.

use super::block::BlockQuestion;
use super::judgement::{Answer, Question};
use super::model::Sequence;
use super::position::SequenceState;
pub use super::probe_part::{OwnValues, Partition, ProbePart, same_relation_sql};
use crate::QueryError;
use sqlx::Row;
use sqlx::postgres::PgRow;

/// One statement about one sequence.
#[derive(Debug)]
pub struct Probe<'a> {
    /// Index into the sequences that are looked at.
    pub sequence: usize,
    pub parts: Vec<ProbePart<'a>>,
    /// What is asked of a walk; none where the state and the furthest ids are read. Boxed, because it is large and rare.
    pub block: Option<Box<BlockQuestion>>,
}

/// The furthest id of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnExtreme {
    /// Cut to an integer.
    pub value: i128,
    pub integral: bool,
}

/// Groups of the parts, none of which locks more relations than a transaction may, together with the sequence; a part that is
/// too large by itself is alone.
pub fn group_parts(parts: Vec<ProbePart<'_>>) -> Vec<Vec<ProbePart<'_>>> {
    let mut groups: Vec<Vec<ProbePart<'_>>> = Vec::new();
    let relations = |group: &[ProbePart<'_>]| group.iter().map(ProbePart::relations).sum::<u64>();
    for part in parts {
        match groups.last_mut() {
            Some(group) if fits_in_transaction(1 + relations(group) + part.relations()) => group.push(part),
            _ => groups.push(vec![part]),
        }
    }
    groups
}

/// What a probe found.
#[derive(Debug)]
pub enum ProbeAnswer {
    /// The state, and each part's extreme in the order of the parts.
    Extremes { state: SequenceState, extremes: Vec<Option<ColumnExtreme>> },
    /// The answer to its question, and the state of the sequence that it was answered by, if it was read.
    Block { answer: Answer, state: Option<SequenceState> },
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

    /// Whether no row is an answer too: that a chain has ended.
    pub fn may_have_no_rows(&self) -> bool {
        self.block.as_ref().is_some_and(|block| matches!(block.question, Question::Stretches { .. }))
    }

    pub fn sql(&self, sequence: &Sequence) -> String {
        if let Some(block) = &self.block {
            let unchanged: Vec<String> = self.parts.iter().map(ProbePart::unchanged_condition).collect();
            return block.sql(sequence, &self.parts, &unchanged.join(" AND "));
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
            return Ok(ProbeAnswer::Block { answer: block.read(rows)?, state: block.read_state(rows)? });
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
