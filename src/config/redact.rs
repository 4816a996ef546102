//! The effective configuration without passwords, as `pgmedic check-config` prints it.

use super::keys::{Written, WrittenDatabase, WrittenServer};
use super::{Database, Server, Settings, UrlSource};
use crate::db::conninfo;

impl Settings {
    /// The effective configuration as TOML, with `***` for every password in a URL.
    ///
    /// Loading it again gives the same settings, apart from the passwords.
    #[expect(clippy::expect_used, reason = "text, numbers, booleans, and lists and tables of them have a TOML form")]
    pub fn redacted_toml(&self) -> String {
        let mut written = Written {
            databases: self.databases.iter().map(database).collect(),
            servers: self.servers.iter().map(server).collect(),
            ..self.written.clone()
        };
        written.webhook = written.webhook.redacted(self.webhook.as_ref());
        toml::to_string(&written).expect("settings always have a TOML form")
    }
}

fn database(database: &Database) -> WrittenDatabase {
    let (url, url_file) = source(database);
    let max_connections = database.written_max_connections().map(i64::from);
    WrittenDatabase { name: Some(database.name.to_string()), url, url_file, max_connections }
}

fn server(server: &Server) -> WrittenServer {
    let (url, url_file) = source(&server.home);
    let max_connections = server.home.written_max_connections().map(i64::from);
    let [include, exclude] = server.written_patterns().map(Some);
    WrittenServer { name: Some(server.name.clone()), url, url_file, include, exclude, max_connections }
}

fn source(database: &Database) -> (Option<String>, Option<String>) {
    match &database.source {
        UrlSource::Inline(url) => (Some(conninfo::redact(url)), None),
        UrlSource::File(path) => (None, Some(path.display().to_string())),
    }
}
