//! The statement that moves a sequence forward by its own `nextval`.

use super::model::Sequence;

/// A statement that calls `nextval` up to `calls` times and answers with the first value that is not before `last`;
/// with no row when it never got there.
pub fn advance_sql(sequence: &Sequence, calls: u128, last: i64) -> String {
    let oid = sequence.oid;
    let increment = sequence.parameters.increment;
    let reached = if increment > 0 { ">=" } else { "<=" };
    // OFFSET 0 keeps the calls in the inner query, so that LIMIT stops them at the first value that is far enough.
    format!(
        "SELECT taken FROM (
             SELECT nextval('{oid}'::regclass) AS taken
             FROM pg_catalog.pg_sequence q, generate_series(1, {calls})
             WHERE q.seqrelid = '{oid}'::oid AND q.seqincrement = '{increment}'::bigint AND NOT q.seqcycle
             OFFSET 0) AS handed_out
         WHERE taken {reached} '{last}'::bigint LIMIT 1"
    )
}
