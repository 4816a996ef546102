//! One turn of a keeper's: lead or stand by, make the pass, say what was found.

use crate::agent::change_log::DatabaseChangeLog;
use crate::agent::leadership::Leadership;
use crate::agent::repair_log::{RepairLogContext, RepairLogWriter};
use crate::agent::sequence_worker::notify::NotifyListener;
use crate::agent::sequence_worker::triggers::Triggers;
use crate::config::{Database, Sequences};
use crate::db::ConnectTarget;
use crate::db::{Lease, LeaseLost, ListenError};
use crate::metrics::{Metrics, SEQUENCES};
use crate::progress::Progress;
use crate::report::DatabaseReport;
use crate::sequences::{Invalidation, PassOptions, SequencePassState, pass};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Each statement has limits of its own; a pass that takes this long all the same gets nowhere.
const MAX_PASS_DURATION: Duration = Duration::from_secs(60 * 60);

/// What a keeper does, which stays as it is.
#[derive(Debug)]
pub struct SequenceWorkerContext {
    pub database: Database,
    pub settings: Sequences,
    /// Tells apart agents that do different work here.
    pub key: i32,
    pub dry_run: bool,
    pub bell: Arc<Triggers>,
    pub metrics: Arc<Metrics>,
    /// Told to whoever else works only while this agent leads.
    pub lead: watch::Sender<Leadership>,
    pub stop: CancellationToken,
}

/// What is handed from turn to turn.
#[derive(Debug)]
pub struct SequenceWorkerState {
    lease: Option<Lease>,
    ear: NotifyListener,
    memory: SequencePassState,
    journal: DatabaseChangeLog,
    scribe: RepairLogWriter,
}

/// How a turn ended.
pub enum CycleOutcome {
    /// Looked at and repaired, or found that somebody else leads.
    Done,
    /// Not looked at, or not to the end: to be tried again soon.
    RetrySoon,
}

impl Default for SequenceWorkerState {
    fn default() -> Self {
        Self {
            lease: None,
            ear: NotifyListener::default(),
            memory: SequencePassState::persistent(),
            journal: DatabaseChangeLog::default(),
            scribe: RepairLogWriter::default(),
        }
    }
}

impl SequenceWorkerState {
    /// Keeps the lead for as long as it is ours; waits for ever where it is not. Dropping this does no harm.
    pub async fn keep_lead(&mut self) -> LeaseLost {
        renew_lease(&mut self.lease).await
    }

    /// Gives back the lead, and the connection that listens.
    pub async fn release_lease(&mut self) {
        tokio::join!(self.ear.close(), release(self.lease.take()));
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
    /// Takes a turn. What it finds is logged, counted and put on the board.
    pub async fn run_cycle(&self, state: &mut SequenceWorkerState) -> CycleOutcome {
        let doubt = self.bell.take_invalidation();
        let woken = !doubt.is_empty();
        if woken {
            tracing::debug!(database = self.database.name, ?doubt, "woken");
            // What was notified may be too new for the server's statistics.
            state.memory.invalidate(&doubt);
        }
        let Some(leads) = self.stop.run_until_cancelled(self.acquire_leadership(state)).await else {
            return CycleOutcome::Done;
        };
        match leads {
            Ok(None) => self.stand_by(state).await,
            Ok(Some(options)) => {
                self.stop.run_until_cancelled(self.listen(state, &options)).await;
                let report = self.pass(state).await;
                if self.stop.is_cancelled() { CycleOutcome::Done } else { self.publish(state, report, woken).await }
            }
            Err(reason) => self.record_failure(state, &reason, Some(false)).await,
        }
    }

    /// Counts and logs a turn that panicked.
    pub async fn panicked(&self, state: &mut SequenceWorkerState) {
        self.metrics.count_panic(&self.database.name);
        self.record_failure(state, "a pass panicked: this is a bug of pgmedic's, please report it", None).await;
    }

    /// The lead is gone between two turns.
    pub fn lost_lead(&self, state: &mut SequenceWorkerState, lost: &LeaseLost) {
        self.mark_leadership_lost(&mut state.lease, lost);
    }

    fn mark_leadership_lost(&self, lease: &mut Option<Lease>, lost: &LeaseLost) {
        tracing::debug!(database = self.database.name, %lost, "the lead was lost");
        *lease = None;
        self.publish_leadership(Leadership::Unknown);
    }

    fn publish_leadership(&self, lead: Leadership) {
        self.metrics.board().update(&self.database.name, |station| station.leader = lead == Leadership::Leader);
        self.lead.send_if_modified(|before| std::mem::replace(before, lead) != lead);
    }

    /// Leads already, or becomes the leader, and then how to connect; or not.
    async fn acquire_leadership(&self, state: &mut SequenceWorkerState) -> Result<Option<ConnectTarget>, String> {
        let options = self.database.connect_options().map_err(|error| error.to_string())?;
        if let Some(lease) = &mut state.lease {
            match lease.renew().await {
                Ok(true) => return Ok(Some(options)),
                Ok(false) => {
                    release(state.lease.take()).await;
                    return Ok(None);
                }
                // Its connection is lost; a new one tells whether the database is.
                Err(error) => {
                    tracing::debug!(database = self.database.name, %error, "the lead was lost");
                    state.lease = None;
                }
            }
        }
        state.lease = Lease::acquire(&options, self.key).await.map_err(|error| error.to_string())?;
        Ok(state.lease.is_some().then_some(options))
    }

    async fn stand_by(&self, state: &mut SequenceWorkerState) -> CycleOutcome {
        let name = &self.database.name;
        state.ear.close().await;
        state.journal.log_leadership(name, false);
        self.metrics.count_skipped(name, SEQUENCES, "standby");
        // What the leader does meanwhile is no drift's cause that we could know.
        state.memory = SequencePassState::persistent();
        state.scribe = RepairLogWriter::default();
        self.publish_leadership(Leadership::Follower);
        self.metrics.board().update(name, |station| station.report = None);
        self.record_success(state);
        CycleOutcome::Done
    }

    /// Opens the ear, where it is not open and notifications can be heard.
    async fn listen(&self, state: &mut SequenceWorkerState, options: &ConnectTarget) {
        if !self.settings.listen_notify {
            return;
        }
        match state.ear.open(options, &self.bell).await {
            None => {}
            // As it should be; after promotion it is tried again.
            Some(Err(ListenError::Replica)) => {}
            Some(result) => {
                state.journal.log_listening(&self.database.name, result.err().map(|error| error.to_string()));
            }
        }
    }

    /// Makes the pass, and keeps the lead meanwhile.
    async fn pass(&self, state: &mut SequenceWorkerState) -> DatabaseReport {
        let name = &self.database.name;
        state.journal.log_leadership(name, true);
        self.publish_leadership(Leadership::Leader);
        let orders = PassOptions { dry_run: self.dry_run, cancel: self.stop.child_token(), ..PassOptions::default() };
        let progress = Progress::default();
        let mut work = pin!(pass(&self.database, &self.settings, &orders, &mut state.memory, &progress));
        let mut limit = pin!(sleep(MAX_PASS_DURATION));
        loop {
            tokio::select! {
                report = &mut work => return report,
                // The pass goes on: it is safe beside another leader's.
                lost = renew_lease(&mut state.lease) => self.mark_leadership_lost(&mut state.lease, &lost),
                () = &mut limit, if !orders.cancel.is_cancelled() => {
                    let limit = humantime::format_duration(MAX_PASS_DURATION);
                    tracing::error!(database = name, "a pass over {name} is ended: it took longer than {limit}");
                    orders.cancel.cancel();
                }
            }
        }
    }

    async fn publish(&self, state: &mut SequenceWorkerState, report: DatabaseReport, woken: bool) -> CycleOutcome {
        if let Some(reason) = &report.error {
            self.metrics.count(&report);
            return self.record_failure(state, &reason.to_string(), Some(report.server_version.is_some())).await;
        }
        // What is counted is shown already, and what is written elsewhere holds up neither.
        let report = Arc::new(report);
        self.metrics.board().record_pass(&self.database.name, Arc::clone(&report));
        self.metrics.count(&report);
        state.journal.log_report(&report);
        let desk = RepairLogContext {
            database: &self.database,
            bounds: self.settings.bounds(),
            look_only: self.dry_run || !self.settings.repair,
            metrics: &self.metrics,
            stop: &self.stop,
        };
        state.scribe.sync_after_pass(&report, woken, desk).await;
        self.record_success(state);
        // Where the lead was lost meanwhile, whoever has it now is soon to be known.
        if state.lease.is_some() { CycleOutcome::Done } else { CycleOutcome::RetrySoon }
    }

    fn record_success(&self, state: &mut SequenceWorkerState) {
        state.journal.log_recovered(&self.database.name);
        self.metrics.board().update(&self.database.name, |station| {
            station.up = Some(true);
            station.last_error = None;
        });
    }

    /// `reached` says whether the database answered at all, if that is known.
    async fn record_failure(
        &self,
        state: &mut SequenceWorkerState,
        reason: &str,
        reached: Option<bool>,
    ) -> CycleOutcome {
        state.journal.log_unreachable(&self.database.name, reason);
        // What was seen before is no news of now; it still tells why something drifted meanwhile.
        state.memory.invalidate(&Invalidation::All);
        if reached == Some(false) {
            // A connection that is still there would hold up a server that is shutting down, and another agent.
            state.release_lease().await;
            self.publish_leadership(Leadership::Unknown);
        }
        self.metrics.board().update(&self.database.name, |station| {
            station.up = reached.or(station.up);
            station.report = None;
            station.last_error = Some(reason.to_owned());
        });
        CycleOutcome::RetrySoon
    }
}
