//! Sweeps one database's session stores, each by its own schedule, for as long as this agent leads there.
//!
//! A task of its own: a long sweep holds up no repair.

use super::backoff::random;
use super::ledger::Ledger;
use super::queue::Queue;
use crate::config::{Database, SessionStore};
use crate::db::Bounds;
use crate::metrics::{Metrics, SESSIONS};
use crate::orders::Orders;
use crate::report::SessionReport;
use crate::sessions::{Memory, not_reached, pass};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Agents that tick by the same cron line spread over at most this long.
const WIDEST_SPREAD: Duration = Duration::from_secs(1);

/// A running sweeper: one task, so that no sweep of a store ever overlaps another.
#[derive(Debug)]
pub struct Sweeper {
    name: String,
    queue: Arc<Queue>,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// What a sweeper does, which stays as it is.
#[derive(Debug)]
pub struct Sweep {
    pub database: Database,
    pub stores: Vec<SessionStore>,
    pub bounds: Bounds,
    pub dry_run: bool,
    /// Whether this agent leads on the database.
    pub leads: watch::Receiver<bool>,
}

impl Sweeper {
    /// Looks at every store as soon as this agent leads. `interval` is the shortest of the stores'.
    pub fn start(sweep: Sweep, interval: Duration, metrics: &Arc<Metrics>) -> Self {
        let name = sweep.database.name.clone();
        metrics.expect_stores(&name, sweep.stores.iter().map(|store| store.name.as_str()));
        metrics.board().update(&name, |station| station.sweeps.interval = Some(interval.as_secs_f64()));
        let (queue, stop) = (Arc::new(Queue::default()), CancellationToken::new());
        let delay = WIDEST_SPREAD.min(interval / 20).mul_f64(random());
        let work = Work { sweep, delay, queue: Arc::clone(&queue), metrics: Arc::clone(metrics), stop: stop.clone() };
        Self { name, queue, metrics: Arc::clone(metrics), stop, task: tokio::spawn(work.keep()) }
    }

    /// What the schedule of this store is to call.
    pub fn ticker(&self, store: usize) -> impl Fn() + Send + Sync + 'static {
        let (name, queue, metrics) = (self.name.clone(), Arc::clone(&self.queue), Arc::clone(&self.metrics));
        move || {
            if !queue.tick(store) {
                metrics.count_skipped(&name, SESSIONS, "running");
            }
        }
    }

    /// Tells the sweep in progress to stop after its batch, and waits for it.
    pub async fn finish(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(database = self.name, %error, "the sweeper ended before its time: this is a bug of pgmedic's");
        }
    }
}

struct Work {
    sweep: Sweep,
    delay: Duration,
    queue: Arc<Queue>,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
}

impl Work {
    /// Sweeps what is due: everything when this agent becomes the leader, and then by the schedule.
    async fn keep(mut self) {
        let (mut memory, mut ledger) = (Memory::lasting(), Ledger::default());
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return,
                changed = self.sweep.leads.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    if *self.sweep.leads.borrow_and_update() {
                        (0..self.sweep.stores.len()).for_each(|store| { self.queue.tick(store); });
                    } else {
                        self.retire(&mut memory);
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
        self.metrics.board().update(&self.sweep.database.name, |station| station.sweeps.stores.clear());
    }

    async fn turn(&self, memory: &mut Memory, ledger: &mut Ledger) {
        let due = self.queue.begin();
        let stores: Vec<&SessionStore> = due.iter().filter_map(|store| self.sweep.stores.get(*store)).collect();
        if *self.sweep.leads.borrow() {
            let started = Instant::now();
            let orders = Orders { dry_run: self.sweep.dry_run, approved: Vec::new(), stop: self.stop.child_token() };
            let work = pass(&self.sweep.database, &stores, self.sweep.bounds, &orders, memory);
            let reports = AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
                not_reached(&stores, "the pass panicked: this is a bug of pgmedic's, please report it")
            });
            if !self.stop.is_cancelled() {
                self.publish(reports, started.elapsed(), ledger);
            }
        } else {
            self.metrics.count_skipped(&self.sweep.database.name, SESSIONS, "standby");
        }
        self.queue.end();
    }

    fn publish(&self, reports: Vec<SessionReport>, took: Duration, ledger: &mut Ledger) {
        let name = &self.sweep.database.name;
        for report in &reports {
            ledger.note(name, report);
        }
        self.metrics.count_sweep(name, &reports, took.as_secs_f64());
        self.metrics.board().swept(name, reports);
    }
}
