//! The daemon: a keeper for each database, the schedule that wakes them, HTTP, and a clean life and death.

mod backoff;
mod bell;
mod clock;
mod crew;
mod door;
mod journal;
mod keeper;
mod ledger;
mod queue;
mod rhythm;
mod schedule;
mod scribe;
mod signals;
mod sweeper;
mod turn;
mod wake;

use crate::config::{ConfigError, Settings};
use crate::http::Heartbeat;
use crate::metrics::Metrics;
use crate::telemetry::Telemetry;
use clock::Clock;
use crew::Crew;
use door::Door;
use schedule::Schedule;
use sd_notify::NotifyState;
use signals::{Signals, Wish};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

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
    telemetry: &Telemetry,
    reload: impl Fn() -> Result<Settings, ConfigError>,
    listening: impl FnOnce(SocketAddr),
) -> Result<(), AgentError> {
    let mut signals = Signals::install()?;
    let metrics = Arc::new(Metrics::new(dry_run)?);
    let heartbeat = Heartbeat::default();
    let mut door = Door::open(settings.http.listen, &metrics, &heartbeat).await?;
    let mut schedule = Schedule::start().await?;
    schedule.add(EVERY_SECOND, beat(&heartbeat)).await?;
    let mut crew = Crew::start(&mut schedule, &settings, dry_run, &metrics).await?;
    let mut clock = Clock::now();
    listening(door.address());
    notify(&[NotifyState::Ready]);
    loop {
        let wish = tokio::select! {
            wish = signals.next() => wish,
            () = clock.set_back() => {
                tracing::warn!("the system's clock was set back: the schedule goes by it as it is now");
                schedule.reckon().await;
                continue;
            }
        };
        if wish == Wish::Stop {
            break;
        }
        match accept(reload(), &mut door, &metrics, &heartbeat).await {
            Ok(settings) => {
                telemetry.adopt(&settings.log);
                if end(crew, &mut schedule, &mut signals).await == Told::ToStop {
                    return Ok(());
                }
                crew = Crew::start(&mut schedule, &settings, dry_run, &metrics).await?;
                metrics.board().set_reloaded(true);
                tracing::info!("the configuration was read again");
            }
            Err(error) => {
                tracing::error!("the new configuration is refused, the old one stays: {error}");
                metrics.board().set_reloaded(false);
            }
        }
    }
    stopping();
    let ended = pin!(crew.finish(&mut schedule));
    signals.cut_short(ended).await;
    Ok(())
}

/// Beats as long as the schedule fires, which is what /livez and systemd's watchdog want to know.
fn beat(heartbeat: &Heartbeat) -> impl Fn() + Send + Sync + 'static {
    let heartbeat = heartbeat.clone();
    move || {
        heartbeat.beat();
        notify(&[NotifyState::Watchdog]);
    }
}

/// Why a reload is refused.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Agent(#[from] AgentError),
}

/// New settings, once HTTP is answered where they say.
async fn accept(
    settings: Result<Settings, ConfigError>,
    door: &mut Door,
    metrics: &Arc<Metrics>,
    heartbeat: &Heartbeat,
) -> Result<Settings, Refused> {
    let settings = settings?;
    door.move_to(settings.http.listen, metrics, heartbeat).await?;
    Ok(settings)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    ToStop,
}

/// Ends a crew whose successor waits, unless the whole agent is told to stop meanwhile.
async fn end(crew: Crew, schedule: &mut Schedule, signals: &mut Signals) -> Told {
    let mut ended = pin!(crew.finish(schedule));
    tokio::select! {
        () = &mut ended => return Told::Nothing,
        () = signals.stop() => {}
    }
    stopping();
    signals.cut_short(ended).await;
    Told::ToStop
}

fn stopping() {
    notify(&[NotifyState::Stopping]);
    tracing::info!("stopping");
}

/// Tells systemd, where it started us (sd_notify(3)).
fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd was not told");
    }
}
