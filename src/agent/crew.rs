//! The keepers of one configuration, and the schedule that wakes them.

use super::keeper::Keeper;
use super::schedule::{Schedule, interval};
use super::{AgentError, notify};
use crate::config::Settings;
use crate::http::Heartbeat;
use crate::metrics::Metrics;
use futures_util::future::join_all;
use sd_notify::NotifyState;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// What is in progress has this long to finish or to roll back.
const STOP_WITHIN: Duration = Duration::from_secs(4);

pub struct Crew {
    schedule: Schedule,
    keepers: Vec<Keeper>,
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
        let mut keepers = Vec::new();
        for database in &settings.databases {
            let keeper = Keeper::start(database.clone(), settings.sequences.clone(), interval, dry_run, metrics);
            schedule.add(line, keeper.ticker()).await?;
            keepers.push(keeper);
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
        Ok(Self { schedule, keepers })
    }

    /// Ends or rolls back what is in progress, and gives the leads back.
    pub async fn finish(self) {
        self.schedule.stop().await;
        let all = join_all(self.keepers.into_iter().map(Keeper::finish));
        if timeout(STOP_WITHIN, all).await.is_err() {
            tracing::warn!("a pass did not end in time: what it left is ended by the server's time-outs");
        }
    }
}
