//! The daemon: a keeper for each database, the schedule that wakes them, HTTP, and a clean life and death.

mod backoff;
mod change_log;
mod http_endpoint;
mod leadership;
mod ledger;
mod repair_log;
mod scheduler;
mod sequence_worker;
mod session_worker;
mod signals;
mod workers;

use crate::config::{ConfigError, Settings};
use crate::http::Heartbeat;
use crate::logging::Logging;
use crate::metrics::Metrics;
use http_endpoint::HttpEndpoint;
use scheduler::Scheduler;
use scheduler::clock_jump::ClockJumpDetector;
use sd_notify::NotifyState;
use signals::{SignalAction, Signals};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use workers::WorkerSet;

const EVERY_SECOND: &str = "* * * * * *";

/// Why the agent could not run.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error("http.listen {address}: {source}; choose another address, or stop what uses it")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("the operating system takes no signal handlers: {0}")]
    Signals(#[from] io::Error),
    #[error("the schedule does not start: {0}")]
    Schedule(#[from] tokio_cron_scheduler::JobSchedulerError),
    #[error("the metrics contradict each other: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// Runs until SIGTERM or SIGINT; a second one ends it at once. `reload` is asked for new settings on SIGHUP, and
/// `listening` is told where HTTP is answered.
///
/// # Errors
///
/// When it cannot start. What goes wrong later is logged, counted and tried again.
pub async fn run(
    settings: Settings,
    dry_run: bool,
    telemetry: &Logging,
    reload: impl Fn() -> Result<Settings, ConfigError>,
    listening: impl FnOnce(SocketAddr),
) -> Result<(), AgentError> {
    let mut signals = Signals::install()?;
    let metrics = Arc::new(Metrics::new(dry_run)?);
    let heartbeat = Heartbeat::default();
    let mut door = HttpEndpoint::bind(settings.http.listen, &metrics, &heartbeat).await?;
    let mut schedule = Scheduler::start().await?;
    schedule.add(EVERY_SECOND, heartbeat_job(&heartbeat)).await?;
    let mut crew = WorkerSet::start(&mut schedule, &settings, dry_run, &metrics).await?;
    let mut clock = ClockJumpDetector::now();
    listening(door.address());
    notify(&[NotifyState::Ready]);
    loop {
        let wish = tokio::select! {
            wish = signals.next() => wish,
            () = clock.wait_for_backward_jump() => {
                tracing::warn!("the system's clock was set back: the schedule goes by it as it is now");
                schedule.reschedule_all().await;
                continue;
            }
        };
        if wish == SignalAction::Stop {
            break;
        }
        match apply_settings(reload(), &mut door, &metrics, &heartbeat).await {
            Ok(settings) => {
                telemetry.reload(&settings.log);
                if shutdown_workers(crew, &mut schedule, &mut signals).await == StopRequested::ToStop {
                    return Ok(());
                }
                crew = WorkerSet::start(&mut schedule, &settings, dry_run, &metrics).await?;
                metrics.board().set_reloaded(true);
                tracing::info!("the configuration was read again");
            }
            Err(error) => {
                tracing::error!("the new configuration is refused, the old one stays: {error}");
                metrics.board().set_reloaded(false);
            }
        }
    }
    notify_stopping();
    let ended = pin!(crew.shutdown(&mut schedule));
    signals.wait_or_second_signal(ended).await;
    Ok(())
}

/// Beats as long as the schedule fires, which is what /livez and systemd's watchdog want to know.
fn heartbeat_job(heartbeat: &Heartbeat) -> impl Fn() + Send + Sync + 'static {
    let heartbeat = heartbeat.clone();
    move || {
        heartbeat.beat();
        notify(&[NotifyState::Watchdog]);
    }
}

/// Why a reload is refused.
#[derive(Debug, thiserror::Error)]
enum ReloadError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Agent(#[from] AgentError),
}

/// New settings, once HTTP is answered where they say.
async fn apply_settings(
    settings: Result<Settings, ConfigError>,
    door: &mut HttpEndpoint,
    metrics: &Arc<Metrics>,
    heartbeat: &Heartbeat,
) -> Result<Settings, ReloadError> {
    let settings = settings?;
    door.rebind(settings.http.listen, metrics, heartbeat).await?;
    Ok(settings)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StopRequested {
    Nothing,
    ToStop,
}

/// Ends a crew whose successor waits, unless the whole agent is told to stop meanwhile.
async fn shutdown_workers(crew: WorkerSet, schedule: &mut Scheduler, signals: &mut Signals) -> StopRequested {
    let mut ended = pin!(crew.shutdown(schedule));
    tokio::select! {
        () = &mut ended => return StopRequested::Nothing,
        () = signals.stop() => {}
    }
    notify_stopping();
    signals.wait_or_second_signal(ended).await;
    StopRequested::ToStop
}

fn notify_stopping() {
    notify(&[NotifyState::Stopping]);
    tracing::info!("stopping");
}

/// Tells systemd, where it started us (sd_notify(3)).
fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd was not told");
    }
}
