//! Logs: to stderr, so that reports have stdout for themselves.

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
    /// Installs the process's logger; a second one is not heard.
    pub fn install(log: &Log) -> Self {
        let (filter, level) = reload::Layer::new(targets(log));
        let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(crate::terminal::use_color(&std::io::stderr()));
        let lines = match log.format {
            LogFormat::Text => lines.boxed(),
            LogFormat::Json => lines.json().boxed(),
        };
        // Fails only where a logger is installed already, and then that one is meant to stay.
        let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).try_init();
        Self { level, format: log.format }
    }

    /// Takes over a new level. The format stays, and that is said.
    pub fn reload(&self, log: &Log) {
        if self.level.reload(targets(log)).is_err() {
            tracing::debug!("there is no logger to change");
        }
        if self.format != log.format {
            tracing::warn!("log.format has changed, which needs a restart");
        }
    }
}

/// Libraries speak up only when something is wrong.
fn targets(log: &Log) -> Targets {
    Targets::new()
        .with_default(tracing::Level::WARN)
        // The pgpass reader quotes whole lines of the file, passwords included.
        .with_target("sqlx_postgres::options::pgpass", LevelFilter::OFF)
        .with_target("pgmedic", log.level)
}
