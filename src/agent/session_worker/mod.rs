//! Sweeps one database's session stores, each by its own schedule, for as long as this agent leads there.
//!
//! A task of its own: a long sweep holds up no repair.

mod due_stores;

use super::backoff::schedule_jitter;
use super::ledger::SessionChangeLog;
use crate::agent::leadership::Leadership;
use crate::agent::scheduler::cron_intervals::{CronIntervals, cron_intervals};
use crate::agent::session_worker::due_stores::DueStores;
use crate::clock;
use crate::config::{Database, SessionStoreConfig, Settings};
use crate::metrics::{Metrics, SESSIONS};
use crate::pass_options::PassOptions;
use crate::report::SessionReport;
use crate::sessions::{SessionPassState, pass, unreachable_reports};
use futures_util::FutureExt;
use pgmedic_core::Timeouts;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// A running sweeper: one task, so that no sweep of a store ever overlaps another.
#[derive(Debug)]
pub struct SessionWorker {
    name: String,
    /// Of each store, in order.
    schedules: Vec<String>,
    queue: Arc<DueStores>,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    task: AbortOnDropHandle<()>,
}

impl SessionWorker {
    /// Looks at every store as soon as `lead` says that this agent leads. None where the database has no stores.
    pub fn start(
        settings: &Settings,
        database: &Database,
        dry_run: bool,
        metrics: &Arc<Metrics>,
        lead: watch::Receiver<Leadership>,
    ) -> Option<Self> {
        let stores: Vec<SessionStoreConfig> =
            SessionStoreConfig::for_database(&settings.sessions, &database.name).cloned().collect();
        let now = clock::now().into();
        let rhythms: Vec<CronIntervals> = stores.iter().map(|store| cron_intervals(&store.schedule, now)).collect();
        let shortest = rhythms.iter().map(|rhythm| rhythm.shortest).min()?;
        // A sweep of any store is a sign of life.
        let longest = rhythms.iter().map(|rhythm| rhythm.longest).min()?;
        let name = database.name.clone();
        metrics.init_stores(&name, stores.iter().map(|store| store.name.as_str()));
        metrics.board().update(&name, |station| station.sweeps.interval = Some(longest.as_secs_f64()));
        let (queue, stop) = (Arc::new(DueStores::default()), CancellationToken::new());
        let schedules = stores.iter().map(|store| store.schedule.clone()).collect();
        let work = SessionWorkerContext {
            database: database.clone(),
            stores,
            bounds: settings.sequences.bounds(),
            dry_run,
            lead,
            delay: schedule_jitter(shortest),
            queue: Arc::clone(&queue),
            metrics: Arc::clone(metrics),
            stop: stop.clone(),
        };
        Some(Self {
            name,
            schedules,
            queue,
            metrics: Arc::clone(metrics),
            stop,
            task: AbortOnDropHandle::new(tokio::spawn(work.run())),
        })
    }

    /// Each store's schedule, and what it is to call.
    pub fn tickers(&self) -> impl Iterator<Item = (&str, impl Fn() + Send + Sync + 'static)> {
        self.schedules.iter().enumerate().map(|(store, line)| {
            let (name, queue, metrics) = (self.name.clone(), Arc::clone(&self.queue), Arc::clone(&self.metrics));
            let tick = move || {
                if !queue.tick(store) {
                    metrics.count_skipped(&name, SESSIONS, "running");
                }
            };
            (line.as_str(), tick)
        })
    }

    /// Tells the sweep in progress to stop after its batch, and waits for it.
    pub async fn finish(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(database = self.name, %error, "the sweeper ended before its time: this is a bug of pgmedic's");
        }
    }
}

/// What a sweeper does, which stays as it is.
struct SessionWorkerContext {
    database: Database,
    stores: Vec<SessionStoreConfig>,
    bounds: Timeouts,
    dry_run: bool,
    lead: watch::Receiver<Leadership>,
    delay: Duration,
    queue: Arc<DueStores>,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
}

impl SessionWorkerContext {
    /// Sweeps what is due: everything when this agent becomes the leader, and then by the schedule.
    async fn run(mut self) {
        let (mut memory, mut ledger) = (SessionPassState::persistent(), SessionChangeLog::default());
        // Nothing was looked at since somebody else may have led.
        let mut fresh = true;
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return,
                changed = self.lead.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let lead = *self.lead.borrow_and_update();
                    match lead {
                        Leadership::Leader if fresh => {
                            fresh = false;
                            (0..self.stores.len()).for_each(|store| { self.queue.tick(store); });
                        }
                        Leadership::Follower => {
                            fresh = true;
                            self.forget_state(&mut memory);
                        }
                        Leadership::Leader | Leadership::Unknown => {}
                    }
                }
                () = self.queue.wait() => {
                    if self.stop.run_until_cancelled(sleep(self.delay)).await.is_some() {
                        self.sweep_due_stores(&mut memory, &mut ledger).await;
                    }
                }
            }
        }
    }

    /// What another leader does meanwhile is not ours to tell, nor to build upon: our next pass only looks again.
    fn forget_state(&self, memory: &mut SessionPassState) {
        *memory = SessionPassState::persistent();
        self.metrics.board().update(&self.database.name, |station| station.sweeps.stores.clear());
    }

    async fn sweep_due_stores(&self, memory: &mut SessionPassState, ledger: &mut SessionChangeLog) {
        let due = self.queue.begin();
        let stores: Vec<&SessionStoreConfig> = due.iter().filter_map(|store| self.stores.get(*store)).collect();
        if *self.lead.borrow() == Leadership::Leader {
            let started = Instant::now();
            let orders =
                PassOptions { dry_run: self.dry_run, cancel: self.stop.child_token(), ..PassOptions::default() };
            let work = pass(&self.database, &stores, self.bounds, &orders, memory);
            let reports = AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
                unreachable_reports(&stores, "the pass panicked: this is a bug of pgmedic's, please report it")
            });
            if !self.stop.is_cancelled() {
                self.publish(reports, started.elapsed(), ledger);
            }
        } else {
            self.metrics.count_skipped(&self.database.name, SESSIONS, "standby");
        }
        self.queue.end();
    }

    fn publish(&self, reports: Vec<SessionReport>, took: Duration, ledger: &mut SessionChangeLog) {
        let name = &self.database.name;
        for report in &reports {
            ledger.note(name, report);
        }
        self.metrics.count_sweep(name, &reports, took.as_secs_f64());
        self.metrics.board().record_sweep(name, reports);
    }
}
