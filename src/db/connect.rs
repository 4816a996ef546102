//! Opening a connection, and saying plainly why it could not be opened.

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions, Error};
use std::fmt::Display;
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
pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, ConnectError> {
    let failed = |cause| ConnectError { place: address_of(options), cause };
    match tokio::time::timeout(CONNECT_WITHIN, options.connect()).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(failed(explain_connect_error(&error, options))),
        Err(_) => Err(failed(format!(
            "no answer within {}; check the address, and firewalls on the way",
            humantime::format_duration(CONNECT_WITHIN)
        ))),
    }
}

/// A host that is a path means a socket, as in libpq.
fn is_socket(options: &PgConnectOptions) -> bool {
    options.get_socket().is_some() || options.get_host().starts_with('/')
}

fn address_of(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(folder) => format!("socket {}/.s.PGSQL.{}", folder.display(), options.get_port()),
        None if is_socket(options) => {
            format!("socket {}/.s.PGSQL.{}", options.get_host(), options.get_port())
        }
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}

fn explain_connect_error(error: &Error, options: &PgConnectOptions) -> String {
    let user = options.get_username();
    let database = options.get_database().unwrap_or(user);
    match error {
        Error::Io(error) => match error.kind() {
            ErrorKind::ConnectionRefused => {
                "connection refused; is the server running, and does it listen there?".to_owned()
            }
            // By TCP it is no socket that is looked for, but a file for TLS.
            ErrorKind::NotFound | ErrorKind::PermissionDenied if !is_socket(options) => {
                format!("a file that sslrootcert, sslcert or sslkey names cannot be read: {error}")
            }
            ErrorKind::NotFound => "there is no such socket; is the server running?".to_owned(),
            ErrorKind::PermissionDenied => "permission denied by the operating system".to_owned(),
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset => {
                format!("the server closed the connection ({error}); does PostgreSQL listen there?")
            }
            // Nothing but a TLS handshake finds data invalid: a certificate that is not trusted, or no TLS at all.
            ErrorKind::InvalidData => tls(error, options),
            _ => format!("{error}"),
        },
        Error::Tls(error) => tls(error, options),
        // What is in the files, or that one of the two is missing.
        Error::Configuration(error) => format!("{error}; check sslrootcert, sslcert and sslkey"),
        Error::Database(error) => {
            let message = error.message();
            match error.code().as_deref().unwrap_or_default() {
                "28P01" => format!("password refused for user \"{user}\"; check the URL's password or ~/.pgpass"),
                "28000" => format!(
                    "login refused: {message}; check the user and pg_hba.conf, and where that asks for a certificate, \
                     sslcert and sslkey"
                ),
                "3D000" => format!("unknown database \"{database}\"; check the URL's last part"),
                "53300" => format!("too many connections: {message}"),
                "57P03" => format!("not ready: {message}; try again shortly"),
                "42501" => format!("login refused: {message}; GRANT CONNECT ON DATABASE fixes it"),
                // PostgreSQL itself sends this to nobody who keeps to the protocol.
                "08P01" => {
                    let fix = if message.contains("startup parameter") {
                        "take it out of the URL, or add it to the pooler's ignore_startup_parameters"
                    } else {
                        "see its configuration and its log"
                    };
                    format!("refused by a pooler for user \"{user}\", database \"{database}\": {message}; {fix}")
                }
                code => format!("{message} (SQLSTATE {code})"),
            }
        }
        Error::Protocol(what) => {
            // Without the place in the driver's source.
            let what = what.split(" (sqlx").next().unwrap_or(what);
            format!("no PostgreSQL server answers there ({what}); check host and port")
        }
        error => error.to_string(),
    }
}

fn tls(error: impl Display, options: &PgConnectOptions) -> String {
    let error = error.to_string();
    // The driver's own words and rustls's: neither has a code, and neither is ever translated.
    let (no_tls, refused) = (error.contains("does not support TLS"), error.contains("received fatal alert"));
    let advice = match options.get_ssl_mode() {
        _ if refused => "the server refuses what we sent: check sslcert and sslkey, where it asks for a certificate",
        PgSslMode::VerifyCa | PgSslMode::VerifyFull if !no_tls => {
            "check sslrootcert, the certificate's dates and, for verify-full, its host name"
        }
        _ => "switch TLS on at the server, or choose another sslmode",
    };
    format!("TLS failed: {error}; {advice}")
}

impl ConnectError {
    /// Something is wrong with what was found at `options`' address.
    pub(super) fn at(options: &PgConnectOptions, cause: impl Into<String>) -> Self {
        Self { place: address_of(options), cause: cause.into() }
    }
}
