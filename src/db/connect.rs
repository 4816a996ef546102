//! Opens a connection, or explains why it cannot be opened.

use super::conninfo::{Candidate, ConnectTarget, SessionAttributes};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions, Connection, Error, Row};
use std::borrow::Cow;
use std::fmt::Display;
use std::io::ErrorKind;
use std::time::Duration;

/// For one address where the connection string does not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Whether the server accepts writes, and whether it is in recovery.
const SERVER_STATE_SQL: &str = "/* pgmedic:server-state */ SELECT \
    pg_catalog.current_setting('transaction_read_only') OPERATOR(pg_catalog.=) 'off', pg_catalog.pg_is_in_recovery()";

/// Why a database could not be reached: where, what happened, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{address}: {cause}")]
pub struct ConnectError {
    address: String,
    cause: String,
}

/// An open connection, and which of the addresses it reached.
pub(super) struct Opened {
    pub connection: PgConnection,
    pub options: PgConnectOptions,
}

/// Connects to the first address of the target that answers and is what `target_session_attrs` asks for.
///
/// As for libpq, a server that refuses the login ends the search; one that cannot be reached, or is not ready, does not.
///
/// # Errors
///
/// What happened at each address.
pub(super) async fn open(target: &ConnectTarget) -> Result<Opened, ConnectError> {
    let mut candidates: Vec<&Candidate> = target.candidates.iter().collect();
    if target.shuffled {
        fastrand::shuffle(&mut candidates);
    }
    let wanted = match target.attributes {
        SessionAttributes::PreferStandby => vec![SessionAttributes::Standby, SessionAttributes::Any],
        one => vec![one],
    };
    let mut failures: Vec<ConnectError> = Vec::new();
    for wanted in wanted {
        failures.clear();
        for candidate in &candidates {
            match open_one(candidate, wanted, target.timeout).await {
                Ok(opened) => return Ok(opened),
                Err(Failure { error, is_final: true }) => return Err(error),
                Err(Failure { error, .. }) => failures.push(error),
            }
        }
    }
    Err(ConnectError::all(failures))
}

/// Why one address gave no connection, and whether the others are not asked then.
struct Failure {
    error: ConnectError,
    is_final: bool,
}

async fn open_one(candidate: &Candidate, wanted: SessionAttributes, limit: Duration) -> Result<Opened, Failure> {
    let refused = |error: Option<&Error>| {
        let code = error.and_then(Error::as_database_error).and_then(|error| error.code().map(Cow::into_owned));
        code.is_some_and(|code| code.starts_with("28") || code == "3D000")
    };
    let mut options = &candidate.options;
    let mut result = attempt(options, limit).await;
    if let (Err((_, cause)), Some(with_tls)) = (&result, &candidate.with_tls)
        && refused(cause.as_ref())
    {
        options = with_tls;
        result = attempt(options, limit).await;
    }
    let mut connection = result.map_err(|(error, cause)| Failure { error, is_final: refused(cause.as_ref()) })?;
    if wanted != SessionAttributes::Any {
        let other = |cause: String| Failure { error: ConnectError::at(options, cause), is_final: false };
        let row = sqlx::raw_sql(SERVER_STATE_SQL).fetch_one(&mut connection).await.map_err(|e| other(e.to_string()))?;
        let state = (row.try_get(0), row.try_get(1));
        let (Ok(is_writable), Ok(in_recovery)) = state else { return Err(other("unexpected answer".to_owned())) };
        if let Some(found) = mismatch(wanted, is_writable, in_recovery) {
            // The connection is closed also where the server does not answer.
            let _ = tokio::time::timeout(limit, connection.close()).await;
            return Err(other(format!("{found}, and target_session_attrs asks for another")));
        }
    }
    Ok(Opened { connection, options: options.clone() })
}

/// What the server is instead of what is wanted.
fn mismatch(wanted: SessionAttributes, is_writable: bool, in_recovery: bool) -> Option<&'static str> {
    match wanted {
        SessionAttributes::ReadWrite if !is_writable => Some("the server is read only"),
        SessionAttributes::ReadOnly if is_writable => Some("the server accepts writes"),
        SessionAttributes::Primary if in_recovery => Some("the server is a standby"),
        SessionAttributes::Standby if !in_recovery => Some("the server is a primary"),
        _ => None,
    }
}

/// Opens one connection. Not through a pool, which does not return the cause of a failure.
///
/// # Errors
///
/// The cause: refused, no answer, unknown host, password, `pg_hba.conf`, TLS, unknown database, too many connections,
/// starting up.
pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, ConnectError> {
    attempt(options, CONNECT_TIMEOUT).await.map_err(|(error, _)| error)
}

/// Connects to one address. The error is explained, and given as the driver's too where there is one.
async fn attempt(options: &PgConnectOptions, limit: Duration) -> Result<PgConnection, (ConnectError, Option<Error>)> {
    let failed = |cause| ConnectError { address: address_of(options), cause };
    match tokio::time::timeout(limit, options.connect()).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err((failed(explain_connect_error(&error, options)), Some(error))),
        Err(_) => {
            let limit = humantime::format_duration(limit);
            Err((failed(format!("no answer within {limit}; check the address, and firewalls on the way")), None))
        }
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
            // Over TCP, the file that is missing is one for TLS.
            ErrorKind::NotFound | ErrorKind::PermissionDenied if !is_socket(options) => {
                format!("a file that sslrootcert, sslcert or sslkey names cannot be read: {error}")
            }
            ErrorKind::NotFound => "there is no such socket; is the server running?".to_owned(),
            ErrorKind::PermissionDenied => "permission denied by the operating system".to_owned(),
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset => CLOSED.to_owned(),
            // Only a TLS handshake gives this error: a certificate that is not trusted, or no TLS at all.
            ErrorKind::InvalidData => tls(error, options),
            _ => format!("{error}"),
        },
        Error::Tls(error) => tls(error, options),
        // A file cannot be used, or one of sslcert and sslkey is missing.
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
                // PostgreSQL sends this only to clients that break the protocol, so a pooler sent it.
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

/// How to make a certificate that rustls accepts, in OpenSSL's words.
const BETTER_CERTIFICATE: &str = "sign it as version 3 with its own extensions, for instance: openssl x509 -req -in server.csr \
     -days 365 -CA root.crt -CAkey root.key -CAcreateserial -out server.crt -extfile <(printf 'basicConstraints=CA:FALSE\\n\
     subjectAltName=DNS:%s' HOST)";

fn tls(error: impl Display, options: &PgConnectOptions) -> String {
    let error = error.to_string();
    // Texts of the driver and of rustls, which have no codes and are never translated.
    let (no_tls, refused) = (error.contains("does not support TLS"), error.contains("received fatal alert"));
    // Names of rustls's errors, which its text repeats.
    if error.contains("UnsupportedCertVersion") {
        return format!(
            "TLS failed: the server's certificate is X.509 version 1, which the TLS library does not read; {BETTER_CERTIFICATE}"
        );
    }
    if error.contains("CaUsedAsEndEntity") {
        return format!(
            "TLS failed: the server's certificate is a certificate authority's (CA:TRUE), which cannot be a server's; {BETTER_CERTIFICATE}"
        );
    }
    let advice = match options.get_ssl_mode() {
        _ if refused => "the server refuses the connection: check sslcert and sslkey, where it asks for a certificate",
        PgSslMode::VerifyCa | PgSslMode::VerifyFull if !no_tls => {
            "check sslrootcert, the certificate's dates and, for verify-full, its host name"
        }
        _ => "is TLS on at the server (ssl = on)? or choose another sslmode",
    };
    format!("TLS failed: {error}; {advice}")
}

impl ConnectError {
    /// The address of `options` was reached, but not a server that can be used.
    pub(super) fn at(options: &PgConnectOptions, cause: impl Into<String>) -> Self {
        Self { address: address_of(options), cause: cause.into() }
    }

    /// None of several addresses gave a connection.
    fn all(mut failures: Vec<Self>) -> Self {
        match failures.len() {
            1 => failures.remove(0),
            count => {
                let each: Vec<String> = failures.iter().map(ToString::to_string).collect();
                Self { address: format!("none of {count} addresses gave a connection"), cause: each.join("; ") }
            }
        }
    }
}
