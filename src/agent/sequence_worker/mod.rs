//! Looks after one database for as long as the agent lives: when a turn is taken, and what is kept in between.

mod cycle;
mod notify;
mod triggers;

use super::backoff::{Backoff, schedule_jitter};
use crate::agent::leadership::Leadership;
use crate::agent::scheduler::cron_intervals::cron_intervals;
use crate::agent::sequence_worker::cycle::{CycleOutcome, SequenceWorkerContext, SequenceWorkerState};
use crate::agent::sequence_worker::triggers::Triggers;
use crate::clock;
use crate::config::{Database, Settings};
use crate::db::LeaseLost;
use crate::metrics::{Metrics, SEQUENCES};
use crate::state::DatabaseState;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// From the end of a pass that was asked for to the beginning of the next.
const MIN_NOTIFY_INTERVAL: Duration = Duration::from_secs(1);

/// A running keeper: one task, so that no turn ever overlaps another.
#[derive(Debug)]
pub struct SequenceWorker {
    name: String,
    bell: Arc<Triggers>,
    /// A turn is being taken.
    busy: Arc<AtomicBool>,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    task: AbortOnDropHandle<()>,
}

impl SequenceWorker {
    /// Begins with a turn at once. `lead` is told whether this agent leads.
    pub fn start(
        settings: &Settings,
        database: &Database,
        dry_run: bool,
        metrics: &Arc<Metrics>,
        lead: watch::Sender<Leadership>,
    ) -> Self {
        let name = database.name.clone();
        let rhythm = cron_intervals(&settings.sequences.schedule, clock::now().into());
        metrics.init_database(&name);
        // What was known before a reload may be of another server.
        metrics.board().update(&name, |station| {
            *station = DatabaseState { interval: rhythm.longest.as_secs_f64(), ..DatabaseState::default() };
        });
        let (bell, busy, stop) = (Arc::new(Triggers::default()), Arc::default(), CancellationToken::new());
        let work = SequenceWorkerContext {
            database: database.clone(),
            settings: settings.sequences.clone(),
            key: settings.leadership_key(&name),
            dry_run,
            bell: Arc::clone(&bell),
            metrics: Arc::clone(metrics),
            lead,
            stop: stop.clone(),
        };
        let delay = schedule_jitter(rhythm.shortest);
        let task = AbortOnDropHandle::new(tokio::spawn(run_worker(work, delay, Arc::clone(&busy))));
        Self { name, bell, busy, metrics: Arc::clone(metrics), stop, task }
    }

    /// What the schedule is to call: asks for a turn, unless one is being taken.
    pub fn tick_handler(&self) -> impl Fn() + Send + Sync + 'static {
        let (name, bell, busy) = (self.name.clone(), Arc::clone(&self.bell), Arc::clone(&self.busy));
        let metrics = Arc::clone(&self.metrics);
        move || {
            if busy.load(Ordering::Relaxed) {
                metrics.count_skipped(&name, SEQUENCES, "running");
            } else {
                bell.tick();
            }
        }
    }

    /// Tells the turn in progress to stop, and waits until the lead is given back.
    pub async fn finish(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(database = self.name, %error, "the keeper ended before its time: this is a bug of pgmedic's");
        }
    }
}

/// Takes turns: at once, at every tick, when the bell rings, and after a failure when the pause is over.
async fn run_worker(work: SequenceWorkerContext, delay: Duration, busy: Arc<AtomicBool>) {
    let mut state = SequenceWorkerState::default();
    let mut backoff = Backoff::default();
    let mut next = NextCycle(Some(Instant::now() + delay));
    // A ring before this waits until then.
    let mut quiet_until = Instant::now();
    let mut rung = false;
    loop {
        tokio::select! {
            () = work.stop.cancelled() => break,
            () = work.bell.wait_tick() => next.no_later_than(Instant::now() + delay),
            () = work.bell.wait_notification() => {
                rung = true;
                next.no_later_than(quiet_until);
            }
            lost = hold_lease(&mut state) => {
                work.lost_lead(&mut state, &lost);
                next.no_later_than(Instant::now() + backoff.next_delay());
            }
            () = next.wait() => {
                busy.store(true, Ordering::Relaxed);
                // A pass that panics is a failed pass; the next one still runs.
                let ended = AssertUnwindSafe(work.run_cycle(&mut state)).catch_unwind().await;
                busy.store(false, Ordering::Relaxed);
                next = NextCycle(match ended {
                    Ok(CycleOutcome::Done) => {
                        backoff.reset();
                        None
                    }
                    Ok(CycleOutcome::RetrySoon) => Some(Instant::now() + backoff.next_delay()),
                    Err(_) => {
                        work.panicked(&mut state).await;
                        None
                    }
                });
                if std::mem::take(&mut rung) {
                    quiet_until = Instant::now() + MIN_NOTIFY_INTERVAL;
                }
            }
        }
    }
    state.release_lease().await;
}

/// A driver that panics on what a server sends loses the lead, and no more.
async fn hold_lease(state: &mut SequenceWorkerState) -> LeaseLost {
    AssertUnwindSafe(state.keep_lead()).catch_unwind().await.unwrap_or_else(|_| LeaseLost::panicked())
}

/// When a turn is to be taken, if nothing else happens.
struct NextCycle(Option<Instant>);

impl NextCycle {
    fn no_later_than(&mut self, instant: Instant) {
        self.0 = Some(self.0.map_or(instant, |due| due.min(instant)));
    }

    async fn wait(&self) {
        match self.0 {
            Some(due) => sleep_until(due).await,
            None => std::future::pending().await,
        }
    }
}
