//! Why a sequence is exhausted, or its repair held, and what fixes it.

use super::model::{Method, Sequence};
use super::observation::Observation;
use super::plan::RepairGuard;
use crate::shell_quote;

/// Which limit was reached, and what widens it.
pub fn exhausted_reason(sequence: &Sequence, seen: &Observation) -> String {
    let limit = seen.position.limit();
    let Some(next) = seen.position.next_value() else {
        let name = &sequence.name;
        let full: Vec<&str> = sequence
            .feeds
            .iter()
            .filter(|feed| feed.source.as_ref().is_ok_and(|source| source.range.is_full_at(limit)))
            .map(|feed| feed.report.column.as_str())
            .collect();
        let first = if full.is_empty() { String::new() } else { format!("{} to bigint, and ", full.join(", ")) };
        return format!(
            "nextval fails: its own bound {limit} is reached; widen {first}the sequence: \
             ALTER SEQUENCE {name} AS bigint NO MINVALUE NO MAXVALUE"
        );
    };
    let columns: Vec<&str> = sequence.feeds.iter().map(|feed| feed.report.column.as_str()).collect();
    let columns = columns.join(", ");
    format!("inserts fail: the next value {next} is past {limit}, the last that {columns} can hold; widen the column")
}

/// Which guard said no, and what lets the repair through.
pub fn held(sequence: &Sequence, seen: &Observation, max_id: i64, guard: RepairGuard, role: &str) -> String {
    let Sequence { name, owner, .. } = sequence;
    let beyond = match seen.position.headroom() {
        0 => String::new(),
        values => format!(" and {values} values beyond it"),
    };
    match guard {
        RepairGuard::NoRoom => format!(
            "id {max_id}{beyond} leaves no value before the limit {}: correct that id if it is a mistake, else widen the \
             sequence or the column",
            seen.position.limit()
        ),
        RepairGuard::TooFar { ratio } => format!(
            "moving past id {max_id}{beyond} would use {:.0} % of the values left, more than max_repair_ratio: correct that \
             id if it is a mistake, else run pgmedic --once --approve {}",
            ratio * 100.0,
            shell_quote(name)
        ),
        RepairGuard::NotOwner => format!(
            "the gap is wider than advance_limit, and only an owner may leap: GRANT {owner} TO {role}, or raise \
             advance_limit"
        ),
        RepairGuard::NoUpdate => format!("a privilege is missing: GRANT UPDATE ON SEQUENCE {name} TO {role}"),
        RepairGuard::NoPrivilege => format!("a privilege is missing: GRANT USAGE ON SEQUENCE {name} TO {role}"),
    }
}

/// What an advance leaves undone where sessions hold values of their own.
pub fn still_cached(sequence: &Sequence, method: Method, role: &str) -> Option<String> {
    (method == Method::Advance && sequence.parameters.cache > 1).then(|| {
        format!(
            "sessions that hold cached values (CACHE {}) may still hand out taken ids; only an owner can take them \
             away: GRANT {} TO {role}",
            sequence.parameters.cache, sequence.owner
        )
    })
}
