//! The statement that moves a sequence forward by its own `nextval`.

use super::model::Sequence;
use crate::fill_sql;

/// A statement that calls `nextval` up to `calls` times and answers with the first value that is not before `last`;
/// with no row when it never got there.
pub fn advance_sql(sequence: &Sequence, calls: u128, last: i64) -> String {
    let increment = sequence.parameters.increment;
    let reached = if increment > 0 { ">=" } else { "<=" };
    fill_sql(
        include_str!("advance.sql"),
        &[
            ("OID", sequence.oid.to_string()),
            ("CALLS", calls.to_string()),
            ("INCREMENT", increment.to_string()),
            ("REACHED", reached.to_owned()),
            ("LAST", last.to_string()),
        ],
    )
}
