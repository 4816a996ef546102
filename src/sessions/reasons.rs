//! What a failed statement means for a sweep, in words that hold nothing of a session.

use pgmedic_core::{QueryError, Timeouts};

/// Why it failed, and what to do. A trigger's own text is left out: it may hold a session's id.
pub fn explain_sweep_error(failure: &QueryError, bounds: Timeouts) -> String {
    match failure {
        QueryError::PermissionDenied(message) => format!("{message}; `pgmedic grants` prints what is needed"),
        QueryError::QueryCanceled => format!(
            "it took longer than statement_timeout ({}); an index that begins with the column helps most, else raise \
             sequences.statement_timeout",
            humantime::format_duration(bounds.statement)
        ),
        QueryError::LockNotAvailable => format!(
            "another session held a lock on the table for longer than lock_timeout ({}), or waited for ours",
            humantime::format_duration(bounds.lock)
        ),
        QueryError::Server { code, message } if code == "23503" => {
            format!("{message}; end those rows too, with ON DELETE CASCADE")
        }
        // Of the server's own making: syntax, names, types, resources.
        QueryError::Server { code, .. }
            if ["42", "53", "54", "55", "25", "40"].iter().any(|class| code.starts_with(class)) =>
        {
            failure.to_string()
        }
        // Too long, out of range, malformed. What does not fit may be a row's own.
        QueryError::Server { code, .. } if ["22001", "22003", "22P02"].contains(&code.as_str()) => {
            format!(
                "a value does not fit its column (SQLSTATE {code}); `revoke.value` must be one that the column takes"
            )
        }
        QueryError::Server { code, .. } => format!("it failed with SQLSTATE {code}"),
        failure => failure.to_string(),
    }
}

/// Whether it may well succeed when it is tried again: a lock that was not to be had, or what a concurrent change undid.
pub fn is_transient(failure: &QueryError) -> bool {
    match failure {
        QueryError::LockNotAvailable => true,
        QueryError::Server { code, .. } => code == "40001",
        _ => false,
    }
}
