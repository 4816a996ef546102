//! Logs go to stderr; stdout is for reports.

use crate::config::{Log, LogFormat};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::{Registry, fmt};

/// The process's logger.
#[derive(Debug)]
pub struct Logging {
    level: Handle<Targets, Registry>,
    format: LogFormat,
}

impl Logging {
    /// Installs the process's logger. A second call has no effect.
    pub fn install(log: &Log) -> Self {
        let (filter, level) = reload::Layer::new(targets(log));
        let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(crate::terminal::use_color(&std::io::stderr()));
        let lines = match log.format {
            LogFormat::Text => lines.boxed(),
            // `message` and fields such as `database` at the top level, where log stores look for them.
            LogFormat::Json => lines.json().flatten_event(true).boxed(),
        };
        // Fails only where a logger is installed already, which then stays.
        let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).try_init();
        Self { level, format: log.format }
    }

    /// Applies a new level. A new format needs a restart, which a warning says.
    pub fn reload(&self, log: &Log) {
        if self.level.reload(targets(log)).is_err() {
            tracing::debug!("there is no logger to change");
        }
        if self.format != log.format {
            tracing::warn!("log.format has changed, which needs a restart");
        }
    }
}

/// Libraries log from level warn on.
fn targets(log: &Log) -> Targets {
    Targets::new()
        .with_default(tracing::Level::WARN)
        // The pgpass reader quotes whole lines of the file, passwords included.
        .with_target("sqlx_postgres::options::pgpass", LevelFilter::OFF)
        // A notice is text of the author of a trigger or function, and may hold secrets or forged lines.
        .with_target("sqlx::postgres::notice", LevelFilter::OFF)
        .with_target("pgmedic", log.level)
}
