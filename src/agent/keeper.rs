//! Looks after one database: takes turns when told to, leads or stands by, and says what it found.

use super::backoff::{Backoff, random};
use super::journal::Journal;
use super::wake::{Ear, PAUSE};
use crate::config::{Database, Sequences};
use crate::db::{Lease, ListenError};
use crate::metrics::Metrics;
use crate::report::{DatabaseReport, Progress};
use crate::sequences::{Memory, Orders, pass};
use futures_util::FutureExt;
use sqlx::postgres::PgConnectOptions;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{Mutex, Notify, OwnedMutexGuard};
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
    /// Rung when a turn is wanted at once.
    bell: Arc<Notify>,
}

/// What is handed from turn to turn.
#[derive(Debug, Default)]
struct Turn {
    lease: Option<Lease>,
    ear: Ear,
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
        let keeper = Arc::new(Self {
            database,
            settings,
            orders: Orders { dry_run, approved: Vec::new(), stop },
            interval,
            delay: WIDEST_SPREAD.min(interval / 20).mul_f64(random()),
            metrics,
            tasks: TaskTracker::new(),
            turn: Arc::new(Mutex::new(Turn { memory: Memory::lasting(), ..Turn::default() })),
            bell: Arc::default(),
        });
        keeper.tasks.spawn(Arc::clone(&keeper).answer());
        keeper
    }

    /// Takes a turn in the background, unless one is being taken. Returns at once.
    pub fn tick(self: &Arc<Self>) {
        let keeper = Arc::clone(self);
        self.tasks.spawn(async move {
            let stop = &keeper.orders.stop;
            if stop.run_until_cancelled(tokio::time::sleep(keeper.delay)).await.is_none() {
                return;
            }
            match Arc::clone(&keeper.turn).try_lock_owned() {
                Ok(turn) => keeper.take_turn(turn).await,
                Err(_) => keeper.metrics.count_skipped(&keeper.database.name, "running"),
            }
        });
    }

    /// Takes a turn whenever the bell was rung, after the one that is being taken: each ring is followed by a pass that
    /// began after it.
    async fn answer(self: Arc<Self>) {
        let turns = async {
            loop {
                self.bell.notified().await;
                let mut turn = Arc::clone(&self.turn).lock_owned().await;
                tracing::debug!(database = self.database.name, "woken");
                // What is notified may be too new for the server's statistics.
                turn.memory.doubt();
                // Not to be dropped half way: it ends by itself when told to stop.
                let keeper = Arc::clone(&self);
                let _ = self.tasks.spawn(async move { keeper.take_turn(turn).await }).await;
                tokio::time::sleep(PAUSE).await;
            }
        };
        let _stopped: Option<()> = self.orders.stop.run_until_cancelled(turns).await;
    }

    async fn take_turn(self: &Arc<Self>, mut turn: OwnedMutexGuard<Turn>) {
        // A pass that panics is a failed pass; the next one still runs.
        match AssertUnwindSafe(self.take(&mut turn)).catch_unwind().await {
            Ok(Ended::Well) => {}
            Ok(Ended::Down) => self.try_again(turn.backoff.pause()),
            Err(_) => {
                self.metrics.count_panic(&self.database.name);
                tracing::error!(database = self.database.name, "a pass panicked: this is a bug of pgmedic's");
            }
        }
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
            Ok(options) => match self.lead(&options, turn).await {
                Ok(leads) => Ok((leads, options)),
                Err(error) => Err(error.to_string()),
            },
            Err(error) => Err(error.to_string()),
        };
        let (leads, options) = match leads {
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
            turn.ear.close();
            self.metrics.count_skipped(name, "standby");
            // What the leader does meanwhile is no drift's cause that we could know.
            turn.memory = Memory::lasting();
            self.up(turn);
            return Ended::Well;
        }
        self.listen(turn, &options).await;
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

    /// Opens the ear, where it is not open and notifications can be heard.
    async fn listen(&self, turn: &mut Turn, options: &PgConnectOptions) {
        let Turn { ear, journal, .. } = turn;
        if !self.settings.listen {
            return;
        }
        match ear.open(options, &self.bell, &self.tasks, &self.orders.stop).await {
            None => {}
            // As it should be; after promotion it is tried again.
            Some(Err(ListenError::Replica)) => {}
            Some(result) => journal.listens(&self.database.name, result.err().map(|error| error.to_string())),
        }
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
