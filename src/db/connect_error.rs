//! Why a connection could not be opened, in words that say what to do.

use super::tls_error::{client_certificate, client_key, handshake};
use pgmedic_core::{Reason, ReasonKind};
use sqlx::Error;
use sqlx::postgres::PgConnectOptions;
use std::io::ErrorKind;

/// Why a database could not be reached: where, what happened, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{address}: {cause}")]
pub struct ConnectError {
    address: String,
    kind: ReasonKind,
    cause: String,
}

impl ConnectError {
    /// The address of `options` was reached, but not a server that can be used.
    pub(super) fn at(options: &PgConnectOptions, kind: ReasonKind, cause: impl Into<String>) -> Self {
        Self { address: address_of(options), kind, cause: cause.into() }
    }

    /// The address of `options` was reached, and this is why the connection cannot be used.
    pub(super) fn because(options: &PgConnectOptions, reason: impl Into<Reason>) -> Self {
        let Reason { kind, text, .. } = reason.into();
        Self::at(options, kind, text)
    }

    /// The role may have fewer connections than are needed at the same time.
    pub(super) fn no_room(options: &PgConnectOptions) -> Self {
        let cause = "the role may open too few connections to the server for this";
        Self::at(options, ReasonKind::TooManyConnections, cause)
    }

    pub(super) fn kind(&self) -> ReasonKind {
        self.kind
    }

    /// None of several addresses gave a connection.
    pub(super) fn all(mut failures: Vec<Self>) -> Self {
        match failures.len() {
            1 => failures.remove(0),
            count => {
                let each: Vec<String> = failures.iter().map(ToString::to_string).collect();
                let kind = failures.first().map_or(ReasonKind::Unreachable, |first| first.kind);
                Self { kind, address: format!("none of {count} addresses gave a connection"), cause: each.join("; ") }
            }
        }
    }

    /// What the driver's error says about a connection to the address of `options`.
    pub(super) fn from_driver(error: &Error, options: &PgConnectOptions) -> Self {
        Self::at(options, kind_of(error), explain_connect_error(error, options))
    }
}

impl From<ConnectError> for Reason {
    fn from(error: ConnectError) -> Self {
        Self::new(error.kind, error.to_string())
    }
}

fn kind_of(error: &Error) -> ReasonKind {
    match error {
        Error::Io(error) if error.kind() == ErrorKind::InvalidData => ReasonKind::TlsFailed,
        Error::Io(_) => ReasonKind::Unreachable,
        Error::Tls(_) | Error::Configuration(_) => ReasonKind::TlsFailed,
        Error::Database(error) => match error.code().as_deref().unwrap_or_default() {
            "28P01" | "28000" | "42501" => ReasonKind::LoginRefused,
            "3D000" => ReasonKind::UnknownDatabase,
            "53300" => ReasonKind::TooManyConnections,
            "57P03" => ReasonKind::NotReady,
            _ => ReasonKind::ServerError,
        },
        _ => ReasonKind::ServerError,
    }
}

/// A host that is a path means a socket, as in libpq.
fn is_socket(options: &PgConnectOptions) -> bool {
    options.get_socket().is_some() || options.get_host().starts_with('/')
}

/// Host and port, or the socket's path.
pub(super) fn address_of(options: &PgConnectOptions) -> String {
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
            // Over TCP, the file that is missing is one for TLS.
            ErrorKind::NotFound | ErrorKind::PermissionDenied if !is_socket(options) => {
                format!("a file that sslrootcert, sslcert or sslkey names cannot be read: {error}")
            }
            ErrorKind::NotFound => "there is no such socket; is the server running?".to_owned(),
            ErrorKind::PermissionDenied => "permission denied by the operating system".to_owned(),
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset => CLOSED.to_owned(),
            // Only a TLS handshake gives this error: a certificate that is not trusted, or no TLS at all.
            ErrorKind::InvalidData => handshake(&error.to_string(), options),
            _ => format!("{error}"),
        },
        // Before the handshake: a file cannot be used, or the server has no TLS.
        Error::Tls(error) => client_certificate(&error.to_string(), options),
        Error::Configuration(error) => client_key(&error.to_string()),
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
                // PostgreSQL sends this only to clients that break the protocol, so a pooler sent it.
                "08P01" => {
                    let fix = if message.contains("startup parameter") {
                        "take it out of the URL or out of PGOPTIONS, or add it to the pooler's ignore_startup_parameters"
                    } else {
                        "see its configuration and its log"
                    };
                    format!("refused by a pooler for user \"{user}\", database \"{database}\": {message}; {fix}")
                }
                code => format!("{message} (SQLSTATE {code})"),
            }
        }
        Error::Protocol(what) => {
            // The driver appends the line of its source.
            let what = what.split(" (sqlx").next().unwrap_or(what);
            explain_protocol_error(what, user)
        }
        error => error.to_string(),
    }
}

/// A proxy without a server behind it closes the connection, for instance during a failover.
const CLOSED: &str = "the connection was closed at once; is PostgreSQL running there, or has a proxy in between no server at the moment?";

/// Explains an answer that the driver does not expect, by the driver's text, because it has no code.
fn explain_protocol_error(what: &str, user: &str) -> String {
    if what.contains("SSLRequest: 0x00") {
        return CLOSED.to_owned();
    }
    // The first letter of an error, which PostgreSQL sends where it cannot start a process for the connection.
    if what.contains("SSLRequest: 0x45") {
        return "the server refuses connections at the moment; its log says why".to_owned();
    }
    match what.rsplit_once("unknown authentication method: ") {
        // Codes of AuthenticationRequest (PostgreSQL manual, Message Formats).
        Some((_, method @ ("2" | "7" | "8" | "9"))) => {
            let name = match method {
                "2" => "Kerberos V5",
                "9" => "SSPI",
                _ => "GSSAPI",
            };
            format!(
                "the server asks for {name} authentication, which pgmedic does not have; a line in pg_hba.conf with \
                 scram-sha-256 or cert for user \"{user}\" lets it in"
            )
        }
        Some(_) => {
            format!("the server asks for an authentication that pgmedic does not have ({what}); see pg_hba.conf")
        }
        None => format!("no PostgreSQL server answers there ({what}); check host and port"),
    }
}
