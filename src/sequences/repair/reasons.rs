//! Why a repair was held, failed, or left something undone, in the words of the one who must cure it.

use super::TRIES;
use super::plan::Guard;
use crate::db::{Bounds, Failure};
use crate::report::{Method, shell_word};
use crate::sequences::catalog::Sequence;
use crate::sequences::observe::Observation;

/// Which guard said no, and what lets the repair through.
pub fn held(sequence: &Sequence, seen: &Observation, frontier: i64, guard: Guard, role: &str) -> String {
    let Sequence { name, owner, .. } = sequence;
    let beyond = match seen.position.kept() {
        0 => String::new(),
        values => format!(" and {values} values beyond it"),
    };
    match guard {
        Guard::NoRoom => format!(
            "id {frontier}{beyond} leaves no value before the limit {}: correct that id if it is a mistake, else widen the \
             sequence or the column",
            seen.position.limit()
        ),
        Guard::TooFar { ratio } => format!(
            "moving past id {frontier}{beyond} would use {:.0} % of the values left, more than max_leap_ratio: correct that \
             id if it is a mistake, else run pgmedic --once --approve {}",
            ratio * 100.0,
            shell_word(name)
        ),
        Guard::NotOwner => format!(
            "the gap is wider than advance_limit, and only an owner may leap: GRANT {owner} TO {role}, or raise \
             advance_limit"
        ),
        Guard::NoUpdate => format!("a privilege is missing: GRANT UPDATE ON SEQUENCE {name} TO {role}"),
        Guard::NoPrivilege => format!("a privilege is missing: GRANT USAGE ON SEQUENCE {name} TO {role}"),
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

/// Why it is not mended.
pub fn failed(sequence: &Sequence, method: Option<Method>, failure: Option<&Failure>, bounds: Bounds) -> String {
    let limit = humantime::format_duration(bounds.lock);
    match failure {
        Some(Failure::Locked) => format!(
            "another session held {} in an open transaction, or a lock on a table it feeds, for longer than \
             lock_timeout ({limit}), or waited for ours; nothing was changed; run again",
            sequence.name
        ),
        Some(Failure::TooSlow) if method == Some(Method::Advance) => format!(
            "handing out values took longer than statement_timeout ({}); it is nearer now, and never further: run again",
            humantime::format_duration(bounds.statement)
        ),
        Some(Failure::TooSlow) => format!(
            "it would have kept inserts waiting for longer than lock_timeout ({limit}); nothing was changed; run again"
        ),
        Some(Failure::Changed) => {
            "altered, replaced or set back by somebody else during the pass; run again".to_owned()
        }
        Some(failure) => failure.to_string(),
        None => format!("still behind after {TRIES} repairs: ids past it are being inserted all the time"),
    }
}
