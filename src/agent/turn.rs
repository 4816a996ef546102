//! One turn of a keeper's: lead or stand by, make the pass, say what was found.

use super::bell::Bell;
use super::journal::Journal;
use super::scribe::{Desk, Scribe};
use super::wake::Ear;
use crate::config::{Database, Sequences};
use crate::db::{Lease, ListenError, Lost};
use crate::metrics::{Metrics, SEQUENCES};
use crate::report::{DatabaseReport, Progress};
use crate::sequences::{Doubt, Memory, Orders, pass};
use sqlx::postgres::PgConnectOptions;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Each statement has limits of its own; a pass that takes this long all the same gets nowhere.
const PASS_WITHIN: Duration = Duration::from_secs(60 * 60);

/// What a keeper does, which stays as it is.
#[derive(Debug)]
pub struct Work {
    pub database: Database,
    pub settings: Sequences,
    /// Tells apart agents that do different work here.
    pub key: i32,
    pub dry_run: bool,
    pub bell: Arc<Bell>,
    pub metrics: Arc<Metrics>,
    /// Told to whoever else works only while this agent leads.
    pub lead: watch::Sender<Lead>,
    pub stop: CancellationToken,
}

/// What is handed from turn to turn.
#[derive(Debug)]
pub struct State {
    lease: Option<Lease>,
    ear: Ear,
    memory: Memory,
    journal: Journal,
    scribe: Scribe,
}

/// Whether this agent leads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lead {
    /// Not now; that somebody else does is not known.
    #[default]
    Open,
    Ours,
    Anothers,
}

/// How a turn ended.
pub enum Ended {
    /// Looked at and mended, or found that somebody else leads.
    Well,
    /// Not looked at, or not to the end: to be tried again soon.
    Badly,
}

impl Default for State {
    fn default() -> Self {
        Self {
            lease: None,
            ear: Ear::default(),
            memory: Memory::lasting(),
            journal: Journal::default(),
            scribe: Scribe::default(),
        }
    }
}

impl State {
    /// Keeps the lead for as long as it is ours; waits for ever where it is not. Dropping this does no harm.
    pub async fn keep_lead(&mut self) -> Lost {
        keep(&mut self.lease).await
    }

    /// Gives back the lead, and the connection that listens.
    pub async fn give_back(&mut self) {
        tokio::join!(self.ear.close(), release(self.lease.take()));
    }
}

async fn keep(lease: &mut Option<Lease>) -> Lost {
    match lease {
        Some(lease) => lease.keep().await,
        None => std::future::pending().await,
    }
}

async fn release(lease: Option<Lease>) {
    if let Some(lease) = lease {
        lease.release().await;
    }
}

impl Work {
    /// Takes a turn. What it finds is logged, counted and put on the board.
    pub async fn turn(&self, state: &mut State) -> Ended {
        let doubt = self.bell.doubt();
        let woken = !doubt.is_none();
        if woken {
            tracing::debug!(database = self.database.name, ?doubt, "woken");
            // What was notified may be too new for the server's statistics.
            state.memory.doubt(&doubt);
        }
        let Some(leads) = self.stop.run_until_cancelled(self.lead(state)).await else { return Ended::Well };
        match leads {
            Ok(None) => self.stand_by(state).await,
            Ok(Some(options)) => {
                self.stop.run_until_cancelled(self.listen(state, &options)).await;
                let report = self.pass(state).await;
                if self.stop.is_cancelled() { Ended::Well } else { self.publish(state, report, woken).await }
            }
            Err(reason) => self.failed(state, &reason, Some(false)).await,
        }
    }

    /// Counts and logs a turn that panicked.
    pub async fn panicked(&self, state: &mut State) {
        self.metrics.count_panic(&self.database.name);
        self.failed(state, "a pass panicked: this is a bug of pgmedic's, please report it", None).await;
    }

    /// The lead is gone between two turns.
    pub fn lost_lead(&self, state: &mut State, lost: &Lost) {
        self.lost(&mut state.lease, lost);
    }

    fn lost(&self, lease: &mut Option<Lease>, lost: &Lost) {
        tracing::debug!(database = self.database.name, %lost, "the lead was lost");
        *lease = None;
        self.announce(Lead::Open);
    }

    fn announce(&self, lead: Lead) {
        self.metrics.board().update(&self.database.name, |station| station.leader = lead == Lead::Ours);
        self.lead.send_if_modified(|before| std::mem::replace(before, lead) != lead);
    }

    /// Leads already, or becomes the leader, and then how to connect; or not.
    async fn lead(&self, state: &mut State) -> Result<Option<PgConnectOptions>, String> {
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
        state.lease = Lease::take(&options, self.key).await.map_err(|error| error.to_string())?;
        Ok(state.lease.is_some().then_some(options))
    }

    async fn stand_by(&self, state: &mut State) -> Ended {
        let name = &self.database.name;
        state.ear.close().await;
        state.journal.leads(name, false);
        self.metrics.count_skipped(name, SEQUENCES, "standby");
        // What the leader does meanwhile is no drift's cause that we could know.
        state.memory = Memory::lasting();
        state.scribe = Scribe::default();
        self.announce(Lead::Anothers);
        self.metrics.board().update(name, |station| station.report = None);
        self.well(state);
        Ended::Well
    }

    /// Opens the ear, where it is not open and notifications can be heard.
    async fn listen(&self, state: &mut State, options: &PgConnectOptions) {
        if !self.settings.listen {
            return;
        }
        match state.ear.open(options, &self.bell).await {
            None => {}
            // As it should be; after promotion it is tried again.
            Some(Err(ListenError::Replica)) => {}
            Some(result) => {
                state.journal.listens(&self.database.name, result.err().map(|error| error.to_string()));
            }
        }
    }

    /// Makes the pass, and keeps the lead meanwhile.
    async fn pass(&self, state: &mut State) -> DatabaseReport {
        let name = &self.database.name;
        state.journal.leads(name, true);
        self.announce(Lead::Ours);
        let orders = Orders { dry_run: self.dry_run, stop: self.stop.child_token(), ..Orders::default() };
        let progress = Progress::default();
        let mut work = pin!(pass(&self.database, &self.settings, &orders, &mut state.memory, &progress));
        let mut limit = pin!(sleep(PASS_WITHIN));
        loop {
            tokio::select! {
                report = &mut work => return report,
                // The pass goes on: it is safe beside another leader's.
                lost = keep(&mut state.lease) => self.lost(&mut state.lease, &lost),
                () = &mut limit, if !orders.stop.is_cancelled() => {
                    let limit = humantime::format_duration(PASS_WITHIN);
                    tracing::error!(database = name, "a pass over {name} is ended: it took longer than {limit}");
                    orders.stop.cancel();
                }
            }
        }
    }

    async fn publish(&self, state: &mut State, report: DatabaseReport, woken: bool) -> Ended {
        if let Some(reason) = &report.error {
            self.metrics.count(&report);
            return self.failed(state, reason, Some(report.server_version.is_some())).await;
        }
        // What is counted is shown already, and what is written elsewhere holds up neither.
        let report = Arc::new(report);
        self.metrics.board().looked_at(&self.database.name, Arc::clone(&report));
        self.metrics.count(&report);
        state.journal.note(&report);
        let desk = Desk {
            database: &self.database,
            bounds: self.settings.bounds(),
            look_only: self.dry_run || !self.settings.repair,
            metrics: &self.metrics,
            stop: &self.stop,
        };
        state.scribe.write(&report, woken, desk).await;
        self.well(state);
        // Where the lead was lost meanwhile, whoever has it now is soon to be known.
        if state.lease.is_some() { Ended::Well } else { Ended::Badly }
    }

    fn well(&self, state: &mut State) {
        state.journal.up(&self.database.name);
        self.metrics.board().update(&self.database.name, |station| {
            station.up = Some(true);
            station.trouble = None;
        });
    }

    /// `reached` says whether the database answered at all, if that is known.
    async fn failed(&self, state: &mut State, reason: &str, reached: Option<bool>) -> Ended {
        state.journal.down(&self.database.name, reason);
        // What was seen before is no news of now; it still tells why something drifted meanwhile.
        state.memory.doubt(&Doubt::All);
        if reached == Some(false) {
            // A connection that is still there would hold up a server that is shutting down, and another agent.
            state.give_back().await;
            self.announce(Lead::Open);
        }
        self.metrics.board().update(&self.database.name, |station| {
            station.up = reached.or(station.up);
            station.report = None;
            station.trouble = Some(reason.to_owned());
        });
        Ended::Badly
    }
}
