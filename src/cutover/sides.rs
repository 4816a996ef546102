//! The two databases: connected, compared, and refused where they cannot be meant.

use super::request::Request;
use crate::db::{BoundedConnection, TransactionMode};
use crate::sequences::discover;
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::{QueryError, Reason, ReasonKind, Timeouts, fill_sql};
use sqlx::Row;
use tokio_util::sync::CancellationToken;

/// From so many sequences on, a second connection to NEW saves more time than opening it takes. With that of OLD and that of
/// the pass, they stay within the budget of one server.
const SECOND_CONNECTION_FROM: usize = 400;

/// One of the two databases, connected.
#[derive(Debug)]
pub struct Side {
    /// One at least.
    pub connections: Vec<BoundedConnection>,
    pub sequences: Vec<Sequence>,
}

/// What tells one database from another.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    /// Of the database, on its server.
    oid: i64,
    /// The start of the server, to the microsecond.
    started: String,
    /// Of the server and its replicas; none where the role may not read it.
    system: Option<String>,
    is_replica: bool,
}

/// Why the two databases cannot be used.
#[derive(Debug)]
pub enum Unusable {
    /// They cannot be meant.
    Refused(Reason),
    /// They cannot be reached or read.
    Failed(Reason),
}

/// Connects to both, first to OLD.
///
/// # Errors
///
/// When one cannot be reached.
pub async fn connect(
    request: &Request,
    cancel: &CancellationToken,
) -> Result<(BoundedConnection, BoundedConnection), Reason> {
    let timeouts = request.settings.bounds();
    let [old, new] = [(&request.from, "OLD"), (&request.to, "NEW")].map(async |(database, word)| {
        let failed = |reason: Reason| reason.while_doing(word);
        let target = database.connect_options().map_err(|error| failed(error.into()))?;
        BoundedConnection::connect(&target, timeouts, cancel).await.map_err(|error| failed(error.into()))
    });
    Ok((old.await?, new.await?))
}

/// Refuses one database that was given twice, and a NEW that cannot be written.
///
/// # Errors
///
/// When they are refused, or cannot be told apart.
pub async fn check(
    old: &mut BoundedConnection,
    new: &mut BoundedConnection,
    timeouts: Timeouts,
) -> Result<Vec<Reason>, Unusable> {
    let failed = |word: &'static str| {
        move |error: QueryError| {
            Unusable::Failed(Reason::from(error).while_doing(&format!("{word} cannot be identified")))
        }
    };
    let from = identify(old, timeouts).await.map_err(failed("OLD"))?;
    let to = identify(new, timeouts).await.map_err(failed("NEW"))?;
    let same = from.oid == to.oid && from.started == to.started;
    let copies = from.oid == to.oid && from.system.is_some() && from.system == to.system;
    if same || (copies && (from.is_replica || to.is_replica)) {
        let text = match (same, from.is_replica) {
            (true, _) => "OLD and NEW are the same database; nothing was done",
            (false, true) => "OLD is a replica of NEW, and so the same database; nothing was done",
            (false, false) => "NEW is a replica of OLD, and so the same database; nothing was done",
        };
        return Err(Unusable::Refused(Reason::new(ReasonKind::SameDatabase, text)));
    }
    if let Some(why) = new.server().read_only {
        let text = format!("NEW cannot be written: {why}; nothing was done");
        return Err(Unusable::Refused(Reason::new(ReasonKind::ReadOnly, text)));
    }
    let stale = "OLD is a replica: its sequences may stand before those of its primary, so name the primary";
    Ok(from.is_replica.then(|| Reason::new(ReasonKind::ReadOnly, stale)).into_iter().collect())
}

async fn identify(connection: &mut BoundedConnection, timeouts: Timeouts) -> Result<Identity, QueryError> {
    let mode = TransactionMode::Read;
    let sql = fill_sql::<&str>(include_str!("identity.sql"), &[]);
    let result = connection.run_transaction("identity", mode, timeouts, [sql]).await;
    let rows = result.into_rows()?;
    let row = rows.first().ok_or_else(|| QueryError::UnexpectedResponse("none".to_owned()))?;
    let (oid, started, is_replica) = (row.try_get("oid")?, row.try_get("started")?, row.try_get("is_replica")?);
    // Not every role may read it.
    let sql = "SELECT system_identifier::text FROM pg_catalog.pg_control_system()";
    let result = connection.run_transaction("identity", mode, timeouts, [sql]).await;
    let system = match (result.failure, result.answers.first().and_then(|rows| rows.first())) {
        (None, Some(row)) => Some(row.try_get(0)?),
        (None, None) | (Some(QueryError::PermissionDenied(_)), _) => None,
        (Some(failure), _) => return Err(failure),
    };
    Ok(Identity { oid, started, system, is_replica })
}

impl Side {
    /// Reads the catalog, and connects once more where there is much to do. `word` is `OLD` or `NEW`, as in reasons.
    ///
    /// # Errors
    ///
    /// When the catalog cannot be read.
    pub async fn open(
        word: &'static str,
        mut connection: BoundedConnection,
        request: &Request,
    ) -> Result<Self, Reason> {
        let timeouts = request.settings.bounds();
        let database = if word == "OLD" { &request.from } else { &request.to };
        let catalog = discover(&mut connection, &database.name, &request.settings, timeouts).await;
        let catalog = catalog
            .map_err(|error| Reason::from(error).while_doing(&format!("the catalog of {word} cannot be read")))?;
        let mut connections = vec![connection];
        if word == "NEW" && catalog.sequences.len() >= SECOND_CONNECTION_FROM {
            // The second connection only makes it quicker.
            match connections[0].another(timeouts).await {
                Ok(second) => connections.extend(second),
                Err(error) => tracing::debug!(%error, "no second connection"),
            }
        }
        Ok(Self { connections, sequences: catalog.sequences })
    }

    pub async fn close(self) {
        for connection in self.connections.into_iter().filter(|connection| connection.lost().is_none()) {
            connection.close().await;
        }
    }
}
