//! The settings: built-in defaults, then the configuration file, then `PGMEDIC_` variables.
//!
//! `Settings::load` checks each layer against the list of keys, merges them, checks the values section by section, and
//! returns the settings or one error with the location of the mistake.
//!
//! | file | contents |
//! |---|---|
//! | `keys.rs` | every key and its type: the list to which a new key is added |
//! | `schema.rs` | the types of values, and lookups in that list |
//! | `file.rs`, `environment.rs` | read one layer each; an unknown key is an error |
//! | `layers.rs` | merges the layers and keeps where each value was set |
//! | `databases.rs`, `sequences.rs`, `sessions/`, `http.rs`, `tls.rs`, `log.rs`, `webhook.rs` | one section each: its settings and the checks of its values |
//! | `feeds.rs`, `declared_id.rs` | `[[sequences.feeds]]`: links that the catalog does not record |
//! | `presets.rs` | session stores of known frameworks |
//! | `pattern.rs`, `schedule.rs`, `values.rs` | patterns, schedules, numbers and durations |
//! | `redact.rs` | the settings as TOML, without passwords |
//! | `error.rs` | errors, and which text they may show |

mod databases;
mod declared_id;
mod environment;
mod error;
mod feeds;
mod file;
mod http;
mod key;
mod keys;
mod layers;
mod log;
mod pattern;
mod presets;
mod redact;
mod schedule;
mod schema;
mod sequences;
mod sessions;
mod tls;
mod values;
mod webhook;

use std::collections::BTreeSet;
use std::path::Path;

pub use databases::{Database, UrlSource};
pub use declared_id::DeclaredId;
pub use environment::Environment;
pub use error::{ConfigError, ConfigLocation, SourceError};
pub use feeds::DeclaredFeed;
pub use http::{BasicAuthUser, Http};
pub use log::{Log, LogFormat};
pub use pattern::Pattern;
pub use presets::Preset;
pub use schedule::{Schedule, cron_parser};
pub use sequences::{SequenceRule, Sequences};
pub use sessions::{
    Action, Condition, Encoding, ExpiryKind, ExpiryRule, Lifetime, LifetimeUnit, Scalar, SessionStoreConfig,
};
pub use tls::TlsIdentity;
pub use webhook::{Webhook, WebhookFormat, WebhookUrlError};

use crate::clock;
use layers::Layers;

/// The whole configuration, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// At least one; names are unique.
    pub databases: Vec<Database>,
    pub sequences: Sequences,
    /// Session stores; names are unique.
    pub sessions: Vec<SessionStoreConfig>,
    pub http: Http,
    pub log: Log,
    /// Where problems are posted, if anywhere.
    pub webhook: Option<Webhook>,
    /// Warnings to log at the start: variables and parameters that are set but not used.
    pub warnings: Vec<String>,
    /// The merged values as written, with presets and defaults, without the databases (which hold passwords).
    written: keys::Written,
}

impl Settings {
    /// Loads the settings. Reads the configuration file and the files with connection URLs.
    ///
    /// # Errors
    ///
    /// When anything is unreadable, unknown, of the wrong type, impossible or contradictory, or
    /// when no database is named. The error says where, what was found and what was expected.
    pub fn load(file: Option<&Path>, environment: &Environment) -> Result<Self, ConfigError> {
        let Layers { mut written, locations } = Layers::load(file, environment)?;
        let now = clock::now();
        let sequences = Sequences::validate(&written.sequences, &locations, now)?;
        let http = Http::validate(&written.http, &locations)?;
        let log = Log::validate(&written.log, &locations)?;
        let webhook = Webhook::validate(&written.webhook, &locations)?;
        let (databases, warnings) =
            databases::resolve_databases(std::mem::take(&mut written.databases), &locations, environment)?;
        for (index, feed) in sequences.feeds.iter().enumerate() {
            let Some(name) = &feed.database else { continue };
            if !databases.iter().any(|database| database.name == *name) {
                let known: Vec<&str> = databases.iter().map(|database| database.name.as_str()).collect();
                let expected = format!("the name of a configured database: {}", known.join(", "));
                return Err(locations.invalid(
                    format!("sequences.feeds[{index}].database"),
                    error::display_or_hide(name),
                    expected,
                ));
            }
        }
        sessions::apply_presets(&mut written.sessions, &locations)?;
        let sessions = sessions::validate(&written.sessions, &databases, &sequences, &locations, now)?;
        Ok(Self { databases, sequences, sessions, http, log, webhook, warnings, written })
    }

    /// The key of the leadership lease on the database of this name: agents with the same work elect one leader.
    /// FNV-1a of the patterns and the session stores: the same on every host and in every version.
    pub fn leadership_key(&self, database: &str) -> i32 {
        let Sequences { include, exclude, .. } = &self.sequences;
        let include = include.iter().map(|pattern| format!("+{pattern}\n"));
        let exclude = exclude.iter().map(|pattern| format!("-{pattern}\n"));
        let stores: BTreeSet<String> = SessionStoreConfig::for_database(&self.sessions, database)
            .map(|store| format!("={} {}\n", store.name, store.table))
            .collect();
        fnv1a(&include.chain(exclude).chain(stores).collect::<String>())
    }

    /// The key of the leadership lease on the server of these databases.
    pub fn server_leadership_key(&self, databases: &[&str]) -> i32 {
        match databases {
            [one] => self.leadership_key(one),
            several => {
                let text = several.iter().map(|name| format!("{name} {}\n", self.leadership_key(name)));
                fnv1a(&text.collect::<String>())
            }
        }
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

fn fnv1a(text: &str) -> i32 {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.cast_signed()
}

#[cfg(test)]
mod tests;
