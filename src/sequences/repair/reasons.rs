//! Why a repair failed.

use super::TRIES;
use pgmedic_core::sequence::Method;
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::{QueryError, Reason, ReasonKind, Timeouts};

/// Why the sequence is not repaired: the error of the last move, or none where it is still behind after all tries.
pub fn failed_reason(
    sequence: &Sequence,
    method: Option<Method>,
    error: Option<&QueryError>,
    timeouts: Timeouts,
) -> Reason {
    let Some(error) = error else {
        let text = format!("still behind after {TRIES} repairs: ids past it are being inserted all the time");
        return Reason::new(ReasonKind::StillBehind, text);
    };
    let lock_timeout = humantime::format_duration(timeouts.lock);
    let text = match error {
        QueryError::LockNotAvailable => format!(
            "another session held {} in an open transaction, or a lock on a table it feeds, for longer than lock_timeout \
             ({lock_timeout}), or waited for one that pgmedic held; nothing was changed; run again",
            sequence.name
        ),
        QueryError::QueryCanceled if method == Some(Method::Advance) => format!(
            "handing out values took longer than statement_timeout ({}); it is nearer now, and never further: run again",
            humantime::format_duration(timeouts.statement)
        ),
        QueryError::QueryCanceled => format!(
            "it would have kept inserts waiting for longer than lock_timeout ({lock_timeout}); nothing was changed; run again"
        ),
        QueryError::ConcurrentlyChanged => {
            "altered, replaced or set back by another session during the pass; run again".to_owned()
        }
        error => return error.into(),
    };
    Reason::new(error.kind(), text)
}
