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
use crate::db::{ConnectTarget, conninfo};

/// One database to monitor.
#[derive(Debug, Clone)]
pub struct Database {
    /// The label in reports and metrics; unique.
    pub name: String,
    /// Where its connection URL comes from.
    pub source: UrlSource,
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
    fn new(name: String, source: UrlSource) -> Self {
        Self { name, source, max_connections: None, budget: Arc::default() }
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
        let target = self.source.options().map_err(|cause| ConfigError::Source {
            location: ConfigLocation::Database(self.name.clone()),
            key: String::new(),
            cause: Box::new(cause),
        })?;
        Ok(ConnectTarget { budget: Arc::clone(&self.budget), max_connections: self.max_connections, ..target })
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
        let options = self.options()?;
        Ok((self, options))
    }

    fn options(&self) -> Result<ConnectTarget, SourceError> {
        match self {
            Self::Inline(url) => parse(url).map_err(SourceError::Inline),
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
                parse(&text.into()).map_err(|cause| SourceError::InFile { path, cause })
            }
        }
    }
}

/// One warning for all parameters of a connection string that have no effect here.
fn ignored_parameters(database: &Database) -> Option<String> {
    let ignored = database.source.options().ok()?.ignored;
    let name = &database.name;
    (!ignored.is_empty()).then(|| {
        format!(
            "{name}: its connection string has parameters without effect here, which are ignored: {}",
            ignored.join(", ")
        )
    })
}

fn parse(text: &SecretString) -> Result<ConnectTarget, conninfo::ConninfoError> {
    conninfo::parse(text, &|name| std::env::var(name).ok())
}

/// The databases of the file, or else the one that a variable names; and warnings about variables and parameters that
/// are not used.
pub(super) fn resolve_databases(
    written: Vec<WrittenDatabase>,
    locations: &ConfigLocations,
    environment: &Environment,
) -> Result<(Vec<Database>, Vec<String>), ConfigError> {
    let mut warnings: Vec<String> = unused_variables(!written.is_empty(), locations, environment).into_iter().collect();
    let budget = Arc::<ConnectionBudget>::default();
    if written.is_empty() {
        let database = Database { budget, ..from_variables(locations, environment)? };
        warnings.extend(ignored_parameters(&database));
        return Ok((vec![database], warnings));
    }
    let mut databases: Vec<Database> = Vec::new();
    for (index, table) in written.into_iter().enumerate() {
        let key = format!("databases[{index}]");
        let database = Database { budget: Arc::clone(&budget), ..from_file(table, &key, locations)? };
        if let Some(other) = databases.iter().position(|other| other.name == database.name) {
            return Err(locations.invalid(
                format!("{key}.name"),
                format!("{}, the name of databases[{other}] too", display_or_hide(&database.name)),
                "a different `name` for each database (the default is the name in its URL)",
            ));
        }
        warnings.extend(ignored_parameters(&database));
        databases.push(database);
    }
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

fn from_file(table: WrittenDatabase, key: &str, locations: &ConfigLocations) -> Result<Database, ConfigError> {
    let (source, source_key) = match (table.url, table.url_file) {
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
    let unusable = |cause| ConfigError::Source {
        location: locations.of(&source_key),
        key: source_key.clone(),
        cause: Box::new(cause),
    };
    let (source, options) = source.and_then(UrlSource::checked).map_err(unusable)?;
    let name = match table.name {
        Some(name) if !is_label(&name) => {
            let expected = "a short label, such as \"app\"";
            return Err(locations.invalid(format!("{key}.name"), display_or_hide(&name), expected));
        }
        Some(name) => name,
        None => label(&options).map_err(unusable)?,
    };
    let max_connections = table.max_connections;
    let max_connections =
        max_connections.map(|number| checked_max_connections(number, &format!("{key}.max_connections"), locations));
    let max_connections = max_connections.transpose()?;
    Ok(Database { max_connections, ..Database::new(name, source) })
}

/// One connection stays open for the lease and for NOTIFY, and the passes need another.
fn checked_max_connections(number: i64, key: &str, locations: &ConfigLocations) -> Result<u32, ConfigError> {
    u32::try_from(number).ok().filter(|number| *number >= 2).ok_or_else(|| {
        let expected =
            "a whole number from 2 on: one connection holds the lease and receives NOTIFY, another one works";
        locations.invalid(key, format!("the number {number}"), expected)
    })
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
