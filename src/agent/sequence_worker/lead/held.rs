//! A held lease, and the task that keeps it.

use crate::agent::sequence_worker::triggers::Triggers;
use crate::agent::worker::catch_panic;
use crate::config::Database;
use crate::db::{LeaseCommand, LeaseLost, ListenError, Standing};
use pgmedic_core::{QueryError, Reason};
use sqlx::postgres::PgRow;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A held lease, kept by a task.
#[derive(Debug)]
pub struct HeldLease {
    /// From 1 on.
    pub number: u64,
    /// The database in which it stands.
    pub member: usize,
    commands: mpsc::Sender<LeaseCommand>,
    /// Whether notifications are received there.
    pub listening: Result<(), Reason>,
    task: JoinHandle<()>,
    stop: DropGuard,
}

impl HeldLease {
    /// Keeps it until it is released or lost. A loss is told by its number, and triggers a cycle.
    pub fn keep(
        number: u64,
        member: usize,
        standing: Standing,
        triggers: Arc<Triggers>,
        lost: watch::Sender<u64>,
    ) -> Self {
        let listening = standing.listening().map_err(Reason::from);
        let (commands, receiver) = mpsc::channel(4);
        let stop = CancellationToken::new();
        let keep = {
            let (stop, triggers) = (stop.clone(), Arc::clone(&triggers));
            async move { standing.keep(|payload| triggers.notify_received(payload), receiver, stop).await }
        };
        let task = tokio::spawn(async move {
            let ended = catch_panic(keep).await.unwrap_or_else(|| Some(LeaseLost::panicked()));
            if let Some(reason) = ended {
                tracing::debug!(%reason, "the lease was lost");
                // Before the notification, whose cycle must not take this lease for held.
                lost.send_modify(|last| *last = (*last).max(number));
                // Any notification may have been missed.
                triggers.notify_received("");
            }
        });
        Self { number, member, commands, listening, task, stop: stop.drop_guard() }
    }

    /// Which server its connection is still open to; empty where that is not known, and none where it is lost.
    pub async fn check(&self) -> Option<String> {
        let (answer, server) = oneshot::channel();
        self.commands.send(LeaseCommand::Check(answer)).await.ok()?;
        server.await.ok()?
    }

    pub async fn listen(&self, database: &Database) -> Result<(), Reason> {
        let target = database.connect_options()?;
        let (answer, listening) = oneshot::channel();
        let lost = || Reason::from(ListenError::Other("the connection was lost".to_owned()));
        self.commands.send(LeaseCommand::Listen(Box::new(target), answer)).await.map_err(|_| lost())?;
        listening.await.map_err(|_| lost())?
    }

    /// The rows of a statement on its connection; none where it has no connection, or lost it.
    pub async fn ask(&self, sql: String) -> Option<Result<Vec<PgRow>, QueryError>> {
        let (answer, rows) = oneshot::channel();
        self.commands.send(LeaseCommand::Ask(sql, answer)).await.ok()?;
        rows.await.ok()?
    }

    /// Returns when its connection is closed.
    pub async fn release(self) {
        drop(self.stop);
        // A panic of the task has closed its connection too.
        let _ = self.task.await;
    }
}
