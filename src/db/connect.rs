//! Opens a connection, or explains why it cannot be opened.

use super::connect_error::ConnectError;
use super::conninfo::{Candidate, ConnectTarget, SessionAttributes};
use pgmedic_core::ReasonKind;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Error, Row};
use std::borrow::Cow;
use std::time::Duration;

/// For one address where the connection string does not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Whether the server accepts writes, and whether it is in recovery.
const SERVER_STATE_SQL: &str = "/* pgmedic:server-state */ SELECT \
    pg_catalog.current_setting('transaction_read_only') OPERATOR(pg_catalog.=) 'off', pg_catalog.pg_is_in_recovery()";

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
        let other = |cause: String| Failure {
            error: ConnectError::at(options, ReasonKind::WrongServer, cause),
            is_final: false,
        };
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
    match tokio::time::timeout(limit, options.connect()).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err((ConnectError::from_driver(&error, options), Some(error))),
        Err(_) => {
            let limit = humantime::format_duration(limit);
            let cause = format!("no answer within {limit}; check the address, and firewalls on the way");
            Err((ConnectError::at(options, ReasonKind::NoResponse, cause), None))
        }
    }
}
