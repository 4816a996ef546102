//! The `[[servers]]` tables: whole servers, whose databases are discovered.

use std::collections::BTreeSet;
use std::sync::Arc;

use wildmatch::WildMatch;

use super::database::Database;
use super::databases::{checked_max_connections, home_of_server};
use super::error::{ConfigError, display_or_hide};
use super::keys::WrittenServer;
use super::layers::ConfigLocations;
use super::url_source::source_of;
use super::values::is_label;
use crate::db::ConnectTarget;
use crate::db::budget::ConnectionBudget;
use crate::report::DatabaseLabel;

/// Databases of providers (Amazon, Google, Microsoft), which only they can enter.
const OF_PROVIDERS: [&str; 3] = ["rdsadmin", "cloudsqladmin", "azure_maintenance"];

/// One server to monitor, with all of its databases that the patterns cover.
#[derive(Debug, Clone)]
pub struct Server {
    /// The label in reports and metrics; unique, and without a slash.
    pub name: String,
    /// The database that its connection string names: it is entered to ask for the others.
    pub home: Database,
    include: Vec<DatabasePattern>,
    exclude: Vec<DatabasePattern>,
    /// Own names of databases that `[[databases]]` tables name: these go there by their own labels.
    elsewhere: BTreeSet<String>,
    /// What `--database` names of it; none for all.
    selected: Option<BTreeSet<String>>,
}

/// A glob for the name of a database: `*` is any text, `?` any one character. Case matters.
#[derive(Debug, Clone, PartialEq)]
pub struct DatabasePattern(WildMatch);

impl Server {
    /// Whether the database of this own name is monitored.
    pub fn covers(&self, database: &str) -> bool {
        let any = |patterns: &[DatabasePattern]| patterns.iter().any(|pattern| pattern.0.matches(database));
        any(&self.include)
            && !any(&self.exclude)
            && !OF_PROVIDERS.contains(&database)
            && !self.elsewhere.contains(database)
            && self.selected.as_ref().is_none_or(|selected| {
                selected.contains(database) || selected.contains(self.label(database).database())
            })
    }

    /// The database of this own name.
    pub fn database(&self, own_name: &str) -> Database {
        if self.label(own_name) == self.home.name {
            return self.home.clone();
        }
        self.home.sibling(self.label(own_name), own_name)
    }

    fn label(&self, own_name: &str) -> DatabaseLabel {
        DatabaseLabel::of_server(&self.name, own_name)
    }

    /// The patterns in one text, the same for agents with the same work.
    pub fn patterns(&self) -> String {
        let include = self.include.iter().map(|pattern| format!("+{}\n", pattern.0));
        let exclude = self.exclude.iter().map(|pattern| format!("-{}\n", pattern.0));
        include.chain(exclude).collect()
    }

    /// The patterns as written.
    pub(super) fn written_patterns(&self) -> [Vec<String>; 2] {
        [&self.include, &self.exclude].map(|patterns| patterns.iter().map(|pattern| pattern.0.to_string()).collect())
    }

    /// Whether this is the server that the connection string leads to, as far as the text tells.
    pub fn is_at(&self, target: &ConnectTarget) -> bool {
        self.home.connect_options().is_ok_and(|home| home.is_same_server(target))
    }

    /// Keeps only the databases of these names.
    pub(super) fn select(&mut self, databases: BTreeSet<String>) {
        self.selected = Some(databases);
    }

    /// Whether `--database` names some of it: it may have none of these.
    pub fn is_narrowed(&self) -> bool {
        self.selected.is_some()
    }
}

/// Keeps of the servers only what these names mean: a server, or a database with or without a server's name before it.
pub(super) fn select(servers: &mut Vec<Server>, names: &[String]) {
    let known: Vec<String> = servers.iter().map(|server| server.name.clone()).collect();
    servers.retain_mut(|server| {
        if names.contains(&server.name) {
            return true;
        }
        let own = |name: &String| match name.split_once('/') {
            Some((prefix, database)) if known.iter().any(|known| known == prefix) => {
                (prefix == server.name).then(|| database.to_owned())
            }
            _ => (!known.contains(name)).then(|| name.clone()),
        };
        let databases: BTreeSet<String> = names.iter().filter_map(own).collect();
        let any = !databases.is_empty();
        server.select(databases);
        any
    });
}

/// What `database` of another table is expected to be, if no database can have this name.
pub(super) fn expected_instead(name: &str, databases: &[Database], servers: &[Server]) -> Option<String> {
    let of_server =
        |server: &Server| name == server.name || name.split_once('/').is_some_and(|(prefix, _)| prefix == server.name);
    if databases.iter().any(|database| database.name == name) || servers.iter().any(of_server) {
        return None;
    }
    let databases = databases.iter().map(|database| database.name.to_string());
    let servers = servers.iter().flat_map(|server| [server.name.clone(), format!("{}/…", server.name)]);
    let known: Vec<String> = databases.chain(servers).collect();
    Some(format!("the name of a configured database: {}", known.join(", ")))
}

/// Checks the tables. `databases` are those of `[[databases]]`.
pub(super) fn resolve_servers(
    written: Vec<WrittenServer>,
    databases: &[Database],
    budget: &Arc<ConnectionBudget>,
    locations: &ConfigLocations,
) -> Result<Vec<Server>, ConfigError> {
    let mut servers: Vec<Server> = Vec::new();
    for (index, table) in written.into_iter().enumerate() {
        let key = format!("servers[{index}]");
        let (mut server, source_key) = server(table, &key, budget, locations)?;
        let name_error = |found| {
            let expected = "a different `name` for each server and database";
            locations.invalid(format!("{key}.name"), format!("{}, {found}", display_or_hide(&server.name)), expected)
        };
        if let Some(other) = servers.iter().position(|other| other.name == server.name) {
            return Err(name_error(format!("the name of servers[{other}] too")));
        }
        let prefix = format!("{}/", server.name);
        let clashes = |other: &Database| other.name == server.name.as_str() || other.name.starts_with(&prefix);
        if let Some(other) = databases.iter().position(clashes) {
            return Err(name_error(format!("which databases[{other}] begins with too")));
        }
        let target = server.home.connect_options()?;
        if let Some(other) = servers.iter().position(|other| other.is_at(&target)) {
            let found = format!("the server of servers[{other}] again");
            return Err(locations.invalid(source_key, found, "one [[servers]] table for each server"));
        }
        for database in databases {
            let other = database.connect_options()?;
            if other.is_same_server(&target) {
                server.elsewhere.insert(other.database_name().to_owned());
            }
        }
        servers.push(server);
    }
    Ok(servers)
}

fn server(
    table: WrittenServer,
    key: &str,
    budget: &Arc<ConnectionBudget>,
    locations: &ConfigLocations,
) -> Result<(Server, String), ConfigError> {
    let name = match table.name {
        Some(name) if is_label(&name) && !name.contains('/') => name,
        Some(name) => {
            let expected = "a short label without a slash, such as \"prod\"";
            return Err(locations.invalid(format!("{key}.name"), display_or_hide(&name), expected));
        }
        None => return Err(locations.invalid(key, "no `name`", "a short label for the server, such as \"prod\"")),
    };
    let (source, target, source_key) = source_of((table.url, table.url_file), key, locations)?;
    let max_connections = checked_max_connections(table.max_connections, key, locations)?;
    let include =
        patterns(&table.include.unwrap_or_else(|| vec!["*".to_owned()]), &format!("{key}.include"), locations)?;
    let exclude = patterns(&table.exclude.unwrap_or_default(), &format!("{key}.exclude"), locations)?;
    if include.is_empty() {
        let expected = "at least one pattern, such as \"*\", or no such key: every database is left out";
        return Err(locations.invalid(format!("{key}.include"), "an empty list", expected));
    }
    let is_all = |pattern: &DatabasePattern| pattern.0.to_string().chars().all(|c| c == '*');
    if let Some(all) = exclude.iter().position(is_all) {
        let expected = "patterns that leave a database: this one leaves out every database";
        return Err(locations.invalid(format!("{key}.exclude[{all}]"), "\"*\"", expected));
    }
    let home = home_of_server(&name, source, &target, max_connections, budget);
    Ok((Server { name, home, include, exclude, elsewhere: BTreeSet::new(), selected: None }, source_key))
}

fn patterns(texts: &[String], key: &str, locations: &ConfigLocations) -> Result<Vec<DatabasePattern>, ConfigError> {
    let pattern = |(index, text): (usize, &String)| {
        if text.trim().is_empty() || text.contains(char::is_control) {
            let expected = "the name of a database, with * and ? as wildcards, such as \"tenant_*\"";
            return Err(locations.invalid(format!("{key}[{index}]"), display_or_hide(text), expected));
        }
        Ok(DatabasePattern(WildMatch::new(text)))
    };
    texts.iter().enumerate().map(pattern).collect()
}
