//! Why a statement of a sweep failed, as a reason with its fix. The texts hold nothing of a session.

use pgmedic_core::{Fix, QueryError, Reason, ReasonKind, Timeouts};

/// Why the statement failed, and what to do. The text of a trigger is left out, because it may hold a session's id.
pub fn explain_sweep_error(error: &QueryError, timeouts: Timeouts) -> Reason {
    match error {
        QueryError::PermissionDenied(message) => {
            Reason::new(ReasonKind::MissingPrivilege, message).with_fix(Fix::Command("pgmedic grants".to_owned()))
        }
        QueryError::QueryCanceled => {
            let text = format!(
                "it took longer than statement_timeout ({}); an index that begins with the column helps most, else raise \
                 sequences.statement_timeout",
                humantime::format_duration(timeouts.statement)
            );
            Reason::new(ReasonKind::StatementTimeout, text)
        }
        QueryError::LockNotAvailable => {
            let text = format!(
                "another session held a lock on the table for longer than lock_timeout ({}), or the two waited for each other",
                humantime::format_duration(timeouts.lock)
            );
            Reason::new(ReasonKind::LockNotAvailable, text)
        }
        QueryError::Server { code, message } if code == "23503" => {
            let text = format!("{message}: rows that refer to a session must be deleted with it");
            Reason::new(ReasonKind::ForeignKey, text)
        }
        // The server's messages about syntax, names, types and resources, which hold no values.
        QueryError::Server { code, .. }
            if ["42", "53", "54", "55", "25", "40"].iter().any(|class| code.starts_with(class)) =>
        {
            error.into()
        }
        // Too long, out of range, malformed. The message may repeat a value of a row.
        QueryError::Server { code, .. } if ["22001", "22003", "22P02"].contains(&code.as_str()) => {
            let text = format!(
                "a value does not fit its column (SQLSTATE {code}); `revoke.value` must be one that the column takes"
            );
            Reason::new(ReasonKind::Configuration, text)
        }
        QueryError::Server { code, .. } => {
            Reason::new(ReasonKind::ServerError, format!("it failed with SQLSTATE {code}"))
        }
        error => error.into(),
    }
}

/// Whether the statement may succeed when it is tried again: a lock was not available, or a concurrent change undid it.
pub fn is_transient(error: &QueryError) -> bool {
    match error {
        QueryError::LockNotAvailable => true,
        QueryError::Server { code, .. } => code == "40001",
        _ => false,
    }
}
