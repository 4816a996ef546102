//! The `[[databases]]` tables, or the variable that names the one database; and their connection URLs.

use std::fs;
use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;

use secrecy::SecretString;

use super::environment::Environment;
use super::error::{ConfigError, ConfigLocation, SourceError, display_or_hide, is_connection};
use super::keys::WrittenDatabase;
use super::layers::ConfigLocations;
use super::values::is_label;
use crate::db::budget::{ConnectionBudget, DEFAULT_MAX_CONNECTIONS};
use crate::db::{ConnectTarget, OwnTransactions, conninfo};
use crate::report::DatabaseLabel;

/// One database to monitor.
#[derive(Debug, Clone)]
pub struct Database {
    /// The label in reports and metrics; unique.
    pub name: DatabaseLabel,
    /// Where its connection URL comes from.
    pub source: UrlSource,
    /// The database's own name, where it is another one than the URL's.
    own_name: Option<String>,
    /// Counts the transactions of this agent in it.
    transactions: OwnTransactions,
    /// Other databases are configured too, so that a command has to name this one.
    pub among_several: bool,
    /// Of all connections to its server at a time; none for the default.
    max_connections: Option<u32>,
    /// Counts the connections of the whole configuration.
    budget: Arc<ConnectionBudget>,
}

/// Where a connection URL comes from.
#[derive(Debug, Clone)]
pub enum UrlSource {
    /// In the configuration or in a variable.
    Inline(SecretString),
    /// In a file (absolute path) that is read again for each connection, so a password can change while the agent runs.
    File(PathBuf),
}

impl Database {
    fn new(name: impl Into<DatabaseLabel>, source: UrlSource) -> Self {
        Self {
            name: name.into(),
            source,
            own_name: None,
            transactions: OwnTransactions::default(),
            among_several: false,
            max_connections: None,
            budget: Arc::default(),
        }
    }

    /// The database of this own name on the same server, by the same connection string.
    pub(super) fn sibling(&self, name: DatabaseLabel, own_name: &str) -> Self {
        Self { name, own_name: Some(own_name.to_owned()), transactions: OwnTransactions::default(), ..self.clone() }
    }

    /// A database that the command line names.
    pub fn inline(name: String, connection: SecretString) -> Self {
        Self::new(name, UrlSource::Inline(connection))
    }

    /// The connection options. Reads the URL file again.
    ///
    /// # Errors
    ///
    /// When the file that holds the URL cannot be read or no longer holds a usable URL.
    pub fn connect_options(&self) -> Result<ConnectTarget, ConfigError> {
        let target = self.source.options(self.own_name.as_deref()).map_err(|cause| ConfigError::Source {
            location: ConfigLocation::Database(self.name.to_string()),
            key: String::new(),
            cause: Box::new(cause),
        })?;
        Ok(ConnectTarget {
            budget: Arc::clone(&self.budget),
            max_connections: self.max_connections,
            transactions: self.transactions.clone(),
            ..target
        })
    }

    /// How many transactions of this agent its server has counted, at most.
    pub fn transactions(&self) -> u64 {
        self.transactions.count()
    }

    /// What this entry says of the connections to its server.
    pub fn written_max_connections(&self) -> Option<u32> {
        self.max_connections
    }

    /// Of all connections to its server at a time.
    pub fn max_connections(&self) -> u32 {
        self.max_connections.unwrap_or(DEFAULT_MAX_CONNECTIONS)
    }

    /// The connections of the whole configuration.
    pub fn budget(&self) -> &Arc<ConnectionBudget> {
        &self.budget
    }
}

impl UrlSource {
    /// The file of this path, relative to the folder.
    fn file(folder: &Path, path: &str) -> Result<Self, SourceError> {
        if path.is_empty() || is_connection(path) || path.chars().any(char::is_control) {
            return Err(SourceError::NotAPath);
        }
        let path = folder.join(path);
        Ok(Self::File(absolute(&path).unwrap_or(path)))
    }

    /// The source and the connection target that it holds now.
    fn checked(self) -> Result<(Self, ConnectTarget), SourceError> {
        let options = self.options(None)?;
        Ok((self, options))
    }

    /// The connection target, with this database instead of the one that is named.
    fn options(&self, database: Option<&str>) -> Result<ConnectTarget, SourceError> {
        match self {
            Self::Inline(url) => parse(url, database).map_err(SourceError::Inline),
            Self::File(path) => {
                let path = path.clone();
                let text = match fs::read_to_string(&path) {
                    Ok(text) => text,
                    Err(cause) => return Err(SourceError::Unreadable { path, cause }),
                };
                let text = text.trim();
                if text.is_empty() {
                    return Err(SourceError::Empty { path });
                }
                parse(&text.into(), database).map_err(|cause| SourceError::InFile { path, cause })
            }
        }
    }
}

/// One warning for all parameters of a connection string that have no effect here, and one where it does not say which of several
/// hosts is wanted.
pub(super) fn connection_warnings(database: &Database) -> Vec<String> {
    let Ok(target) = database.source.options(None) else { return Vec::new() };
    let name = &database.name;
    let ignored = (!target.ignored.is_empty()).then(|| {
        format!(
            "{name}: its connection string has parameters without effect here, which are ignored: {}",
            target.ignored.join(", ")
        )
    });
    let undecided = (target.candidates.len() > 1 && !target.names_attributes).then(|| {
        format!(
            "{name}: its connection string names several hosts, and the first that answers is taken, after a failover perhaps a \
             replica, where nothing is repaired; add target_session_attrs=read-write to it"
        )
    });
    ignored.into_iter().chain(undecided).collect()
}

fn parse(text: &SecretString, database: Option<&str>) -> Result<ConnectTarget, conninfo::ConninfoError> {
    conninfo::parse_for(text, &|name| std::env::var(name).ok(), database)
}

/// The databases of the file, or else the one that a variable names; and warnings about variables and parameters that
/// are not used.
pub(super) fn resolve_databases(
    written: Vec<WrittenDatabase>,
    has_servers: bool,
    budget: &Arc<ConnectionBudget>,
    locations: &ConfigLocations,
    environment: &Environment,
) -> Result<(Vec<Database>, Vec<String>), ConfigError> {
    let in_file = has_servers || !written.is_empty();
    let mut warnings: Vec<String> = unused_variables(in_file, locations, environment).into_iter().collect();
    if !in_file {
        let budget = Arc::clone(budget);
        let database = Database { budget, ..from_variables(locations, environment)? };
        warnings.extend(connection_warnings(&database));
        return Ok((vec![database], warnings));
    }
    let mut databases: Vec<Database> = Vec::new();
    for (index, table) in written.into_iter().enumerate() {
        let key = format!("databases[{index}]");
        let database = Database { budget: Arc::clone(budget), ..from_file(table, &key, locations)? };
        if let Some(other) = databases.iter().position(|other| other.name == database.name) {
            return Err(locations.invalid(
                format!("{key}.name"),
                format!("{}, the name of databases[{other}] too", display_or_hide(&database.name)),
                "a different `name` for each database (the default is the name in its URL)",
            ));
        }
        warnings.extend(connection_warnings(&database));
        databases.push(database);
    }
    let among_several = has_servers || databases.len() > 1;
    databases.iter_mut().for_each(|database| database.among_several = among_several);
    Ok((databases, warnings))
}

/// A warning about variables that name a database and are not used: which, why, and how to use them.
fn unused_variables(in_file: bool, locations: &ConfigLocations, environment: &Environment) -> Option<String> {
    let mut set = VARIABLES.map(|pair| pair.into_iter().filter(|name| environment.is_set(name)).collect::<Vec<_>>());
    let (why, fix) = match locations.file() {
        Some(file) if in_file => (
            format!("{} names the databases", file.display()),
            "leave out --config and unset PGMEDIC_CONFIG".to_owned(),
        ),
        _ => {
            let used = set.iter_mut().find(|pair| !pair.is_empty()).map(std::mem::take)?.join(" and ");
            (format!("{used} is set too"), format!("unset {used}"))
        }
    };
    let unused = set.concat().join(", ");
    (!unused.is_empty()).then(|| format!("{unused}: set, but not used, because {why}; to use it, {fix}"))
}

/// The connection string of a table, as what is wanted of it and as it is now, and the key that holds it.
pub(super) fn source_of(
    (url, url_file): (Option<String>, Option<String>),
    key: &str,
    locations: &ConfigLocations,
) -> Result<(UrlSource, ConnectTarget, String), ConfigError> {
    let (source, source_key) = match (url, url_file) {
        (Some(url), None) => (Ok(UrlSource::Inline(url.into())), format!("{key}.url")),
        (None, Some(file)) => {
            // A path is relative to the configuration file, not to the working directory.
            let folder = locations.file().and_then(Path::parent).unwrap_or(Path::new(""));
            (UrlSource::file(folder, &file), format!("{key}.url_file"))
        }
        (url, _) => {
            let found = if url.is_some() { "both" } else { "neither" };
            return Err(locations.invalid(key, found, "exactly one of `url` and `url_file`"));
        }
    };
    let (source, target) =
        source.and_then(UrlSource::checked).map_err(|cause| unusable(cause, &source_key, locations))?;
    Ok((source, target, source_key))
}

fn unusable(cause: SourceError, key: &str, locations: &ConfigLocations) -> ConfigError {
    ConfigError::Source { location: locations.of(key), key: key.to_owned(), cause: Box::new(cause) }
}

fn from_file(table: WrittenDatabase, key: &str, locations: &ConfigLocations) -> Result<Database, ConfigError> {
    let (source, options, source_key) = source_of((table.url, table.url_file), key, locations)?;
    let name = match table.name {
        Some(name) if !is_label(&name) => {
            let expected = "a short label, such as \"app\"";
            return Err(locations.invalid(format!("{key}.name"), display_or_hide(&name), expected));
        }
        Some(name) => name,
        None => label(&options).map_err(|cause| unusable(cause, &source_key, locations))?,
    };
    let max_connections = checked_max_connections(table.max_connections, key, locations)?;
    Ok(Database { max_connections, ..Database::new(name, source) })
}

/// The database that a server's connection string names, or else `postgres`, which every server has.
pub(super) fn home_of_server(
    server: &str,
    source: UrlSource,
    target: &ConnectTarget,
    max_connections: Option<u32>,
    budget: &Arc<ConnectionBudget>,
) -> Database {
    let named = target.first().get_database().filter(|name| !name.is_empty());
    let own_name = named.unwrap_or("postgres").to_owned();
    let label = DatabaseLabel::of_server(server, &own_name);
    Database {
        own_name: Some(own_name),
        among_several: true,
        max_connections,
        budget: Arc::clone(budget),
        ..Database::new(label, source)
    }
}

/// One connection stays open for the lease and for NOTIFY, and the passes need another.
pub(super) fn checked_max_connections(
    number: Option<i64>,
    table: &str,
    locations: &ConfigLocations,
) -> Result<Option<u32>, ConfigError> {
    let check = |number: i64| {
        u32::try_from(number).ok().filter(|number| *number >= 2).ok_or_else(|| {
            let expected =
                "a whole number from 2 on: one connection holds the lease and receives NOTIFY, another one works";
            locations.invalid(format!("{table}.max_connections"), format!("the number {number}"), expected)
        })
    };
    number.map(check).transpose()
}

/// The database's own name, as the label.
fn label(target: &ConnectTarget) -> Result<String, SourceError> {
    let name = target.database_name();
    if is_label(name) { Ok(name.to_owned()) } else { Err(SourceError::NoLabel) }
}

/// The variables that may name the one database: the first pair that is set wins.
const VARIABLES: [[&str; 2]; 2] =
    [["PGMEDIC_DATABASE_URL", "PGMEDIC_DATABASE_URL_FILE"], ["DATABASE_URL", "DATABASE_URL_FILE"]];

/// libpq's variables that name a server or a database: without any other source, they are the connection string.
const LIBPQ_VARIABLES: [&str; 4] = ["PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE"];

fn from_variables(locations: &ConfigLocations, environment: &Environment) -> Result<Database, ConfigError> {
    for [inline, file] in VARIABLES {
        let (variable, source) = match (environment.get(inline)?, environment.get(file)?) {
            (None, None) => continue,
            (Some(url), None) => (inline, Ok(UrlSource::Inline(url.into()))),
            (None, Some(path)) => (file, UrlSource::file(Path::new(""), path)),
            (Some(_), Some(_)) => {
                return Err(ConfigError::Invalid {
                    location: ConfigLocation::Variable(inline.to_owned()),
                    key: String::new(),
                    found: format!("{file} set as well"),
                    expected: "only one of the two".to_owned(),
                });
            }
        };
        let named = source
            .and_then(UrlSource::checked)
            .and_then(|(source, options)| Ok(Database::new(label(&options)?, source)));
        return named.map_err(|cause| ConfigError::Source {
            location: ConfigLocation::Variable(variable.to_owned()),
            key: String::new(),
            cause: Box::new(cause),
        });
    }
    if LIBPQ_VARIABLES.iter().any(|name| environment.is_set(name)) {
        let source = UrlSource::Inline(SecretString::from(""));
        let named = source.checked().and_then(|(source, target)| Ok(Database::new(label(&target)?, source)));
        return named.map_err(|cause| ConfigError::Source {
            location: ConfigLocation::Variable("PGHOST, PGDATABASE and the like".to_owned()),
            key: String::new(),
            cause: Box::new(cause),
        });
    }
    let empty: Vec<&str> = VARIABLES.into_iter().flatten().filter(|name| environment.is_empty(name)).collect();
    Err(ConfigError::NoDatabase {
        file: locations.file().map_or("none was given, see --config".to_owned(), |file| file.display().to_string()),
        empty: match empty.as_slice() {
            [] => String::new(),
            names => format!("; set but empty: {}", names.join(", ")),
        },
    })
}
