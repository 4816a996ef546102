//! The `[log]` section: what goes to stderr.

use super::error::{ConfigError, display_or_hide};
use super::layers::ConfigLocations;
use super::raw::RawLog;

/// How to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    pub format: LogFormat,
    /// The least important level that is logged.
    pub level: tracing::Level,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

const FORMATS: [(&str, LogFormat); 2] = [("text", LogFormat::Text), ("json", LogFormat::Json)];

const LEVELS: [(&str, tracing::Level); 5] = [
    ("error", tracing::Level::ERROR),
    ("warn", tracing::Level::WARN),
    ("info", tracing::Level::INFO),
    ("debug", tracing::Level::DEBUG),
    ("trace", tracing::Level::TRACE),
];

impl Log {
    /// Judges the values as written.
    pub(super) fn judge(raw: &RawLog, places: &ConfigLocations) -> Result<Self, ConfigError> {
        Ok(Self {
            format: parse_choice(&raw.format, FORMATS, "log.format", places)?,
            level: parse_choice(&raw.level, LEVELS, "log.level", places)?,
        })
    }

    pub(super) fn raw(self) -> RawLog {
        RawLog { format: choice_name(self.format, FORMATS), level: choice_name(self.level, LEVELS) }
    }
}

fn parse_choice<T: Copy, const N: usize>(
    text: &str,
    choices: [(&str, T); N],
    key: &str,
    places: &ConfigLocations,
) -> Result<T, ConfigError> {
    match choices.iter().find(|(name, _)| *name == text) {
        Some((_, choice)) => Ok(*choice),
        None => {
            let names = choices.map(|(name, _)| name).join(", ");
            Err(places.invalid(key, display_or_hide(text), format!("one of {names}")))
        }
    }
}

fn choice_name<T: PartialEq, const N: usize>(value: T, choices: [(&str, T); N]) -> String {
    choices.iter().find(|(_, choice)| *choice == value).map_or_else(String::new, |(name, _)| (*name).to_owned())
}
