//! Sweeps one database's session stores, each by its own schedule, for as long as this agent leads there.
//!
//! A task of its own: a long sweep holds up no repair.

use super::backoff::place_in_the_spread;
use super::ledger::Ledger;
use super::queue::Queue;
use super::rhythm::{Rhythm, rhythm};
use super::turn::Lead;
use crate::config::{Database, SessionStore, Settings};
use crate::db::Bounds;
use crate::metrics::{Metrics, SESSIONS};
use crate::orders::Orders;
use crate::report::SessionReport;
use crate::sessions::{Memory, not_reached, pass};
use chrono::Utc;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// A running sweeper: one task, so that no sweep of a store ever overlaps another.
#[derive(Debug)]
pub struct Sweeper {
    name: String,
    /// Of each store, in order.
    schedules: Vec<String>,
    queue: Arc<Queue>,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    task: AbortOnDropHandle<()>,
}

impl Sweeper {
    /// Looks at every store as soon as `lead` says that this agent leads. None where the database has no stores.
    pub fn start(
        settings: &Settings,
        database: &Database,
        dry_run: bool,
        metrics: &Arc<Metrics>,
        lead: watch::Receiver<Lead>,
    ) -> Option<Self> {
        let stores: Vec<SessionStore> = SessionStore::of(&settings.sessions, &database.name).cloned().collect();
        let now = Utc::now();
        let rhythms: Vec<Rhythm> = stores.iter().map(|store| rhythm(&store.schedule, now)).collect();
        let shortest = rhythms.iter().map(|rhythm| rhythm.shortest).min()?;
        // A sweep of any store is a sign of life.
        let longest = rhythms.iter().map(|rhythm| rhythm.longest).min()?;
        let name = database.name.clone();
        metrics.expect_stores(&name, stores.iter().map(|store| store.name.as_str()));
        metrics.board().update(&name, |station| station.sweeps.interval = Some(longest.as_secs_f64()));
        let (queue, stop) = (Arc::new(Queue::default()), CancellationToken::new());
        let schedules = stores.iter().map(|store| store.schedule.clone()).collect();
        let work = Work {
            database: database.clone(),
            stores,
            bounds: settings.sequences.bounds(),
            dry_run,
            lead,
            delay: place_in_the_spread(shortest),
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
            task: AbortOnDropHandle::new(tokio::spawn(work.keep())),
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
struct Work {
    database: Database,
    stores: Vec<SessionStore>,
    bounds: Bounds,
    dry_run: bool,
    lead: watch::Receiver<Lead>,
    delay: Duration,
    queue: Arc<Queue>,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
}

impl Work {
    /// Sweeps what is due: everything when this agent becomes the leader, and then by the schedule.
    async fn keep(mut self) {
        let (mut memory, mut ledger) = (Memory::lasting(), Ledger::default());
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
                        Lead::Ours if fresh => {
                            fresh = false;
                            (0..self.stores.len()).for_each(|store| { self.queue.tick(store); });
                        }
                        Lead::Anothers => {
                            fresh = true;
                            self.retire(&mut memory);
                        }
                        Lead::Ours | Lead::Open => {}
                    }
                }
                () = self.queue.filled() => {
                    if self.stop.run_until_cancelled(sleep(self.delay)).await.is_some() {
                        self.turn(&mut memory, &mut ledger).await;
                    }
                }
            }
        }
    }

    /// What another leader does meanwhile is not ours to tell, nor to build upon: our next pass only looks again.
    fn retire(&self, memory: &mut Memory) {
        *memory = Memory::lasting();
        self.metrics.board().update(&self.database.name, |station| station.sweeps.stores.clear());
    }

    async fn turn(&self, memory: &mut Memory, ledger: &mut Ledger) {
        let due = self.queue.begin();
        let stores: Vec<&SessionStore> = due.iter().filter_map(|store| self.stores.get(*store)).collect();
        if *self.lead.borrow() == Lead::Ours {
            let started = Instant::now();
            let orders = Orders { dry_run: self.dry_run, stop: self.stop.child_token(), ..Orders::default() };
            let work = pass(&self.database, &stores, self.bounds, &orders, memory);
            let reports = AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
                not_reached(&stores, "the pass panicked: this is a bug of pgmedic's, please report it")
            });
            if !self.stop.is_cancelled() {
                self.publish(reports, started.elapsed(), ledger);
            }
        } else {
            self.metrics.count_skipped(&self.database.name, SESSIONS, "standby");
        }
        self.queue.end();
    }

    fn publish(&self, reports: Vec<SessionReport>, took: Duration, ledger: &mut Ledger) {
        let name = &self.database.name;
        for report in &reports {
            ledger.note(name, report);
        }
        self.metrics.count_sweep(name, &reports, took.as_secs_f64());
        self.metrics.board().swept(name, reports);
    }
}
