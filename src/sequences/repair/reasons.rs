//! Why a repair was held, failed, or left something undone, in the words of the one who must fix it.

use super::TRIES;
use super::plan::RepairGuard;
use crate::db::{QueryError, Timeouts};
use crate::report::{Method, shell_quote};
use crate::sequences::catalog::Sequence;
use crate::sequences::observe::Observation;

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

/// Why it is not repaired.
pub fn failed(sequence: &Sequence, method: Option<Method>, failure: Option<&QueryError>, bounds: Timeouts) -> String {
    let limit = humantime::format_duration(bounds.lock);
    match failure {
        Some(QueryError::LockNotAvailable) => format!(
            "another session held {} in an open transaction, or a lock on a table it feeds, for longer than \
             lock_timeout ({limit}), or waited for ours; nothing was changed; run again",
            sequence.name
        ),
        Some(QueryError::QueryCanceled) if method == Some(Method::Advance) => format!(
            "handing out values took longer than statement_timeout ({}); it is nearer now, and never further: run again",
            humantime::format_duration(bounds.statement)
        ),
        Some(QueryError::QueryCanceled) => format!(
            "it would have kept inserts waiting for longer than lock_timeout ({limit}); nothing was changed; run again"
        ),
        Some(QueryError::ConcurrentlyChanged) => {
            "altered, replaced or set back by somebody else during the pass; run again".to_owned()
        }
        Some(failure) => failure.to_string(),
        None => format!("still behind after {TRIES} repairs: ids past it are being inserted all the time"),
    }
}
