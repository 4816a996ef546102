//! Why a repair was held, failed, or left something undone, in the words of the one who must fix it.

use super::TRIES;
use pgmedic_core::sequence::Method;
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::{QueryError, Timeouts};

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
