//! Leadership: which of several agents works on the databases of a server.
//!
//! | file | does |
//! |---|---|
//! | `mod.rs` | tries to get the lease, and says who has it otherwise |
//! | `holders.rs` | the lease's locks, and whether who holds one can be an agent |
//! | `standing.rs` | the lease as a session's lock, on an idle connection that also receives notifications |
//! | `beacon.rs` | the lease through a transaction-mode pooler: a lock for a moment, again and again |
//!
//! Repairs are correct also where two agents lead.

mod beacon;
mod holders;
mod standing;

pub use holders::Holder;
pub use standing::{LeaseCommand, Standing};

use super::answers::{ANSWER_WITHIN, ask};
use super::budget::Permit;
use super::connect::{Opened, open, open_beside_standing};
use super::connect_error::ConnectError;
use super::conninfo::ConnectTarget;
use super::notification_listener::{IS_IN_RECOVERY_SQL, ListenError, Listener};
use beacon::Beacon;
use holders::{LOCK_NAMESPACE, free_place, holders, lock_keys, precedes};
use pgmedic_core::{QueryError, Reason, ReasonKind};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Row};
use tokio::time::timeout;

/// Why this agent does not hold the lease any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LeaseLost(pub(super) String);

impl LeaseLost {
    /// The driver panicked on a message of the server.
    pub fn panicked() -> Self {
        Self("holding it panicked: this is a bug in pgmedic, please report it".to_owned())
    }
}

/// Who leads.
#[derive(Debug)]
pub enum Lead {
    /// This agent, as long as the connection stays.
    Held(Standing),
    /// This agent, as no other one is seen: the server grants too few connections to hold a lock.
    Unheld,
    /// Another agent.
    Other(Holder),
    /// The server is a replica, where nothing is to be led.
    Replica,
}

/// The answer to an attempt to get the lease.
#[derive(Debug)]
pub struct Attempt {
    pub lead: Lead,
    /// Sessions that hold a lock of the lease and cannot be agents.
    pub ignored: Vec<Holder>,
}

/// How the lease is wanted.
#[derive(Debug, Clone, Copy)]
pub struct LeaseRequest {
    /// Agents with different keys do different work on one server.
    pub key: i32,
    /// Whether notifications are wanted on its connection.
    pub listen: bool,
    /// What an earlier attempt learned: a pooler in transaction mode is in between.
    pub pooled: bool,
    /// This agent had it last, as far as it knows.
    pub led: bool,
}

/// Tries to get the lease. No connection stays open unless it is got.
///
/// # Errors
///
/// When the database cannot be reached.
pub async fn acquire(target: &ConnectTarget, request: LeaseRequest) -> Result<Attempt, ConnectError> {
    let (opened, standing) = if request.pooled {
        (open(target).await?, None)
    } else {
        match open_beside_standing(target).await {
            Ok((opened, standing)) => (opened, Some(standing)),
            Err(error) if error.kind() == ReasonKind::TooManyConnections => (open(target).await?, None),
            Err(error) => return Err(error),
        }
    };
    let Opened { connection: mut first, options, permit } = opened;
    let mut ignored = Vec::new();
    let result = match decide(&mut first, (target, &options), standing, request, &mut ignored).await {
        Ok(Decision::Pooled) => match Beacon::raise(first, permit, request, &mut ignored).await {
            Ok(Ok(beacon)) => Ok(Lead::Held(Standing::Beacon(beacon))),
            Ok(Err(holder)) => Ok(Lead::Other(holder)),
            Err(error) => Err(error.into()),
        },
        decision => {
            close(first).await;
            drop(permit);
            decision.map(|decision| match decision {
                Decision::Lead(lead) => lead,
                Decision::Pooled => Lead::Unheld,
            })
        }
    };
    match result {
        Ok(lead) => Ok(Attempt { lead, ignored }),
        Err(reason) => Err(ConnectError::because(&options, reason)),
    }
}

enum Decision {
    Lead(Lead),
    /// A pooler in transaction mode is in between.
    Pooled,
}

/// What the first connection says, and where it says nothing against it, a second one that is to hold the lease.
async fn decide(
    first: &mut PgConnection,
    (target, options): (&ConnectTarget, &PgConnectOptions),
    standing: Option<Permit>,
    request: LeaseRequest,
    ignored: &mut Vec<Holder>,
) -> Result<Decision, Reason> {
    if ask(first, IS_IN_RECOVERY_SQL.to_owned()).await?.try_get(0).map_err(QueryError::from)? {
        return Ok(Decision::Lead(Lead::Replica));
    }
    if let Some(agent) = agent_among(holders(first, request.key).await?, ignored) {
        return Ok(Decision::Lead(Lead::Other(agent)));
    }
    if request.pooled {
        return Ok(Decision::Pooled);
    }
    let Some(standing) = standing else { return Ok(Decision::Lead(Lead::Unheld)) };
    let mut listener = Listener::connect(options.clone(), standing).await?;
    let decision = on_session(first, &mut listener, request, ignored).await;
    match decision {
        Ok(OnSession::Held(listening)) => {
            let standing = Standing::session(listener, listening, target.transactions.clone());
            Ok(Decision::Lead(Lead::Held(standing)))
        }
        other => {
            listener.close().await;
            Ok(match other? {
                OnSession::Other(holder) => Decision::Lead(Lead::Other(holder)),
                OnSession::Held(_) | OnSession::Pooled => Decision::Pooled,
            })
        }
    }
}

enum OnSession {
    /// The lock is held; and whether notifications are received.
    Held(Result<(), ListenError>),
    Other(Holder),
    Pooled,
}

/// Takes the lock as the session's of `listener`, unless a pooler would give it to other clients.
async fn on_session(
    first: &mut PgConnection,
    listener: &mut Listener,
    request: LeaseRequest,
    ignored: &mut Vec<Holder>,
) -> Result<OnSession, Reason> {
    if listener.is_pooled(first).await? {
        return Ok(OnSession::Pooled);
    }
    listener.prepare_session().await?;
    let listening = if request.listen { listener.listen(first).await } else { Ok(()) };
    if listening == Err(ListenError::Pooled) {
        return Ok(OnSession::Pooled);
    }
    let connection = listener.connection().await?;
    let keys = lock_keys(request.key);
    let mut found = ignored.clone();
    for _ in keys {
        // Where sessions that are no agents hold all, this agent leads without a lock.
        let Some(place) = free_place(&found) else { break };
        let sql =
            |call: &str| format!("/* pgmedic:lease */ SELECT pg_catalog.{call}({LOCK_NAMESPACE}, {})", keys[place]);
        let locked: bool = ask(connection, sql("pg_try_advisory_lock")).await?.try_get(0).map_err(QueryError::from)?;
        found = holders(connection, request.key).await?;
        ignored.clear();
        let agent = agent_among(found.clone(), ignored);
        match agent {
            // Both may have looked at the same time: the earlier lock decides.
            Some(agent) if !locked || precedes(&found, place) => return Ok(OnSession::Other(agent)),
            _ if locked => break,
            _ => {}
        }
    }
    Ok(OnSession::Held(listening))
}

/// The first agent among the holders; the others are to be ignored.
fn agent_among(found: Vec<Holder>, ignored: &mut Vec<Holder>) -> Option<Holder> {
    let (agents, others): (Vec<Holder>, Vec<Holder>) = found.into_iter().partition(|holder| holder.is_agent);
    *ignored = others;
    agents.into_iter().next()
}

async fn close(connection: PgConnection) {
    // It is closed also where the server does not take the message.
    let _ = timeout(ANSWER_WITHIN, connection.close()).await;
}
