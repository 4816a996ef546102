//! What a failed statement means for a sweep, in words that hold nothing of a session.

use crate::db::{Bounds, Failure};

/// Why it failed, and what to do. A trigger's own text is left out: it may hold a session's id.
pub fn explain(failure: &Failure, bounds: Bounds) -> String {
    match failure {
        Failure::Refused(message) => format!("{message}; `pgmedic grants` prints what is needed"),
        Failure::TooSlow => format!(
            "it took longer than statement_timeout ({}); an index that begins with the column helps most, else raise \
             sequences.statement_timeout",
            humantime::format_duration(bounds.statement)
        ),
        Failure::Locked => format!(
            "another session held a lock on the table for longer than lock_timeout ({}), or waited for ours",
            humantime::format_duration(bounds.lock)
        ),
        Failure::Server { code, message } if code == "23503" => {
            format!("{message}; end those rows too, with ON DELETE CASCADE")
        }
        // Of the server's own making: syntax, names, types, resources.
        Failure::Server { code, .. }
            if ["42", "53", "54", "55", "25", "40"].iter().any(|class| code.starts_with(class)) =>
        {
            failure.to_string()
        }
        // Too long, out of range, malformed. What does not fit may be a row's own.
        Failure::Server { code, .. } if ["22001", "22003", "22P02"].contains(&code.as_str()) => {
            format!(
                "a value does not fit its column (SQLSTATE {code}); `revoke.value` must be one that the column takes"
            )
        }
        Failure::Server { code, .. } => format!("it failed with SQLSTATE {code}"),
        failure => failure.to_string(),
    }
}

/// Whether it may well succeed when it is tried again: a lock that was not to be had, or what a concurrent change undid.
pub fn is_passing(failure: &Failure) -> bool {
    match failure {
        Failure::Locked => true,
        Failure::Server { code, .. } => code == "40001",
        _ => false,
    }
}
