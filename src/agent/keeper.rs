//! Looks after one database for as long as the agent lives: when a turn is taken, and what is kept in between.

use super::backoff::{Backoff, place_in_the_spread};
use super::bell::Bell;
use super::rhythm::rhythm;
use super::turn::{Ended, Lead, State, Work};
use crate::config::{Database, Settings};
use crate::db::Lost;
use crate::metrics::{Metrics, SEQUENCES, Station};
use chrono::Utc;
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
const PAUSE: Duration = Duration::from_secs(1);

/// A running keeper: one task, so that no turn ever overlaps another.
#[derive(Debug)]
pub struct Keeper {
    name: String,
    bell: Arc<Bell>,
    /// A turn is being taken.
    busy: Arc<AtomicBool>,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    task: AbortOnDropHandle<()>,
}

impl Keeper {
    /// Begins with a turn at once. `lead` is told whether this agent leads.
    pub fn start(
        settings: &Settings,
        database: &Database,
        dry_run: bool,
        metrics: &Arc<Metrics>,
        lead: watch::Sender<Lead>,
    ) -> Self {
        let name = database.name.clone();
        let rhythm = rhythm(&settings.sequences.schedule, Utc::now());
        metrics.expect(&name);
        // What was known before a reload may be of another server.
        metrics.board().update(&name, |station| {
            *station = Station { interval: rhythm.longest.as_secs_f64(), ..Station::default() };
        });
        let (bell, busy, stop) = (Arc::new(Bell::default()), Arc::default(), CancellationToken::new());
        let work = Work {
            database: database.clone(),
            settings: settings.sequences.clone(),
            key: settings.leadership_key(&name),
            dry_run,
            bell: Arc::clone(&bell),
            metrics: Arc::clone(metrics),
            lead,
            stop: stop.clone(),
        };
        let delay = place_in_the_spread(rhythm.shortest);
        let task = AbortOnDropHandle::new(tokio::spawn(keep(work, delay, Arc::clone(&busy))));
        Self { name, bell, busy, metrics: Arc::clone(metrics), stop, task }
    }

    /// What the schedule is to call: asks for a turn, unless one is being taken.
    pub fn ticker(&self) -> impl Fn() + Send + Sync + 'static {
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
async fn keep(work: Work, delay: Duration, busy: Arc<AtomicBool>) {
    let mut state = State::default();
    let mut backoff = Backoff::default();
    let mut next = Due(Some(Instant::now() + delay));
    // A ring before this waits until then.
    let mut quiet_until = Instant::now();
    let mut rung = false;
    loop {
        tokio::select! {
            () = work.stop.cancelled() => break,
            () = work.bell.ticked() => next.no_later_than(Instant::now() + delay),
            () = work.bell.rung() => {
                rung = true;
                next.no_later_than(quiet_until);
            }
            lost = keep_lead(&mut state) => {
                work.lost_lead(&mut state, &lost);
                next.no_later_than(Instant::now() + backoff.pause());
            }
            () = next.comes() => {
                busy.store(true, Ordering::Relaxed);
                // A pass that panics is a failed pass; the next one still runs.
                let ended = AssertUnwindSafe(work.turn(&mut state)).catch_unwind().await;
                busy.store(false, Ordering::Relaxed);
                next = Due(match ended {
                    Ok(Ended::Well) => {
                        backoff.reset();
                        None
                    }
                    Ok(Ended::Badly) => Some(Instant::now() + backoff.pause()),
                    Err(_) => {
                        work.panicked(&mut state).await;
                        None
                    }
                });
                if std::mem::take(&mut rung) {
                    quiet_until = Instant::now() + PAUSE;
                }
            }
        }
    }
    state.give_back().await;
}

/// A driver that panics on what a server sends loses the lead, and no more.
async fn keep_lead(state: &mut State) -> Lost {
    AssertUnwindSafe(state.keep_lead()).catch_unwind().await.unwrap_or_else(|_| Lost::by_panic())
}

/// When a turn is to be taken, if nothing else happens.
struct Due(Option<Instant>);

impl Due {
    fn no_later_than(&mut self, instant: Instant) {
        self.0 = Some(self.0.map_or(instant, |due| due.min(instant)));
    }

    async fn comes(&self) {
        match self.0 {
            Some(due) => sleep_until(due).await,
            None => std::future::pending().await,
        }
    }
}
