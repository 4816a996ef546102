//! The effective configuration, to be shown: everything but the passwords.

use secrecy::SecretString;

use super::raw::{Raw, RawDatabase, RawFeed, RawSequences};
use super::{Database, Sequences, Settings, UrlSource};
use crate::db::conninfo;

impl Settings {
    /// The effective configuration as TOML, every password in a URL replaced by `***`.
    ///
    /// Apart from the passwords, loading it again gives the same settings.
    pub fn redacted_toml(&self) -> String {
        let raw = Raw {
            databases: self.databases.iter().map(database).collect(),
            sequences: sequences(&self.sequences),
            sessions: self.sessions.iter().map(super::SessionStoreConfig::raw).collect(),
            http: self.http.raw(),
            log: self.log.raw(),
        };
        // Strings, numbers and lists of them always have a TOML form.
        toml::to_string(&raw).expect("settings always have a TOML form")
    }
}

fn database(database: &Database) -> RawDatabase {
    let show = |url: &SecretString| conninfo::redact(url);
    let (url, url_file) = match &database.source {
        UrlSource::Inline(url) => (Some(show(url)), None),
        UrlSource::File(path) => (None, Some(path.display().to_string())),
    };
    RawDatabase { name: Some(database.name.clone()), url, url_file }
}

fn sequences(sequences: &Sequences) -> RawSequences {
    let texts = |patterns: &[super::Pattern]| patterns.iter().map(ToString::to_string).collect();
    RawSequences {
        schedule: sequences.schedule.clone(),
        listen_notify: sequences.listen_notify,
        repair: sequences.repair,
        include: texts(&sequences.include),
        exclude: texts(&sequences.exclude),
        headroom: sequences.headroom.into(),
        advance_limit: sequences.advance_limit.into(),
        max_repair_ratio: sequences.max_repair_ratio,
        lock_timeout: humantime::format_duration(sequences.lock_timeout).to_string(),
        statement_timeout: humantime::format_duration(sequences.statement_timeout).to_string(),
        full_pass_every: sequences.full_pass_every.into(),
        feeds: sequences
            .feeds
            .iter()
            .map(|feed| RawFeed {
                sequence: Some(feed.sequence.to_string()),
                column: Some(feed.column.to_string()),
                database: feed.database.clone(),
            })
            .collect(),
    }
}
