//! Looks after one database: takes turns when told to, leads or stands by, and says what it found.

use super::backoff::{Backoff, random};
use super::journal::Journal;
use crate::config::{Database, Sequences};
use crate::db::Lease;
use crate::metrics::Metrics;
use crate::report::{DatabaseReport, Progress};
use crate::sequences::{Memory, Orders, pass};
use futures_util::FutureExt;
use sqlx::postgres::PgConnectOptions;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Agents that tick by the same cron line spread over at most this long.
const WIDEST_SPREAD: Duration = Duration::from_secs(1);

/// The lead is renewed between passes: it must outlive a long one.
const LONGEST_PASS: Duration = Duration::from_secs(60);

/// One database's keeper. A pass never overlaps itself: whoever has the turn has all of [`Turn`].
#[derive(Debug)]
pub struct Keeper {
    database: Database,
    settings: Sequences,
    orders: Orders,
    interval: Duration,
    /// This agent's place in the spread.
    delay: Duration,
    metrics: Arc<Metrics>,
    tasks: TaskTracker,
    turn: Arc<Mutex<Turn>>,
}

/// What is handed from turn to turn.
#[derive(Debug, Default)]
struct Turn {
    lease: Option<Lease>,
    memory: Memory,
    backoff: Backoff,
    journal: Journal,
}

/// How a turn ended.
enum Ended {
    /// Looked at and mended, or found that somebody else leads.
    Well,
    /// The database could not be reached.
    Down,
}

impl Keeper {
    pub fn new(
        database: Database,
        settings: Sequences,
        interval: Duration,
        dry_run: bool,
        stop: CancellationToken,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        metrics.expect(&database.name);
        metrics.board().update(&database.name, |station| station.interval = interval.as_secs_f64());
        Arc::new(Self {
            database,
            settings,
            orders: Orders { dry_run, approved: Vec::new(), stop },
            interval,
            delay: WIDEST_SPREAD.min(interval / 20).mul_f64(random()),
            metrics,
            tasks: TaskTracker::new(),
            turn: Arc::new(Mutex::new(Turn { memory: Memory::lasting(), ..Turn::default() })),
        })
    }

    /// Takes a turn in the background, unless one is being taken. Returns at once.
    pub fn tick(self: &Arc<Self>) {
        if self.orders.stop.is_cancelled() {
            return;
        }
        let Ok(mut turn) = Arc::clone(&self.turn).try_lock_owned() else {
            self.metrics.count_skipped(&self.database.name, "running");
            return;
        };
        let keeper = Arc::clone(self);
        self.tasks.spawn(async move {
            if keeper.orders.stop.run_until_cancelled(tokio::time::sleep(keeper.delay)).await.is_none() {
                return;
            }
            // A pass that panics is a failed pass; the next one still runs.
            match AssertUnwindSafe(keeper.take(&mut turn)).catch_unwind().await {
                Ok(Ended::Well) => {}
                Ok(Ended::Down) => keeper.try_again(turn.backoff.pause()),
                Err(_) => {
                    keeper.metrics.count_panic(&keeper.database.name);
                    tracing::error!(database = keeper.database.name, "a pass panicked: this is a bug of pgmedic's");
                }
            }
        });
    }

    /// Waits for the turn in progress, which has been told to stop, and gives the lead back.
    pub async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        if let Some(lease) = self.turn.lock().await.lease.take() {
            lease.release().await;
        }
    }

    /// A tick of our own, sooner than the schedule's.
    fn try_again(self: &Arc<Self>, pause: Duration) {
        if pause < self.interval {
            let keeper = Arc::clone(self);
            self.tasks.spawn(async move {
                let stop = keeper.orders.stop.clone();
                if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
                    keeper.tick();
                }
            });
        }
    }

    async fn take(&self, turn: &mut Turn) -> Ended {
        let name = &self.database.name;
        let leads = match self.database.connect_options() {
            Ok(options) => self.lead(&options, turn).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let leads = match leads {
            Ok(leads) => leads,
            Err(reason) => {
                self.down(turn, &reason);
                return Ended::Down;
            }
        };
        self.metrics.board().update(name, |station| {
            station.leader = leads;
            if !leads {
                station.report = None;
            }
        });
        turn.journal.leads(name, leads);
        if !leads {
            self.metrics.count_skipped(name, "standby");
            // What the leader does meanwhile is no drift's cause that we could know.
            turn.memory = Memory::lasting();
            self.up(turn);
            return Ended::Well;
        }
        let progress = Progress::default();
        let report = pass(&self.database, &self.settings, &self.orders, &mut turn.memory, &progress).await;
        if self.orders.stop.is_cancelled() {
            return Ended::Well;
        }
        self.publish(turn, report)
    }

    /// Leads already, or becomes the leader, or not.
    async fn lead(&self, options: &PgConnectOptions, turn: &mut Turn) -> Result<bool, crate::db::ConnectError> {
        if let Some(mut lease) = turn.lease.take() {
            match lease.renew().await {
                Ok(true) => {
                    turn.lease = Some(lease);
                    return Ok(true);
                }
                Ok(false) => {
                    lease.release().await;
                    return Ok(false);
                }
                // Its connection is lost; a new one tells whether the database is.
                Err(error) => tracing::debug!(database = self.database.name, %error, "the lead was lost"),
            }
        }
        turn.lease = Lease::take(options, self.settings.key(), self.interval * 2 + LONGEST_PASS).await?;
        Ok(turn.lease.is_some())
    }

    fn publish(&self, turn: &mut Turn, report: DatabaseReport) -> Ended {
        let name = &self.database.name;
        self.metrics.count(&report);
        if let Some(reason) = report.error.clone() {
            self.down(turn, &reason);
            return Ended::Down;
        }
        turn.journal.note(&report);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        self.metrics.board().update(name, |station| {
            station.last_success = Some(now);
            station.report = Some(Arc::new(report));
        });
        self.up(turn);
        Ended::Well
    }

    fn up(&self, turn: &mut Turn) {
        turn.backoff.reset();
        turn.journal.up(&self.database.name);
        self.metrics.board().update(&self.database.name, |station| station.up = Some(true));
    }

    fn down(&self, turn: &mut Turn, reason: &str) {
        turn.journal.down(&self.database.name, reason);
        // What was seen before is no news of now.
        turn.memory = Memory::lasting();
        self.metrics.board().update(&self.database.name, |station| {
            station.up = Some(false);
            station.leader = false;
            station.report = None;
        });
    }
}
