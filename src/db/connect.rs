//! Opens a connection, or explains why it cannot be opened.

use super::answers::ask;
use super::budget::{Permit, Purpose};
use super::connect_error::{ConnectError, address_of};
use super::conninfo::{Candidate, ConnectTarget, SessionAttributes};
use pgmedic_core::{QueryError, ReasonKind, fill_sql};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions, Connection, Error, Row};
use std::borrow::Cow;
use std::time::Duration;

/// For one address where the connection string does not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a server that has too many connections is asked for one.
const MAX_ATTEMPTS: u32 = 4;

/// Between these. A server process that ends is counted until it has ended.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// Whether the server accepts writes, and whether it is in recovery.
const SERVER_STATE_SQL: &str = "/* pgmedic:server-state */ SELECT \
    pg_catalog.current_setting('transaction_read_only') OPERATOR(pg_catalog.=) 'off', pg_catalog.pg_is_in_recovery()";

/// An open connection, and which of the addresses it reached.
pub(super) struct Opened {
    pub connection: PgConnection,
    pub options: PgConnectOptions,
    pub permit: Permit,
}

/// Connects to the first address of the target that answers and is what `target_session_attrs` asks for.
///
/// As for libpq, a server that refuses the login ends the search; one that cannot be reached, or is not ready, does not.
///
/// # Errors
///
/// What happened at each address.
pub(super) async fn open(target: &ConnectTarget) -> Result<Opened, ConnectError> {
    let (connection, options, [permit]) = open_for(target, [target.purpose]).await?;
    Ok(Opened { connection, options, permit })
}

/// The same, with the permit for a second connection, which stays open between passes.
///
/// # Errors
///
/// Also when the server grants too few connections for both.
pub(super) async fn open_beside_standing(target: &ConnectTarget) -> Result<(Opened, Permit), ConnectError> {
    let (connection, options, [permit, standing]) = open_for(target, [Purpose::Pass, Purpose::Standing]).await?;
    Ok((Opened { connection, options, permit }, standing))
}

/// Opens another connection to the server of `options`, where its budget has room now.
pub(super) async fn open_another(options: &PgConnectOptions, permit: &Permit) -> Result<Option<Opened>, ConnectError> {
    open_counted(options, permit.another()).await
}

/// The same, to cancel a statement.
pub(super) async fn open_to_cancel(
    options: &PgConnectOptions,
    permit: &Permit,
) -> Result<Option<Opened>, ConnectError> {
    open_counted(options, permit.another_to_cancel()).await
}

async fn open_counted(options: &PgConnectOptions, permit: Option<Permit>) -> Result<Option<Opened>, ConnectError> {
    let Some(mut permit) = permit else { return Ok(None) };
    let connection = attempt(options, CONNECT_TIMEOUT).await.map_err(|(error, _)| error)?;
    permit.opened();
    Ok(Some(Opened { connection, options: options.clone(), permit }))
}

/// An open connection, its address, and the permits for it and others.
type Counted<const N: usize> = (PgConnection, PgConnectOptions, [Permit; N]);

async fn open_for<const N: usize>(target: &ConnectTarget, purposes: [Purpose; N]) -> Result<Counted<N>, ConnectError> {
    let mut candidates: Vec<&Candidate> = target.candidates.iter().collect();
    if target.shuffled {
        fastrand::shuffle(&mut candidates);
    }
    if matches!(target.attributes, SessionAttributes::ReadWrite | SessionAttributes::Primary) {
        // One server is what is wanted, in whichever order they are asked. Each connection would wait for a silent one again.
        candidates.sort_by_cached_key(|candidate| target.budget.is_silent(&address_of(&candidate.options)));
    }
    let wanted = match target.attributes {
        SessionAttributes::PreferStandby => vec![SessionAttributes::Standby, SessionAttributes::Any],
        SessionAttributes::PreferPrimary => vec![SessionAttributes::Primary, SessionAttributes::Any],
        one => vec![one],
    };
    let mut failures: Vec<ConnectError> = Vec::new();
    for wanted in wanted {
        failures.clear();
        for candidate in &candidates {
            match open_one(target, candidate, wanted, purposes).await {
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

/// Opens a connection to one address. Where the server has none left beside those of this budget, waits for one of them.
async fn open_one<const N: usize>(
    target: &ConnectTarget,
    candidate: &Candidate,
    wanted: SessionAttributes,
    purposes: [Purpose; N],
) -> Result<Counted<N>, Failure> {
    let address = address_of(&candidate.options);
    if N > 1
        && target.budget.must_identify(&address)
        && !target.budget.fits(&address, target.max_connections, &purposes)
    {
        // Together they may never fit beside those of some server, which this one need not be. A single one finds that out.
        let (connection, _, _permit) = Box::pin(open_one(target, candidate, wanted, [Purpose::Pass])).await?;
        // It is closed also where the server does not answer.
        let _ = tokio::time::timeout(target.timeout, connection.close()).await;
    }
    let mut attempts = 0;
    loop {
        let permits = target.budget.acquire(&address, target.max_connections, purposes).await;
        let no_room = || Failure { error: ConnectError::no_room(&candidate.options), is_final: true };
        let mut permits = permits.ok_or_else(no_room)?;
        attempts += 1;
        let opened = open_at(target, candidate, wanted).await;
        let is_silent = matches!(&opened, Err(failure) if failure.error.kind() == ReasonKind::NoResponse);
        target.budget.answered(&address, !is_silent);
        match opened {
            Ok((mut connection, options)) => {
                permits.iter_mut().for_each(Permit::opened);
                if target.budget.must_identify(&address) {
                    let identified = identify(&mut connection).await;
                    let (identity, limit) = identified
                        .unwrap_or(Ok((address, None)))
                        .map_err(|error| Failure { error: ConnectError::because(&options, error), is_final: false })?;
                    permits.iter_mut().for_each(|permit| permit.identified(&identity, limit));
                }
                return Ok((connection, options, permits));
            }
            Err(Failure { error, .. }) if error.kind() == ReasonKind::TooManyConnections && attempts < MAX_ATTEMPTS => {
                // A server process may still be ending. Where one of the other connections is needed, it is waited for.
                let learned = attempts == 1 || permits.first().is_none_or(|permit| permit.refused(N));
                if !learned {
                    return Err(Failure { error, is_final: false });
                }
                tokio::time::sleep(RETRY_AFTER).await;
            }
            Err(failure) => {
                target.budget.doubt(&address);
                return Err(failure);
            }
        }
    }
}

/// Which server this is, and how many connections it grants the role. None where the role may not ask that.
async fn identify(connection: &mut PgConnection) -> Option<Result<(String, Option<u32>), QueryError>> {
    let sql = fill_sql::<&str>(include_str!("server_identity.sql"), &[]);
    match ask(connection, format!("/* pgmedic:server-identity */ {sql}")).await {
        Ok(row) => {
            let granted: Option<i32> = row.try_get(1).ok()?;
            Some(Ok((row.try_get(0).ok()?, granted.and_then(|granted| u32::try_from(granted).ok()))))
        }
        Err(error) if error.is_lost() => Some(Err(error)),
        Err(_) => None,
    }
}

/// Opens a connection to one address, without TLS or with it, and sees whether the server is what is wanted.
async fn open_at(
    target: &ConnectTarget,
    candidate: &Candidate,
    wanted: SessionAttributes,
) -> Result<(PgConnection, PgConnectOptions), Failure> {
    let limit = target.timeout;
    let code_of = |error: Option<&Error>| {
        let code = error.and_then(Error::as_database_error).and_then(|error| error.code().map(Cow::into_owned));
        code.unwrap_or_default()
    };
    let refused = |error: Option<&Error>| {
        let code = code_of(error);
        code.starts_with("28") || code == "3D000"
    };
    let mut options = &candidate.options;
    let mut result = attempt(options, limit).await;
    if let (Err((_, cause)), Some(with_tls)) = (&result, &candidate.with_tls)
        && refused(cause.as_ref())
    {
        options = with_tls;
        result = attempt(options, limit).await;
    }
    let without_tls;
    let may_do_without_tls = |error: &ConnectError, cause: Option<&Error>| {
        // Or pg_hba.conf has no line for the connection, and the message does not end with what it says of one without TLS, on
        // version 14 and newer or on older ones.
        let message = cause.and_then(Error::as_database_error).map_or("", |error| error.message());
        let has_no_line = code_of(cause) == "28000" && message.contains("pg_hba.conf");
        let is_plain = message.ends_with("no encryption") || message.ends_with("SSL off");
        error.kind() == ReasonKind::TlsFailed || has_no_line && !is_plain
    };
    if matches!(&result, Err((error, cause)) if may_do_without_tls(error, cause.as_ref()))
        && matches!(options.get_ssl_mode(), PgSslMode::Prefer)
    {
        // As libpq: prefer promises no TLS. Should the server insist on it, the first error says more.
        without_tls = options.clone().ssl_mode(PgSslMode::Disable);
        if let Ok(connection) = attempt(&without_tls, limit).await {
            (options, result) = (&without_tls, Ok(connection));
        }
    }
    let mut connection = result.map_err(|(error, cause)| Failure { error, is_final: refused(cause.as_ref()) })?;
    if wanted != SessionAttributes::Any {
        let other = |cause: String| Failure {
            error: ConnectError::at(options, ReasonKind::WrongServer, cause),
            is_final: false,
        };
        let row = ask(&mut connection, SERVER_STATE_SQL.to_owned()).await.map_err(|error| other(error.to_string()))?;
        let state = (row.try_get(0), row.try_get(1));
        let (Ok(is_writable), Ok(in_recovery)) = state else { return Err(other("unexpected answer".to_owned())) };
        if let Some(found) = mismatch(wanted, is_writable, in_recovery) {
            // The connection is closed also where the server does not answer.
            let _ = tokio::time::timeout(limit, connection.close()).await;
            return Err(other(format!("{found}, and target_session_attrs asks for another")));
        }
    }
    Ok((connection, options.clone()))
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

/// Connects to one address, not through a pool, which does not return the cause of a failure. The error is explained, and given
/// as the driver's too where there is one.
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
