//! What a failed statement means for the one who sent it.

use sqlx::Error;
use std::time::Duration;

/// Why a statement failed, by SQLSTATE (PostgreSQL manual, appendix A); never by its text, which is localised.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// 42501: a privilege is missing, or row-level security would have hidden rows.
    #[error("permission denied: {0}")]
    Refused(String),
    /// 55P03: somebody else held a lock for longer than `lock_timeout`.
    #[error("another session holds a lock on it")]
    Locked,
    /// 57014: longer than `statement_timeout`, or cancelled by an administrator.
    #[error("cancelled: it took too long")]
    TooSlow,
    /// 42P01, 42703, 3F000: the relation, column or schema is not there any more.
    #[error("it is gone: {0}")]
    Gone(String),
    /// Not what was discovered any more: seen by us, or by our tripwire in SQL, a division by zero (22012).
    #[error("it was altered or replaced meanwhile")]
    Changed,
    /// The connection is lost, and with it all that was still to be asked.
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// Any other error of the server's.
    #[error("{message} (SQLSTATE {code})")]
    Server { code: String, message: String },
    /// The answer was not what was asked for.
    #[error("unexpected answer: {0}")]
    Answer(String),
}

impl Failure {
    /// The server sent nothing for `waited`.
    pub fn silent(waited: Duration) -> Self {
        Self::Lost(format!("no answer within {}", humantime::format_duration(waited)))
    }

    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Lost(_))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Database(error) => {
                let message = error.message().to_owned();
                match error.code().as_deref().unwrap_or_default() {
                    "42501" => Self::Refused(message),
                    "55P03" => Self::Locked,
                    "57014" => Self::TooSlow,
                    "42P01" | "42703" | "3F000" => Self::Gone(message),
                    "22012" => Self::Changed,
                    // Class 08, and the server's own farewells: shutdown, crash, dropped database, idle limits.
                    code if code.starts_with("08") => Self::Lost(message),
                    "57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "25P03" | "25P04" => Self::Lost(message),
                    code => Self::Server { code: code.to_owned(), message },
                }
            }
            Error::Io(error) => Self::Lost(error.to_string()),
            Error::Tls(error) => Self::Lost(error.to_string()),
            Error::WorkerCrashed => Self::Lost("its worker crashed".to_owned()),
            error => Self::Answer(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_server_is_a_lost_connection_and_says_for_how_long() {
        let failure = Failure::silent(Duration::from_secs(15));
        assert!(failure.is_lost());
        assert_eq!(failure.to_string(), "the connection was lost: no answer within 15s");
    }
}
