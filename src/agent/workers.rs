//! The keepers of one configuration, and the schedule that wakes them.

use super::AgentError;
use super::scheduler::{JobId, Scheduler};
use super::sequence_worker::SequenceWorker;
use super::session_worker::SessionWorker;
use crate::agent::leadership::Leadership;
use crate::config::{SessionStoreConfig, Settings};
use crate::metrics::Metrics;
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// What is in progress has this long to finish or to roll back.
const STOP_WITHIN: Duration = Duration::from_secs(4);

pub struct WorkerSet {
    tickets: Vec<JobId>,
    keepers: Vec<SequenceWorker>,
    sweepers: Vec<SessionWorker>,
}

impl WorkerSet {
    /// # Errors
    ///
    /// When the scheduler takes a line that the configuration has checked for none.
    pub async fn start(
        schedule: &mut Scheduler,
        settings: &Settings,
        dry_run: bool,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, AgentError> {
        let stores = |database| {
            SessionStoreConfig::for_database(&settings.sessions, database).map(|store| store.name.as_str()).collect()
        };
        let names = settings.databases.iter().map(|database| database.name.as_str());
        metrics.retain(&names.map(|name| (name, stores(name))).collect());
        let mut crew = Self { tickets: Vec::new(), keepers: Vec::new(), sweepers: Vec::new() };
        for database in &settings.databases {
            let (lead, led) = watch::channel(Leadership::default());
            let keeper = SequenceWorker::start(settings, database, dry_run, metrics, lead);
            crew.tickets.push(schedule.add(&settings.sequences.schedule, keeper.tick_handler()).await?);
            crew.keepers.push(keeper);
            let Some(sweeper) = SessionWorker::start(settings, database, dry_run, metrics, led) else { continue };
            for (line, tick) in sweeper.tickers() {
                crew.tickets.push(schedule.add(line, tick).await?);
            }
            crew.sweepers.push(sweeper);
        }
        Ok(crew)
    }

    /// Ends or rolls back what is in progress, and gives the leads back. What does not end in time is dropped.
    pub async fn shutdown(self, schedule: &mut Scheduler) {
        for ticket in self.tickets {
            schedule.remove(ticket).await;
        }
        let keepers = join_all(self.keepers.into_iter().map(SequenceWorker::finish));
        let sweepers = join_all(self.sweepers.into_iter().map(SessionWorker::finish));
        if timeout(STOP_WITHIN, async { tokio::join!(keepers, sweepers) }).await.is_err() {
            tracing::warn!("a pass did not end in time: what it left is ended by the server's time-outs");
        }
    }
}
