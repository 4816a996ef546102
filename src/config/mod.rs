//! The settings: built-in defaults, then the configuration file, then `PGMEDIC_` variables.
//!
//! `Settings::load` checks each layer against the list of keys, merges them, checks the values section by section, and
//! returns the settings or one error with the location of the mistake.
//!
//! | file | contents |
//! |---|---|
//! | `keys.rs` | every key and its type: the list to which a new key is added |
//! | `one_or_many.rs` | a value that is one, or a list |
//! | `schema.rs` | the types of values, and lookups in that list |
//! | `file.rs`, `environment.rs` | read one layer each; an unknown key is an error |
//! | `layers.rs` | merges the layers and keeps where each value was set |
//! | `database.rs`, `url_source.rs`, `database_variables.rs` | one database: where its connection string comes from |
//! | `databases.rs`, `servers.rs`, `sequences.rs`, `sessions/`, `http.rs`, `tls.rs`, `links.rs`, `log.rs`, `webhook.rs` | one section each: its settings and the checks of its values |
//! | `feeds.rs`, `declared_id.rs` | `[[sequences.feeds]]`: links that the catalog does not record |
//! | `presets.rs` | session stores of known frameworks |
//! | `pattern.rs`, `schedule.rs`, `values.rs` | patterns, schedules, numbers and durations |
//! | `redact.rs` | the settings as TOML, without passwords |
//! | `error.rs` | errors, and which text they may show |

mod database;
mod database_variables;
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
mod links;
mod log;
mod one_or_many;
mod pattern;
mod presets;
mod redact;
mod schedule;
mod schema;
mod sequences;
mod servers;
mod sessions;
mod tls;
mod url_source;
mod values;
mod webhook;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

pub use database::Database;
pub use declared_id::DeclaredId;
pub use environment::Environment;
pub use error::{ConfigError, ConfigLocation, SourceError};
pub use feeds::DeclaredFeed;
pub use http::{BasicAuthUser, Http};
pub use links::PageLink;
pub use log::{Log, LogFormat};
pub use pattern::Pattern;
pub use presets::Preset;
pub use schedule::{Schedule, cron_parser};
pub use sequences::{SequenceRule, Sequences};
pub use servers::Server;
pub use sessions::{
    Action, Condition, Encoding, ExpiryKind, ExpiryRule, Lifetime, LifetimeUnit, Scalar, SessionStoreConfig,
};
pub use tls::TlsIdentity;
pub use url_source::UrlSource;
pub use webhook::{Webhook, WebhookFormat, WebhookUrlError};

use crate::clock;
use crate::db::budget::ConnectionBudget;
use crate::report::DatabaseLabel;
use databases::{connection_warnings, resolve_databases};
use layers::Layers;
use servers::{expected_instead, resolve_servers};

/// The whole configuration, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// At least one, or a server; names are unique.
    pub databases: Vec<Database>,
    /// Whose databases are discovered; names are unique.
    pub servers: Vec<Server>,
    /// Names of `--database` that only a server's databases can have.
    pub wanted: Vec<String>,
    /// Counts the connections to all of them.
    pub budget: Arc<ConnectionBudget>,
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
        let budget = Arc::<ConnectionBudget>::default();
        let (written_databases, written_servers) =
            (std::mem::take(&mut written.databases), std::mem::take(&mut written.servers));
        let has_servers = !written_servers.is_empty();
        let (databases, mut warnings) =
            resolve_databases(written_databases, has_servers, &budget, &locations, environment)?;
        let servers = resolve_servers(written_servers, &databases, &budget, &locations)?;
        warnings.extend(servers.iter().flat_map(|server| connection_warnings(&server.home)));
        for (index, feed) in sequences.feeds.iter().enumerate() {
            let Some(name) = &feed.database else { continue };
            if let Some(expected) = expected_instead(name, &databases, &servers) {
                let key = format!("sequences.feeds[{index}].database");
                return Err(locations.invalid(key, error::display_or_hide(name), expected));
            }
        }
        sessions::apply_presets(&mut written.sessions, &locations)?;
        let sessions = sessions::validate(&written.sessions, (&databases, &servers), &sequences, &locations, now)?;
        let wanted = Vec::new();
        Ok(Self { databases, servers, wanted, budget, sequences, sessions, http, log, webhook, warnings, written })
    }

    /// The key of the leadership lease on the database of this name: agents with the same work elect one leader.
    /// FNV-1a of the patterns and the session stores: the same on every host and in every version.
    pub fn leadership_key(&self, database: &DatabaseLabel) -> i32 {
        let Sequences { include, exclude, .. } = &self.sequences;
        let include = include.iter().map(|pattern| format!("+{pattern}\n"));
        let exclude = exclude.iter().map(|pattern| format!("-{pattern}\n"));
        let stores: BTreeSet<String> = SessionStoreConfig::for_database(&self.sessions, database)
            .map(|store| format!("={} {}\n", store.name, store.table))
            .collect();
        fnv1a(&include.chain(exclude).chain(stores).collect::<String>())
    }

    /// The key of the leadership lease on the server of these databases, and of those that are discovered on it.
    pub fn server_leadership_key(&self, databases: &[&DatabaseLabel], server: Option<&Server>) -> i32 {
        let text = databases.iter().map(|name| format!("{name} {}\n", self.leadership_key(name)));
        match (databases, server) {
            ([one], None) => self.leadership_key(one),
            (_, None) => fnv1a(&text.collect::<String>()),
            (_, Some(server)) => {
                let own = format!("{} {}\n{}", server.name, self.leadership_key(&server.home.name), server.patterns());
                fnv1a(&(text.collect::<String>() + &own))
            }
        }
    }

    /// Keeps only the databases of these names; all of them when no name is given. A name may be a server's, or that of a
    /// database that is yet to be discovered, with or without the server's name and a slash before it.
    ///
    /// # Errors
    ///
    /// When a name is not configured, and no server can have such a database.
    pub fn select_databases(mut self, names: &[String]) -> Result<Self, ConfigError> {
        if names.is_empty() {
            return Ok(self);
        }
        let is_configured = |name: &String| self.databases.iter().any(|database| database.name == name.as_str());
        let wanted: Vec<String> = names.iter().filter(|name| !is_configured(name)).cloned().collect();
        if let (Some(unknown), true) = (wanted.first(), self.servers.is_empty()) {
            let known = self.databases.iter().map(|database| database.name.as_str());
            return Err(ConfigError::unknown_database(unknown, known));
        }
        self.databases.retain(|database| names.iter().any(|name| database.name == name.as_str()));
        servers::select(&mut self.servers, &wanted);
        self.wanted = wanted;
        Ok(self)
    }

    /// Refuses approvals that could let through more than was read and meant: names are the same in many databases.
    ///
    /// # Errors
    ///
    /// Where there are several databases, and none was selected.
    pub fn check_approvals(&self, approvals: &[String], selected: &[String]) -> Result<(), ConfigError> {
        let are_several = self.databases.len() > 1 || !self.servers.is_empty();
        match approvals.first() {
            Some(approval) if selected.is_empty() && are_several => {
                Err(ConfigError::AmbiguousApproval(error::display_or_hide(approval)))
            }
            _ => Ok(()),
        }
    }
}

fn fnv1a(text: &str) -> i32 {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.cast_signed()
}

#[cfg(test)]
mod tests;
