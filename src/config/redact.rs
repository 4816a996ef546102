//! The effective configuration without passwords, as `pgmedic check-config` prints it.

use secrecy::SecretString;

use super::keys::{Written, WrittenDatabase};
use super::{Database, Settings, UrlSource};
use crate::db::conninfo;

impl Settings {
    /// The effective configuration as TOML, with `***` for every password in a URL.
    ///
    /// Loading it again gives the same settings, apart from the passwords.
    #[expect(clippy::expect_used, reason = "text, numbers, booleans, and lists and tables of them have a TOML form")]
    pub fn redacted_toml(&self) -> String {
        let mut written = Written { databases: self.databases.iter().map(database).collect(), ..self.written.clone() };
        written.webhook = written.webhook.redacted(self.webhook.as_ref());
        toml::to_string(&written).expect("settings always have a TOML form")
    }
}

fn database(database: &Database) -> WrittenDatabase {
    let redacted = |url: &SecretString| conninfo::redact(url);
    let (url, url_file) = match &database.source {
        UrlSource::Inline(url) => (Some(redacted(url)), None),
        UrlSource::File(path) => (None, Some(path.display().to_string())),
    };
    let max_connections = database.written_max_connections().map(i64::from);
    WrittenDatabase { name: Some(database.name.clone()), url, url_file, max_connections }
}
