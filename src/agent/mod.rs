//! The daemon: workers over each database, the schedule that triggers them, HTTP, signals and shutdown.
//!
//! | file | what is in it |
//! |---|---|
//! | `scheduler/` | schedules: when a tick comes, and how often it will |
//! | `workers.rs`, `worker.rs` | the workers of one configuration; what every worker has in common |
//! | `sequence_worker/` | passes over the sequences of one database, NOTIFY, the lease |
//! | `server_worker/` | the databases of one server, which come and go, and their workers |
//! | `session_worker/` | sweeps of the session stores of one database |
//! | `leadership.rs`, `backoff.rs` | whether this agent leads; when to try again |
//! | `repair_log/` | `pgmedic.repair_log`: own repairs are written, inline repairs counted |
//! | `context.rs` | what all workers share |
//! | `publisher.rs` | where a worker hands over its report |
//! | `rule_use.rs` | which rules of the configuration apply to no sequence |
//! | `news.rs`, `change_log.rs`, `database_log.rs` | what of a report is worth a line in the log, and whether it was logged already |
//! | `http_endpoint.rs`, `signals.rs` | the address that HTTP listens on; signals of the operating system |
//!
//! A tick or a notification starts a cycle of a worker. The cycle makes a pass (`crate::sequences`, `crate::sessions`),
//! and its publisher takes the report to `crate::state`, `crate::metrics` and the log. HTTP reads the state and the
//! metrics, and writes nothing.

mod backoff;
mod change_log;
mod context;
mod database_log;
mod http_endpoint;
mod leadership;
mod news;
mod publisher;
mod repair_log;
mod rule_use;
mod scheduler;
mod sequence_worker;
mod server_worker;
mod session_worker;
mod signals;
mod worker;
mod workers;

pub(crate) use signals::StopSignals;

use crate::config::{ConfigError, Schedule, Settings};
use crate::http::{Heartbeat, Sources};
use crate::logging::Logging;
use crate::metrics::Metrics;
use crate::state::AgentState;
use crate::webhook::WebhookTask;
use context::AgentContext;
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
    #[error("the operating system accepts no signal handlers: {0}")]
    Signals(#[from] io::Error),
    #[error("the scheduler does not start: {0}")]
    Schedule(#[from] tokio_cron_scheduler::JobSchedulerError),
    #[error("the metrics contradict each other: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// Runs until SIGTERM or SIGINT; a second signal ends it at once. SIGHUP calls `reload` for new settings. `listening` is
/// called with the address of HTTP, where there is one.
///
/// # Errors
///
/// When it cannot start. Later errors are logged and counted, and what failed is tried again.
pub async fn run(
    settings: Settings,
    dry_run: bool,
    logging: &Logging,
    reload: impl Fn() -> Result<Settings, ConfigError>,
    listening: impl FnOnce(SocketAddr),
) -> Result<(), AgentError> {
    let mut signals = Signals::install()?;
    let state = Arc::new(AgentState::new(dry_run));
    let metrics = Arc::new(Metrics::new(&state)?);
    let context = AgentContext { state: Arc::clone(&state), metrics: Arc::clone(&metrics), rules: Arc::default() };
    workers::init_series(&settings, &metrics);
    let sources = Sources { state, metrics, heartbeat: Heartbeat::default() };
    let mut endpoint = HttpEndpoint::bind(&settings.http, &sources).await?;
    let webhook = WebhookTask::start(settings.webhook.clone(), &context.state, &context.metrics);
    let mut scheduler = Scheduler::start().await?;
    scheduler.add(&Schedule::Cron(EVERY_SECOND.to_owned()), heartbeat_job(&sources.heartbeat)).await?;
    let mut workers = WorkerSet::start(&mut scheduler, &Arc::new(settings), &context).await?;
    let mut clock = ClockJumpDetector::now();
    if let Some(address) = endpoint.address() {
        listening(address);
    }
    notify_systemd(&[NotifyState::Ready]);
    loop {
        let action = tokio::select! {
            action = signals.next() => action,
            () = clock.wait_for_backward_jump() => {
                tracing::warn!("the system clock was set back: the schedule is computed anew");
                scheduler.reschedule_all().await;
                continue;
            }
        };
        if action == SignalAction::Stop {
            break;
        }
        match apply_settings(reload(), &mut endpoint, &sources).await {
            Ok(settings) => {
                logging.reload(&settings.log);
                webhook.apply(settings.webhook.clone());
                if shutdown_unless_stopped(workers, &mut scheduler, &mut signals).await {
                    return Ok(());
                }
                workers = WorkerSet::start(&mut scheduler, &Arc::new(settings), &context).await?;
                context.state.set_reloaded(true);
                tracing::info!("the configuration was read again");
            }
            Err(error) => {
                tracing::error!("the new configuration is refused, the old one stays in force: {error}");
                context.state.set_reloaded(false);
            }
        }
    }
    notify_stopping();
    let ended = pin!(workers.shutdown(&mut scheduler));
    signals.wait_or_second_signal(ended).await;
    Ok(())
}

/// Beats as long as the scheduler fires, which /livez and systemd's watchdog check.
fn heartbeat_job(heartbeat: &Heartbeat) -> impl Fn() + Send + Sync + 'static {
    let heartbeat = heartbeat.clone();
    move || {
        heartbeat.beat();
        notify_systemd(&[NotifyState::Watchdog]);
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

/// The new settings, once HTTP listens where they say.
async fn apply_settings(
    settings: Result<Settings, ConfigError>,
    endpoint: &mut HttpEndpoint,
    sources: &Sources,
) -> Result<Settings, ReloadError> {
    let settings = settings?;
    endpoint.rebind(&settings.http, sources).await?;
    Ok(settings)
}

/// Ends the workers of the old configuration. True when the agent was told to stop meanwhile, and has ended them.
async fn shutdown_unless_stopped(workers: WorkerSet, scheduler: &mut Scheduler, signals: &mut Signals) -> bool {
    let mut ended = pin!(workers.shutdown(scheduler));
    tokio::select! {
        () = &mut ended => return false,
        () = signals.stop() => {}
    }
    notify_stopping();
    signals.wait_or_second_signal(ended).await;
    true
}

fn notify_stopping() {
    notify_systemd(&[NotifyState::Stopping]);
    tracing::info!("stopping");
}

/// Has no effect where systemd did not start the agent (sd_notify(3)).
fn notify_systemd(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd could not be notified");
    }
}
