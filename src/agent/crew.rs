//! The keepers of one configuration, and the schedule that wakes them.

use super::keeper::Keeper;
use super::schedule::{Schedule, interval};
use super::sweeper::{Sweep, Sweeper};
use super::{AgentError, notify};
use crate::config::{Database, SessionStore, Settings};
use crate::http::Heartbeat;
use crate::metrics::Metrics;
use futures_util::future::join_all;
use sd_notify::NotifyState;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// What is in progress has this long to finish or to roll back.
const STOP_WITHIN: Duration = Duration::from_secs(4);

pub struct Crew {
    schedule: Schedule,
    keepers: Vec<Keeper>,
    sweepers: Vec<Sweeper>,
}

impl Crew {
    /// # Errors
    ///
    /// When the scheduler does not start.
    pub async fn start(
        settings: &Settings,
        dry_run: bool,
        metrics: &Arc<Metrics>,
        heartbeat: &Heartbeat,
    ) -> Result<Self, AgentError> {
        let schedule = Schedule::start().await?;
        let names: Vec<&str> = settings.databases.iter().map(|database| database.name.as_str()).collect();
        metrics.board().retain(&names);
        let line = &settings.sequences.schedule;
        let interval = interval(line);
        let (mut keepers, mut sweepers) = (Vec::new(), Vec::new());
        for database in &settings.databases {
            let (leads, led) = watch::channel(false);
            let keeper = Keeper::start(database.clone(), settings.sequences.clone(), interval, dry_run, metrics, leads);
            schedule.add(line, keeper.ticker()).await?;
            keepers.push(keeper);
            sweepers.extend(Self::sweeper(&schedule, settings, database, dry_run, metrics, led).await?);
        }
        // Beats as long as the schedule fires, which is what /livez and systemd's watchdog want to know.
        let beat = heartbeat.clone();
        schedule
            .add("* * * * * *", move || {
                beat.beat();
                notify(&[NotifyState::Watchdog]);
            })
            .await?;
        heartbeat.beat();
        Ok(Self { schedule, keepers, sweepers })
    }

    /// None where the database has no session stores.
    async fn sweeper(
        schedule: &Schedule,
        settings: &Settings,
        database: &Database,
        dry_run: bool,
        metrics: &Arc<Metrics>,
        leads: watch::Receiver<bool>,
    ) -> Result<Option<Sweeper>, AgentError> {
        let stores: Vec<SessionStore> = SessionStore::of(&settings.sessions, &database.name).cloned().collect();
        let lines: Vec<String> = stores.iter().map(|store| store.schedule.clone()).collect();
        let Some(shortest) = lines.iter().map(|line| interval(line)).min() else { return Ok(None) };
        let sweep = Sweep { database: database.clone(), stores, bounds: settings.sequences.bounds(), dry_run, leads };
        let sweeper = Sweeper::start(sweep, shortest, metrics);
        for (store, line) in lines.iter().enumerate() {
            schedule.add(line, sweeper.ticker(store)).await?;
        }
        Ok(Some(sweeper))
    }

    /// Ends or rolls back what is in progress, and gives the leads back.
    pub async fn finish(self) {
        self.schedule.stop().await;
        let keepers = join_all(self.keepers.into_iter().map(Keeper::finish));
        let sweepers = join_all(self.sweepers.into_iter().map(Sweeper::finish));
        if timeout(STOP_WITHIN, async { tokio::join!(keepers, sweepers) }).await.is_err() {
            tracing::warn!("a pass did not end in time: what it left is ended by the server's time-outs");
        }
    }
}
