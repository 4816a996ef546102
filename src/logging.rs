//! Logs go to stderr; stdout is for reports.

use crate::config::{Log, LogFormat};
use crate::report::escape_control;
use std::io::{self, Write};
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
        let lines = fmt::layer().with_ansi(crate::terminal::use_color(&io::stderr()));
        let lines = match log.format {
            LogFormat::Text => lines.with_writer(|| OneLine(io::stderr())).boxed(),
            // `message` and fields such as `database` at the top level, where log stores look for them. Its strings have no
            // control characters.
            LogFormat::Json => lines.with_writer(io::stderr).json().flatten_event(true).boxed(),
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

/// Writes each event as one line, so that no name or reason of a database can look like another event: control characters
/// inside are escaped.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    /// The logger hands over whole events.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.0.write_all(one_line(&String::from_utf8_lossy(event)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn one_line(event: &str) -> String {
    let text = event.strip_suffix('\n').unwrap_or(event);
    // The logger's colors; it escapes the escape characters of a message itself.
    let parts: Vec<_> = text.split('\u{1b}').map(escape_control).collect();
    parts.join("\u{1b}") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_with_any_name_in_it() {
        let mut log = Vec::new();
        let event = "WARN public.\"a\r\n2026-01-01 ERROR all is lost\u{85}\u{202e}\" is behind\n";
        OneLine(&mut log).write_all(event.as_bytes()).unwrap();
        let line = "WARN public.\"a\\r\\n2026-01-01 ERROR all is lost\\u{85}\\u{202e}\" is behind\n";
        assert_eq!(String::from_utf8(log).unwrap(), line);
    }
}
