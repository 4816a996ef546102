//! The workers of one configuration: one over sequences for each database, one over its session stores, and one for each
//! server, which has the workers of its databases.

use super::AgentError;
use super::context::AgentContext;
use super::leadership::Leadership;
use super::scheduler::{JobId, Scheduler};
use super::worker::Worker;
use super::{sequence_worker, server_worker, session_worker};
use crate::config::{Database, Server, SessionStoreConfig, Settings};
use crate::metrics::Metrics;
use crate::state::ConfiguredServers;
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a pass or sweep in progress may take to end or roll back.
const STOP_TIMEOUT: Duration = Duration::from_secs(4);

/// Makes the series of every database and session store exist from zero, which a scraper may read before a worker has
/// started.
pub fn init_series(settings: &Settings, metrics: &Metrics) {
    for Database { name, .. } in &settings.databases {
        metrics.init_database(name);
        let mut stores = SessionStoreConfig::for_database(&settings.sessions, name).peekable();
        if stores.peek().is_some() {
            metrics.init_stores(name, stores.map(|store| store.name.as_str()));
        }
    }
}

/// What the state is told of the servers.
fn servers(settings: &Settings) -> ConfiguredServers {
    let addresses = |server: &Server| {
        // What cannot be read has no address, and is said when it is connected to.
        let target = server.home.connect_options().ok();
        (server.name.clone(), target.map(|target| target.address_list()).unwrap_or_default())
    };
    ConfiguredServers {
        budget: Arc::clone(&settings.budget),
        addresses: settings.servers.iter().map(addresses).collect(),
    }
}

pub struct WorkerSet {
    jobs: Vec<JobId>,
    workers: Vec<Worker>,
}

impl WorkerSet {
    /// # Errors
    ///
    /// When the scheduler refuses a cron line that the configuration has accepted.
    pub async fn start(
        scheduler: &mut Scheduler,
        settings: &Arc<Settings>,
        context: &AgentContext,
    ) -> Result<Self, AgentError> {
        context.retain_configured(settings);
        context.rules.restart(settings);
        context.state.set_servers(servers(settings));
        let mut set = Self { jobs: Vec::new(), workers: Vec::new() };
        let (leads, fleets) = sequence_worker::leads(settings);
        for (database, lead) in settings.databases.iter().zip(leads) {
            let (sender, leadership) = watch::channel(Leadership::default());
            set.add(scheduler, sequence_worker::start(context, settings, database, lead, sender)).await?;
            if let Some(worker) = session_worker::start(context, settings, database, leadership) {
                set.add(scheduler, worker).await?;
            }
        }
        for (index, lead) in fleets.into_iter().enumerate() {
            set.add(scheduler, server_worker::start(context, settings, index, lead)).await?;
        }
        Ok(set)
    }

    async fn add(&mut self, scheduler: &mut Scheduler, mut worker: Worker) -> Result<(), AgentError> {
        let ticks = worker.take_ticks();
        self.workers.push(worker);
        for tick in ticks {
            self.jobs.push(scheduler.add(&tick.schedule, tick.handler).await?);
        }
        Ok(())
    }

    /// Ends or rolls back what is in progress, and releases the leases. What does not end in time is dropped.
    pub async fn shutdown(self, scheduler: &mut Scheduler) {
        for job in self.jobs {
            scheduler.remove(job).await;
        }
        if timeout(STOP_TIMEOUT, join_all(self.workers.into_iter().map(Worker::finish))).await.is_err() {
            tracing::warn!("a pass did not end in time: the server's timeouts end what it left");
        }
    }
}
