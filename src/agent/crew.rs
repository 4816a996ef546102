//! The keepers of one configuration, and the schedule that wakes them.

use super::keeper::Keeper;
use super::schedule::Schedule;
use super::sweeper::Sweeper;
use super::{AgentError, notify};
use crate::config::{SessionStore, Settings};
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
        let stores =
            |database| SessionStore::of(&settings.sessions, database).map(|store| store.name.as_str()).collect();
        let names = settings.databases.iter().map(|database| database.name.as_str());
        metrics.retain(&names.map(|name| (name, stores(name))).collect());
        let (mut keepers, mut sweepers) = (Vec::new(), Vec::new());
        for database in &settings.databases {
            let (leads, led) = watch::channel(false);
            let keeper = Keeper::start(settings, database, dry_run, metrics, leads);
            schedule.add(&settings.sequences.schedule, keeper.ticker()).await?;
            keepers.push(keeper);
            let Some(sweeper) = Sweeper::start(settings, database, dry_run, metrics, led) else { continue };
            for (line, tick) in sweeper.tickers() {
                schedule.add(line, tick).await?;
            }
            sweepers.push(sweeper);
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
