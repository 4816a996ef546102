//! The daemon: a keeper for each database, the schedule that wakes them, HTTP, and a clean life and death.

mod backoff;
mod journal;
mod keeper;
mod schedule;
mod signals;
mod wake;

use crate::config::{ConfigError, Settings};
use crate::http::{self, Heartbeat};
use crate::metrics::Metrics;
use keeper::Keeper;
use schedule::{Schedule, interval};
use sd_notify::NotifyState;
use signals::{Signals, Wish};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What is in progress has this long to finish or to roll back.
const STOP_WITHIN: Duration = Duration::from_secs(4);

/// Why the agent could not run.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error("http.listen {address}: {source}; choose another address, or stop what uses it")]
    Listen { address: std::net::SocketAddr, source: io::Error },
    #[error("the operating system takes no signal handlers: {0}")]
    Signals(#[from] io::Error),
    #[error("the schedule does not start: {0}")]
    Schedule(#[from] tokio_cron_scheduler::JobSchedulerError),
    #[error("the metrics contradict each other: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// Runs until SIGTERM or SIGINT; a second one ends it at once. `reload` is asked for new settings on SIGHUP.
///
/// # Errors
///
/// When it cannot start. What goes wrong later is logged, counted and tried again.
pub async fn run(
    settings: Settings,
    dry_run: bool,
    reload: impl Fn() -> Result<Settings, ConfigError>,
) -> Result<(), AgentError> {
    let mut signals = Signals::install()?;
    let metrics = Arc::new(Metrics::new(dry_run)?);
    let heartbeat = Heartbeat::default();
    let address = settings.http.listen;
    let listener =
        tokio::net::TcpListener::bind(address).await.map_err(|source| AgentError::Listen { address, source })?;
    let stop = CancellationToken::new();
    tracing::info!("listening on http://{}", listener.local_addr()?);
    let http = tokio::spawn(http::serve(listener, Arc::clone(&metrics), heartbeat.clone(), stop.clone()));

    let mut crew = Crew::start(&settings, dry_run, &metrics, &heartbeat).await?;
    notify(&[NotifyState::Ready]);
    while signals.next().await == Wish::Reload {
        match reload() {
            Ok(settings) => {
                tracing::info!("the configuration was read again");
                crew.finish().await;
                crew = Crew::start(&settings, dry_run, &metrics, &heartbeat).await?;
                metrics.board().set_reloaded(true);
            }
            Err(error) => {
                tracing::error!("the new configuration is refused, the old one stays: {error}");
                metrics.board().set_reloaded(false);
            }
        }
    }
    notify(&[NotifyState::Stopping]);
    tracing::info!("stopping");
    stop.cancel();
    tokio::select! {
        () = crew.finish() => {}
        () = signals.stop() => tracing::warn!("stopped at once: what was in progress is left to the server's time-outs"),
    }
    http.abort();
    Ok(())
}

/// The keepers and what wakes them, for one configuration.
struct Crew {
    schedule: Schedule,
    keepers: Vec<Arc<Keeper>>,
    stop: CancellationToken,
}

impl Crew {
    async fn start(
        settings: &Settings,
        dry_run: bool,
        metrics: &Arc<Metrics>,
        heartbeat: &Heartbeat,
    ) -> Result<Self, AgentError> {
        let schedule = Schedule::start().await?;
        let stop = CancellationToken::new();
        let names: Vec<&str> = settings.databases.iter().map(|database| database.name.as_str()).collect();
        metrics.board().retain(&names);
        let interval = interval(&settings.sequences.schedule);
        let mut keepers = Vec::new();
        for database in &settings.databases {
            let keeper = Keeper::new(
                database.clone(),
                settings.sequences.clone(),
                interval,
                dry_run,
                stop.clone(),
                Arc::clone(metrics),
            );
            let woken = Arc::clone(&keeper);
            let runtime = tokio::runtime::Handle::current();
            schedule
                .add(&settings.sequences.schedule, move || {
                    let _entered = runtime.enter();
                    woken.tick();
                })
                .await?;
            keeper.tick();
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
        Ok(Self { schedule, keepers, stop })
    }

    /// Ends or rolls back what is in progress, and gives the leads back.
    async fn finish(self) {
        self.schedule.stop().await;
        self.stop.cancel();
        let all = futures_util::future::join_all(self.keepers.iter().map(|keeper| keeper.finish()));
        if tokio::time::timeout(STOP_WITHIN, all).await.is_err() {
            tracing::warn!("a pass did not end in time: what it left is ended by the server's time-outs");
        }
    }
}

/// Tells systemd, where it started us (sd_notify(3)).
fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd was not told");
    }
}
