//! One cycle of the worker: acquire or renew the lease, make the pass, publish the report.

use super::notify::NotifyListener;
use super::triggers::Triggers;
use crate::agent::leadership::Leadership;
use crate::agent::publisher::Publisher;
use crate::agent::repair_log::{RepairLogContext, RepairLogWriter};
use crate::config::{Database, Sequences};
use crate::db::ConnectTarget;
use crate::db::{Lease, LeaseLost, ListenError};
use crate::progress::Progress;
use crate::report::DatabaseReport;
use crate::sequences::{Invalidation, PassOptions, SequencePassState, pass};
use pgmedic_core::{Reason, ReasonKind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Each statement has timeouts; a pass that takes this long all the same is cancelled.
const MAX_PASS_DURATION: Duration = Duration::from_secs(60 * 60);

/// What a worker was started with.
#[derive(Debug)]
pub struct SequenceWorkerContext {
    pub database: Database,
    pub settings: Sequences,
    /// Agents that do different work in the same database have different keys.
    pub lease_key: i32,
    pub dry_run: bool,
    pub triggers: Arc<Triggers>,
    /// Received by the session worker, which works only while this agent leads.
    pub leadership: watch::Sender<Leadership>,
    pub stop: CancellationToken,
}

/// What is kept from one cycle to the next.
#[derive(Debug)]
pub struct SequenceWorkerState {
    lease: Option<Lease>,
    listener: NotifyListener,
    pass_state: SequencePassState,
    publisher: Publisher,
    repair_log: RepairLogWriter,
}

/// How a cycle ended.
pub enum CycleOutcome {
    /// A pass was completed, or another agent leads.
    Done,
    /// No pass was completed: try again soon.
    RetrySoon,
}

impl SequenceWorkerState {
    pub fn new(publisher: Publisher) -> Self {
        Self {
            lease: None,
            listener: NotifyListener::default(),
            pass_state: SequencePassState::persistent(),
            publisher,
            repair_log: RepairLogWriter::default(),
        }
    }

    /// Renews the lease until it is lost; waits forever where there is none. Dropping this does no harm.
    pub async fn hold_lease(&mut self) -> LeaseLost {
        renew_lease(&mut self.lease).await
    }

    /// Releases the lease, and closes the connection that listens.
    pub async fn release_lease(&mut self) {
        tokio::join!(self.listener.close(), release(self.lease.take()));
    }

    /// A cycle panicked.
    pub fn panicked(&mut self) {
        self.publisher.panicked();
        self.pass_state.invalidate(&Invalidation::All);
    }
}

async fn renew_lease(lease: &mut Option<Lease>) -> LeaseLost {
    match lease {
        Some(lease) => lease.renew_until_lost().await,
        None => std::future::pending().await,
    }
}

async fn release(lease: Option<Lease>) {
    if let Some(lease) = lease {
        lease.release().await;
    }
}

impl SequenceWorkerContext {
    /// Runs one cycle, and publishes what it found.
    pub async fn run_cycle(&self, state: &mut SequenceWorkerState) -> CycleOutcome {
        let invalidation = self.triggers.take_invalidation();
        let notified = !invalidation.is_empty();
        if notified {
            tracing::debug!(database = self.database.name, ?invalidation, "notified");
            // The change may be too new for the server's statistics, which would call the table unchanged.
            state.pass_state.invalidate(&invalidation);
        }
        let Some(options) = self.stop.run_until_cancelled(self.acquire_leadership(state)).await else {
            return CycleOutcome::Done;
        };
        match options {
            Ok(None) => self.standby(state).await,
            Ok(Some(options)) => {
                self.stop.run_until_cancelled(self.listen(state, &options)).await;
                let report = self.pass(state).await;
                if self.stop.is_cancelled() { CycleOutcome::Done } else { self.publish(state, report, notified).await }
            }
            Err(reason) => {
                state.publisher.failure(&reason, Some(false));
                self.after_failure(state, false).await
            }
        }
    }

    /// The lease was lost between two cycles.
    pub fn lease_lost(&self, state: &mut SequenceWorkerState, lost: &LeaseLost) {
        self.mark_lease_lost(&mut state.publisher, &mut state.lease, lost);
    }

    fn mark_lease_lost(&self, publisher: &mut Publisher, lease: &mut Option<Lease>, lost: &LeaseLost) {
        tracing::debug!(database = self.database.name, %lost, "the lease was lost");
        *lease = None;
        publisher.leadership(Leadership::Unknown);
        self.send_leadership(Leadership::Unknown);
    }

    fn send_leadership(&self, leadership: Leadership) {
        self.leadership.send_if_modified(|before| std::mem::replace(before, leadership) != leadership);
    }

    /// Renews the lease or tries to acquire it. Returns how to connect when this agent leads, and none when another does.
    async fn acquire_leadership(&self, state: &mut SequenceWorkerState) -> Result<Option<ConnectTarget>, Reason> {
        let options = self
            .database
            .connect_options()
            .map_err(|error| Reason::new(ReasonKind::Configuration, error.to_string()))?;
        if let Some(lease) = &mut state.lease {
            match lease.renew().await {
                Ok(true) => return Ok(Some(options)),
                Ok(false) => {
                    release(state.lease.take()).await;
                    return Ok(None);
                }
                // Its connection is lost; a new connection shows whether the database is down.
                Err(error) => {
                    tracing::debug!(database = self.database.name, %error, "the lease was lost");
                    state.lease = None;
                }
            }
        }
        state.lease = Lease::acquire(&options, self.lease_key).await?;
        Ok(state.lease.is_some().then_some(options))
    }

    async fn standby(&self, state: &mut SequenceWorkerState) -> CycleOutcome {
        state.listener.close().await;
        // The leader may change sequences meanwhile: a comparison with what was seen before would name wrong causes.
        state.pass_state = SequencePassState::persistent();
        state.repair_log = RepairLogWriter::default();
        state.publisher.standby();
        self.send_leadership(Leadership::Follower);
        CycleOutcome::Done
    }

    /// Listens for NOTIFY, where it does not yet and can.
    async fn listen(&self, state: &mut SequenceWorkerState, options: &ConnectTarget) {
        if !self.settings.listen_notify {
            return;
        }
        match state.listener.open(options, &self.triggers).await {
            // A replica takes no LISTEN. It is tried again after a promotion.
            None | Some(Err(ListenError::Replica)) => {}
            Some(result) => state.publisher.listening(result.map_err(Reason::from)),
        }
    }

    /// Makes the pass, and renews the lease meanwhile.
    async fn pass(&self, state: &mut SequenceWorkerState) -> DatabaseReport {
        let name = &self.database.name;
        let SequenceWorkerState { lease, pass_state, publisher, .. } = state;
        publisher.leadership(Leadership::Leader);
        self.send_leadership(Leadership::Leader);
        let options = PassOptions { dry_run: self.dry_run, cancel: self.stop.child_token(), ..PassOptions::default() };
        let progress = Progress::default();
        let mut pass = pin!(pass(&self.database, &self.settings, &options, pass_state, &progress));
        let mut limit = pin!(sleep(MAX_PASS_DURATION));
        loop {
            tokio::select! {
                report = &mut pass => return report,
                // The pass goes on: it is safe beside that of another leader.
                lost = renew_lease(lease) => self.mark_lease_lost(publisher, lease, &lost),
                () = &mut limit, if !options.cancel.is_cancelled() => {
                    let limit = humantime::format_duration(MAX_PASS_DURATION);
                    tracing::error!(database = name, "a pass over {name} is cancelled: it took longer than {limit}");
                    options.cancel.cancel();
                }
            }
        }
    }

    async fn publish(&self, state: &mut SequenceWorkerState, report: DatabaseReport, notified: bool) -> CycleOutcome {
        let report = Arc::new(report);
        state.publisher.pass(&report);
        if report.error.is_some() {
            return self.after_failure(state, report.server_version.is_some()).await;
        }
        let context = RepairLogContext {
            database: &self.database,
            timeouts: self.settings.bounds(),
            read_only: self.dry_run || !self.settings.repair,
            stop: &self.stop,
        };
        // Last, because it may wait for the database.
        if let Some(found) = state.repair_log.sync_after_pass(&report, notified, context).await {
            state.publisher.inline_repairs(found);
        }
        // Where the lease was lost during the pass, find out soon which agent leads.
        if state.lease.is_some() { CycleOutcome::Done } else { CycleOutcome::RetrySoon }
    }

    async fn after_failure(&self, state: &mut SequenceWorkerState, reached: bool) -> CycleOutcome {
        // Cached findings are outdated; the next values are kept, because they tell the cause of a later drift.
        state.pass_state.invalidate(&Invalidation::All);
        if !reached {
            // An open connection would delay a server that is shutting down, and the lease another agent.
            state.release_lease().await;
            state.publisher.leadership(Leadership::Unknown);
            self.send_leadership(Leadership::Unknown);
        }
        CycleOutcome::RetrySoon
    }
}
