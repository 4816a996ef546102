//! Why a statement failed, by SQLSTATE.

use crate::{Reason, ReasonKind};
use sqlx::Error;
use sqlx::postgres::PgDatabaseError;
use std::time::Duration;

/// Why a statement failed, by SQLSTATE (PostgreSQL manual, appendix A); never by its text, which is localized.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// 42501: a privilege is missing, or row-level security would have hidden rows.
    #[error("permission denied: {0}")]
    PermissionDenied(String),
    /// 55P03: another session held a lock for longer than `lock_timeout`; 40P01: or the two waited for each other.
    #[error("another session holds a lock on it")]
    LockNotAvailable,
    /// The same, and VACUUM or ANALYZE held the lock: the table, and which of them as a participle.
    #[error("{table} is being {what}")]
    BeingVacuumed { table: String, what: String },
    /// 57014: longer than `statement_timeout`, or cancelled by an administrator.
    #[error("cancelled: it took too long")]
    QueryCanceled,
    /// 42P01, 3F000: the relation or schema is not there any more.
    #[error("it is gone: {0}")]
    UndefinedObject(String),
    /// 42703: the column is not there any more.
    #[error("it is gone: {0}")]
    UndefinedColumn(String),
    /// The relation is no longer the one that was discovered: pgmedic compared OIDs, or its guard in SQL divided by zero (22012).
    #[error("it was altered or replaced meanwhile")]
    ConcurrentlyChanged,
    /// The connection is lost, and with it the answers to all statements that were not answered yet.
    #[error("the connection was lost: {0}")]
    ConnectionLost(String),
    /// 08P01 as PgBouncer says it: it closes the connection after a message that leaves a transaction open.
    #[error(
        "a pooler in statement mode is in between, and pgmedic works in transactions: \
         set pool_mode = transaction (or session) there, or connect to PostgreSQL itself"
    )]
    StatementPooled,
    /// Any other error of the server.
    #[error("{message} (SQLSTATE {code})")]
    Server { code: String, message: String },
    /// A function of the database raised it: its message is text of the function's author, and may hold secrets.
    #[error("raised by a function in the database (SQLSTATE {code})")]
    Raised { code: String },
    /// The answer was not what was asked for.
    #[error("unexpected answer: {0}")]
    UnexpectedResponse(String),
}

impl QueryError {
    /// The server sent nothing for `waited`.
    pub fn no_response(waited: Duration) -> Self {
        Self::ConnectionLost(format!("no answer within {}", humantime::format_duration(waited)))
    }

    /// Whether the connection cannot be used any more.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::ConnectionLost(_) | Self::StatementPooled)
    }

    /// What to match on instead of the text.
    pub fn kind(&self) -> ReasonKind {
        match self {
            Self::PermissionDenied(_) => ReasonKind::MissingPrivilege,
            Self::LockNotAvailable => ReasonKind::LockNotAvailable,
            Self::BeingVacuumed { .. } => ReasonKind::BeingVacuumed,
            Self::QueryCanceled => ReasonKind::StatementTimeout,
            Self::UndefinedObject(_) | Self::UndefinedColumn(_) | Self::ConcurrentlyChanged => {
                ReasonKind::ConcurrentlyChanged
            }
            Self::ConnectionLost(_) => ReasonKind::ConnectionLost,
            Self::StatementPooled => ReasonKind::StatementPooled,
            Self::Server { .. } | Self::Raised { .. } | Self::UnexpectedResponse(_) => ReasonKind::ServerError,
        }
    }
}

impl From<&QueryError> for Reason {
    fn from(error: &QueryError) -> Self {
        Self::new(error.kind(), error.to_string())
    }
}

impl From<QueryError> for Reason {
    fn from(error: QueryError) -> Self {
        Self::from(&error)
    }
}

impl From<Error> for QueryError {
    fn from(error: Error) -> Self {
        match error {
            Error::Database(error) => {
                let routine = error.try_downcast_ref::<PgDatabaseError>().and_then(PgDatabaseError::routine);
                let code = error.code().unwrap_or_default();
                if routine == Some("exec_stmt_raise") {
                    return Self::Raised { code: code.into_owned() };
                }
                let message = error.message().to_owned();
                match code.as_ref() {
                    "42501" => Self::PermissionDenied(message),
                    "55P03" | "40P01" => Self::LockNotAvailable,
                    "57014" => Self::QueryCanceled,
                    "42P01" | "3F000" => Self::UndefinedObject(message),
                    "42703" => Self::UndefinedColumn(message),
                    "22012" => Self::ConcurrentlyChanged,
                    // PostgreSQL sends this only to clients that break the protocol, so a pooler sent it. PgBouncer's
                    // messages are never translated, and it has no other code that tells its reasons apart.
                    "08P01" if message.contains("statement pooling") => Self::StatementPooled,
                    "08P01" => {
                        Self::ConnectionLost(format!("{message}; a pooler in between says so, see its configuration"))
                    }
                    // Class 08, and what the server sends when it ends a connection: shutdown, crash, dropped database, idle limits.
                    code if code.starts_with("08") => Self::ConnectionLost(message),
                    "57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "25P03" | "25P04" => {
                        Self::ConnectionLost(message)
                    }
                    code => Self::Server { code: code.to_owned(), message },
                }
            }
            Error::Io(error) => Self::ConnectionLost(error.to_string()),
            Error::Tls(error) => Self::ConnectionLost(error.to_string()),
            Error::WorkerCrashed => Self::ConnectionLost("its worker crashed".to_owned()),
            error => Self::UnexpectedResponse(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::error::*;

    #[test]
    fn a_silent_server_is_a_lost_connection_and_says_for_how_long() {
        let failure = QueryError::no_response(Duration::from_secs(15));
        assert!(failure.is_lost());
        assert_eq!(failure.to_string(), "the connection was lost: no answer within 15s");
    }
}
