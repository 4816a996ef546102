//! The `[log]` section: the format and the level of the log on stderr.

use std::path::Path;

use super::environment::Environment;
use super::error::{ConfigError, display_or_hide};
use super::keys::WrittenLog;
use super::layers::{ConfigLocations, Layers};

/// How to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    pub format: LogFormat,
    /// The least important level that is logged.
    pub level: tracing::Level,
}

/// The format of a log line.
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
    /// Loads this section only, for a command that no configured database concerns.
    ///
    /// # Errors
    ///
    /// As [`Settings::load`](super::Settings::load), but for the values of the other sections.
    pub fn load(file: Option<&Path>, environment: &Environment) -> Result<Self, ConfigError> {
        let Layers { written, locations } = Layers::load(file, environment)?;
        Self::validate(&written.log, &locations)
    }

    /// Checks the values of the section.
    pub(super) fn validate(written: &WrittenLog, locations: &ConfigLocations) -> Result<Self, ConfigError> {
        Ok(Self {
            format: parse_choice(&written.format, FORMATS, "log.format", locations)?,
            level: parse_choice(&written.level, LEVELS, "log.level", locations)?,
        })
    }
}

/// The value of this name.
pub(super) fn parse_choice<T: Copy, const N: usize>(
    text: &str,
    choices: [(&str, T); N],
    key: &str,
    locations: &ConfigLocations,
) -> Result<T, ConfigError> {
    match choices.iter().find(|(name, _)| *name == text) {
        Some((_, choice)) => Ok(*choice),
        None => {
            let names = choices.map(|(name, _)| name).join(", ");
            Err(locations.invalid(key, display_or_hide(text), format!("one of {names}")))
        }
    }
}
