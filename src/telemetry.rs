//! Logs: to stderr, so that reports have stdout for themselves.

use crate::config::{Log, LogFormat};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

/// Installs the process's logger; a second call changes nothing.
pub fn install(log: &Log) {
    // Libraries speak up only when something is wrong.
    // The pgpass reader quotes whole lines of the file, passwords included.
    let filter = Targets::new()
        .with_default(tracing::Level::WARN)
        .with_target("sqlx_postgres::options::pgpass", LevelFilter::OFF)
        .with_target("pgmedic", log.level);
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(crate::run::colours(&std::io::stderr()));
    let lines = match log.format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    // Fails only where a logger is installed already, and then that one is meant to stay.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).try_init();
}
