//! A held lease: what keeps it, and receives notifications beside it, on one connection.

use super::beacon::Beacon;
use super::{LeaseLost, close};
use crate::db::answers::{ANSWER_WITHIN, rows};
use crate::db::connect::{Opened, open};
use crate::db::conninfo::ConnectTarget;
use crate::db::notification_listener::{ListenError, Listener};
use crate::db::own_transactions::OwnTransactions;
use crate::db::which_server::ask_which_server;
use pgmedic_core::{QueryError, Reason};
use sqlx::postgres::PgRow;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// What a held lease is asked for.
#[derive(Debug)]
pub enum LeaseCommand {
    /// Which server the connection is still open to; empty where that is not known, and none where it is lost.
    Check(oneshot::Sender<Option<String>>),
    /// To try again to receive notifications.
    Listen(Box<ConnectTarget>, oneshot::Sender<Result<(), Reason>>),
    /// The rows of a statement made of constants; none through a pooler, which has no session to ask on.
    Ask(String, oneshot::Sender<Option<Result<Vec<PgRow>, QueryError>>>),
}

/// A held lease.
#[derive(Debug)]
pub enum Standing {
    /// A lock of the session.
    Session { listener: Box<Listener>, listening: Result<(), ListenError> },
    /// A lock for a moment, again and again.
    Beacon(Beacon),
}

impl Standing {
    pub(super) fn session(
        mut listener: Listener,
        listening: Result<(), ListenError>,
        transactions: OwnTransactions,
    ) -> Self {
        listener.count_in(transactions);
        Self::Session { listener: Box::new(listener), listening }
    }

    /// Whether notifications are received, where that was asked for.
    pub fn listening(&self) -> Result<(), ListenError> {
        match self {
            Self::Session { listening, .. } => listening.clone(),
            Self::Beacon(_) => Err(ListenError::Pooled),
        }
    }

    /// Whether a pooler in transaction mode is in between.
    pub fn is_pooled(&self) -> bool {
        matches!(self, Self::Beacon(_))
    }

    /// Keeps the lease until it is lost, or until `stop`, which releases it. Passes each notification on.
    pub async fn keep(
        self,
        notified: impl Fn(&str),
        mut commands: mpsc::Receiver<LeaseCommand>,
        stop: CancellationToken,
    ) -> Option<LeaseLost> {
        match self {
            Self::Session { mut listener, .. } => {
                let work = keep_session(&mut listener, notified, &mut commands);
                let lost = stop.run_until_cancelled(work).await;
                listener.close().await;
                lost
            }
            Self::Beacon(mut beacon) => {
                let lost = stop.run_until_cancelled(keep_beacon(&mut beacon, &mut commands)).await;
                beacon.lower().await;
                lost
            }
        }
    }
}

async fn keep_session(
    listener: &mut Listener,
    notified: impl Fn(&str),
    commands: &mut mpsc::Receiver<LeaseCommand>,
) -> LeaseLost {
    loop {
        tokio::select! {
            notification = listener.next() => match notification {
                Ok(payload) => notified(&payload),
                Err(error) => return LeaseLost(error.to_string()),
            },
            Some(command) = commands.recv() => match command {
                LeaseCommand::Check(answer) => {
                    let server = check(listener).await;
                    listener.count_transaction();
                    // The worker that asked may have ended.
                    let _ = answer.send(server.clone().ok());
                    if let Err(lost) = server {
                        return lost;
                    }
                }
                LeaseCommand::Listen(target, answer) => {
                    let _ = answer.send(listen(listener, &target).await);
                }
                LeaseCommand::Ask(sql, answer) => {
                    let result = ask_rows(listener, sql).await;
                    let lost = result.as_ref().err().filter(|error| error.is_lost()).map(ToString::to_string);
                    let _ = answer.send(Some(result));
                    if let Some(lost) = lost {
                        return LeaseLost(lost);
                    }
                }
            },
        }
    }
}

/// Which server the lease stands on. A lease on a replica counts for nothing: the primary is another server now.
async fn check(listener: &mut Listener) -> Result<String, LeaseLost> {
    if !listener.may_stay() {
        return Err(LeaseLost("no room was left for it".to_owned()));
    }
    let connection = listener.connection().await.map_err(|error| LeaseLost(error.to_string()))?;
    match ask_which_server(connection, "lease").await {
        Ok(server) if server.is_replica => Err(LeaseLost("its server is a replica now".to_owned())),
        Ok(server) => Ok(server.name),
        Err(error) => Err(LeaseLost(error.to_string())),
    }
}

async fn ask_rows(listener: &mut Listener, sql: String) -> Result<Vec<PgRow>, QueryError> {
    if !listener.may_stay() {
        return Err(QueryError::ConnectionLost("no room was left for it".to_owned()));
    }
    match listener.connection().await {
        Ok(connection) => {
            let answer = rows(connection, sql).await;
            listener.count_transaction();
            answer
        }
        Err(error) => Err(QueryError::ConnectionLost(error.to_string())),
    }
}

async fn keep_beacon(beacon: &mut Beacon, commands: &mut mpsc::Receiver<LeaseCommand>) -> LeaseLost {
    let mut shown = std::pin::pin!(beacon.show_until_lost());
    loop {
        tokio::select! {
            lost = &mut shown => return lost,
            Some(command) = commands.recv() => match command {
                LeaseCommand::Check(answer) => { let _ = answer.send(Some(String::new())); }
                LeaseCommand::Listen(_, answer) => { let _ = answer.send(Err(ListenError::Pooled.into())); }
                LeaseCommand::Ask(_, answer) => { let _ = answer.send(None); }
            },
        }
    }
}

async fn listen(listener: &mut Listener, target: &ConnectTarget) -> Result<(), Reason> {
    // While it waits for a place, the lease answers to nothing else.
    let opened = timeout(ANSWER_WITHIN, open(target)).await.map_err(|_| ListenError::NoConnectionLeft)?;
    let Opened { connection: mut other, permit, .. } = opened?;
    let result = listener.listen(&mut other).await;
    close(other).await;
    drop(permit);
    Ok(result?)
}
