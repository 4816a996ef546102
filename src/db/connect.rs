//! Opening a connection, and saying plainly why it could not be opened.

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions, Error};
use std::io::ErrorKind;
use std::time::Duration;

/// Long enough for a far server's TLS handshake, short enough for somebody who waits for the answer.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Why a database could not be reached: where, what happened, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {cause}")]
pub struct ConnectError {
    place: String,
    cause: String,
}

/// One connection, without a pool: a pool hides why it has none.
///
/// # Errors
///
/// With the cause named: refused, no answer, unknown host, password, `pg_hba.conf`, TLS, unknown database, too
/// many connections, starting up.
pub(super) async fn open(options: &PgConnectOptions) -> Result<PgConnection, ConnectError> {
    let failed = |cause| ConnectError { place: place(options), cause };
    match tokio::time::timeout(CONNECT_WITHIN, options.connect()).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(failed(cause(&error, options))),
        Err(_) => Err(failed(format!(
            "no answer within {}; check the address, and firewalls on the way",
            humantime::format_duration(CONNECT_WITHIN)
        ))),
    }
}

fn place(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(folder) => format!("socket {}/.s.PGSQL.{}", folder.display(), options.get_port()),
        // A host that is a path means a socket, as in libpq.
        None if options.get_host().starts_with('/') => {
            format!("socket {}/.s.PGSQL.{}", options.get_host(), options.get_port())
        }
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}

fn cause(error: &Error, options: &PgConnectOptions) -> String {
    let user = options.get_username();
    let database = options.get_database().unwrap_or(user);
    match error {
        Error::Io(error) => match error.kind() {
            ErrorKind::ConnectionRefused => {
                "connection refused; is the server running, and does it listen there?".to_owned()
            }
            ErrorKind::NotFound => "there is no such socket; is the server running?".to_owned(),
            ErrorKind::PermissionDenied => "permission denied by the operating system".to_owned(),
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset => {
                format!("the server closed the connection ({error}); does PostgreSQL listen there?")
            }
            _ => format!("{error}"),
        },
        Error::Tls(error) => format!("TLS failed: {error}; {}", tls_advice(options.get_ssl_mode())),
        Error::Database(error) => {
            let message = error.message();
            match error.code().as_deref().unwrap_or_default() {
                "28P01" => format!("password refused for user \"{user}\"; check the URL's password or ~/.pgpass"),
                "28000" => format!("login refused: {message}; check the user and pg_hba.conf"),
                "3D000" => format!("unknown database \"{database}\"; check the URL's last part"),
                "53300" => format!("too many connections: {message}"),
                "57P03" => format!("not ready: {message}; try again shortly"),
                "42501" => format!("login refused: {message}; GRANT CONNECT ON DATABASE cures it"),
                code => format!("{message} (SQLSTATE {code})"),
            }
        }
        Error::Protocol(message) => {
            // sqlx appends where in its own source this was noticed.
            let message = message.split(" (sqlx").next().unwrap_or(message);
            format!("it does not answer as PostgreSQL does ({message}); does PostgreSQL listen there?")
        }
        error => error.to_string(),
    }
}

fn tls_advice(mode: PgSslMode) -> &'static str {
    match mode {
        PgSslMode::VerifyCa | PgSslMode::VerifyFull => {
            "check sslrootcert, the certificate's dates and, for verify-full, its host name"
        }
        _ => "switch TLS on at the server, or choose another sslmode",
    }
}

impl ConnectError {
    /// Something is wrong with what was found at `options`' address.
    pub(super) fn at(options: &PgConnectOptions, cause: impl Into<String>) -> Self {
        Self { place: place(options), cause: cause.into() }
    }
}
