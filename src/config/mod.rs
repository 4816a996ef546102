//! Settings: built-in defaults, then the configuration file, then `PGMEDIC_` variables.
//!
//! | file | does |
//! |---|---|
//! | `schema.rs` | lists every key and what it takes |
//! | `file.rs`, `environment.rs` | read one layer each and refuse what the schema does not know |
//! | `layers.rs`, `raw.rs` | merge the layers and remember who set what |
//! | `databases.rs`, `sequences.rs`, `sessions/`, `http.rs`, `log.rs` | one section each: its settings, and the judging of its values |
//! | `presets.rs` | session stores that others have defined |
//! | `name.rs`, `pattern.rs`, `schedule.rs`, `values.rs` | SQL names, globs, cron lines, numbers and durations |
//! | `redact.rs`, `error.rs` | what may be shown, and the errors |

mod databases;
mod environment;
mod error;
mod file;
mod http;
mod layers;
mod log;
mod pattern;
mod presets;
mod raw;
mod redact;
mod schedule;
mod schema;
mod sequences;
mod sessions;
mod values;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::SystemTime;

pub use databases::{Database, UrlSource};
pub use environment::Environment;
pub use error::{ConfigError, ConfigLocation, SourceError};
pub use http::Http;
pub use log::{Log, LogFormat};
pub use pattern::Pattern;
pub use presets::Preset;
pub use sequences::{DeclaredFeed, Sequences};
pub use sessions::{Action, Encoding, ExpiryKind, ExpiryRule, Scalar, SessionStoreConfig};

use layers::Layers;

/// Everything that can be configured, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// At least one; names are unique.
    pub databases: Vec<Database>,
    pub sequences: Sequences,
    /// BoundedConnection stores; names are unique.
    pub sessions: Vec<SessionStoreConfig>,
    pub http: Http,
    pub log: Log,
    /// What can be meant otherwise than it was taken, for whoever starts the work to read.
    pub warnings: Vec<String>,
}

impl Settings {
    /// Loads the settings. Files that hold a connection URL are read too, and nothing else.
    ///
    /// # Errors
    ///
    /// When anything is unreadable, unknown, of the wrong type, impossible or contradictory, or
    /// when no database is named. The error says where, what was found and what was expected.
    pub fn load(file: Option<&Path>, environment: &Environment) -> Result<Self, ConfigError> {
        let Layers { raw, places } = Layers::load(file, environment)?;
        let now = SystemTime::now();
        let sequences = Sequences::validate(raw.sequences, &places, now)?;
        let http = Http::judge(&raw.http, &places)?;
        let log = Log::judge(&raw.log, &places)?;
        let (databases, warnings) = databases::resolve_databases(raw.databases, &places, environment)?;
        for (index, feed) in sequences.feeds.iter().enumerate() {
            let Some(name) = &feed.database else { continue };
            if !databases.iter().any(|database| database.name == *name) {
                let known: Vec<&str> = databases.iter().map(|database| database.name.as_str()).collect();
                let expected = format!("the name of a configured database: {}", known.join(", "));
                return Err(places.invalid(
                    format!("sequences.feeds[{index}].database"),
                    error::display_or_hide(name),
                    expected,
                ));
            }
        }
        let sessions = sessions::judge(raw.sessions, &databases, &places, now)?;
        Ok(Self { databases, sequences, sessions, http, log, warnings })
    }

    /// Tells apart agents that do different work on the database of this name: each kind has a leader of its own.
    /// FNV-1a of the patterns and the session stores: the same on every host and in every version.
    pub fn leadership_key(&self, database: &str) -> i32 {
        let Sequences { include, exclude, .. } = &self.sequences;
        let include = include.iter().map(|pattern| format!("+{pattern}\n"));
        let exclude = exclude.iter().map(|pattern| format!("-{pattern}\n"));
        let stores: BTreeSet<String> = SessionStoreConfig::for_database(&self.sessions, database)
            .map(|store| format!("={} {}\n", store.name, store.table))
            .collect();
        let hash = include
            .chain(exclude)
            .chain(stores)
            .collect::<String>()
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        hash.cast_signed()
    }

    /// Keeps only the databases of these names; all of them when no name is given.
    ///
    /// # Errors
    ///
    /// When a name is not configured.
    pub fn select_databases(mut self, names: &[String]) -> Result<Self, ConfigError> {
        let known = |name: &String| self.databases.iter().any(|database| database.name == *name);
        if let Some(unknown) = names.iter().find(|name| !known(name)) {
            let names: Vec<&str> = self.databases.iter().map(|database| database.name.as_str()).collect();
            return Err(ConfigError::UnknownDatabase {
                found: error::display_or_hide(unknown),
                known: names.join(", "),
            });
        }
        if !names.is_empty() {
            self.databases.retain(|database| names.contains(&database.name));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
