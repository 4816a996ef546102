//! What is wrong with one sequence, in one sentence.

use super::row::days_left;
use crate::http::status::words::{days, percent};
use crate::report::{Level, SequenceReport, Verdict};

/// The sentence of a card. It names no fix: that stands beside it.
pub fn what(sequence: &SequenceReport) -> String {
    match (Level::of(sequence), sequence.verdict) {
        (_, Verdict::Exhausted) => out_of_values(sequence),
        (Level::Failing, _) => failing(sequence),
        (Level::Unknown, Verdict::Unsupported | Verdict::Unlinked) => {
            "pgmedic cannot judge this sequence. Inserts may be failing; pgmedic cannot tell.".to_owned()
        }
        (Level::Unknown, Verdict::Behind) => format!("Inserts may be failing; pgmedic cannot tell.{}", ahead(sequence)),
        (Level::Unknown, _) => "Not checked. Inserts may be failing; pgmedic cannot tell.".to_owned(),
        (Level::Soon, _) => soon(sequence),
        (Level::Decision, _) => decision(sequence),
        (Level::Healthy, _) => "Nothing is wrong.".to_owned(),
    }
}

fn failing(sequence: &SequenceReport) -> String {
    let numbers = match (sequence.next_value, sequence.max_id, sequence.lag) {
        (Some(next), Some(max_id), Some(lag)) => {
            let from = sequence.nearest_id.map_or_else(String::new, |nearest| format!("from {nearest} "));
            let direction = if max_id < next { "down" } else { "up" };
            format!(" The next value is {next}, and taken ids go {from}{direction} to {max_id} (lag {lag}).")
        }
        _ => String::new(),
    };
    format!("Inserts fail with a duplicate key.{numbers}")
}

fn out_of_values(sequence: &SequenceReport) -> String {
    let end = match sequence.limit {
        Some(limit) => match type_of(limit) {
            Some(kind) => format!(" It reached {limit}, the end of {kind}."),
            None => format!(" It reached its limit, {limit}."),
        },
        None => String::new(),
    };
    format!("Inserts fail: the sequence has no values left.{end}")
}

fn soon(sequence: &SequenceReport) -> String {
    let when = days_left(sequence).map_or_else(String::new, |left| format!(" in about {}", days(left)));
    match (sequence.used_ratio, sequence.limit) {
        (Some(used), Some(limit)) => {
            format!("Inserts will fail{when}: {} of the values up to {limit} are used.", percent(used))
        }
        _ => format!("Inserts will fail{when}, when the range ends."),
    }
}

fn decision(sequence: &SequenceReport) -> String {
    if let (Some(far), Some(next)) = (&sequence.far_ids, sequence.next_value_after_pass()) {
        let number = match far.count {
            Some(1) => "1 id".to_owned(),
            Some(number) => format!("{number} ids"),
            None => "Ids".to_owned(),
        };
        let (place, verb) = match far.to {
            Some(to) if to != far.from => (format!("{} to {to}", far.from), "lie"),
            _ => (far.from.to_string(), if far.count == Some(1) { "lies" } else { "lie" }),
        };
        return format!(
            "{number}, {place}, {verb} far ahead of the next value {next}. No insert fails before that distance is \
             used up."
        );
    }
    format!("No insert fails yet.{}", ahead(sequence))
}

/// The next value and the furthest id, where both are known.
fn ahead(sequence: &SequenceReport) -> String {
    match (sequence.next_value, sequence.max_id) {
        (Some(next), Some(max_id)) => format!(" The next value is {next}, and the furthest id is {max_id}."),
        _ => String::new(),
    }
}

/// The integer type whose range ends there.
fn type_of(limit: i64) -> Option<&'static str> {
    const SMALL: (i64, i64) = (i16::MIN as i64, i16::MAX as i64);
    const INTEGER: (i64, i64) = (i32::MIN as i64, i32::MAX as i64);
    [(SMALL, "smallint"), (INTEGER, "integer"), ((i64::MIN, i64::MAX), "bigint")]
        .into_iter()
        .find(|((lowest, highest), _)| [*lowest, *highest].contains(&limit))
        .map(|(_, kind)| kind)
}

#[cfg(test)]
#[path = "finding_tests.rs"]
mod tests;
