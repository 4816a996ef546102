//! The errors of a configuration: the location, what was found, and what was expected.
//!
//! Text from the configuration is shown only if it cannot contain a secret.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::db::conninfo::ConninfoError;
use pgmedic_core::{Reason, ReasonKind};

/// Why a configuration cannot be used. It is reported before pgmedic connects to any database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The configuration file cannot be read.
    #[error("{}: cannot be read: {cause}", .path.display())]
    Unreadable { path: PathBuf, cause: io::Error },

    /// The file is not TOML.
    #[error("{location}: not valid TOML: {problem}")]
    Syntax { location: ConfigLocation, problem: String },

    /// An unknown key or `PGMEDIC_` variable.
    #[error("{location}: {what}; {hint}")]
    Unknown { location: ConfigLocation, what: String, hint: String },

    /// A value of the wrong type, an impossible value, or a contradiction.
    #[error("{location}: {key}found {found}, expected {expected}", key = prefix(.key))]
    Invalid { location: ConfigLocation, key: String, found: String, expected: String },

    /// A database's connection URL is missing or unusable.
    #[error("{location}: {key}{cause}", key = prefix(.key))]
    Source { location: ConfigLocation, key: String, cause: Box<SourceError> },

    /// Neither the file nor a variable names a database or a server.
    #[error(
        "no database is named: add a [[databases]] or [[servers]] table with a `url` to the configuration file ({file}), \
         set DATABASE_URL (or PGMEDIC_DATABASE_URL), \
         or set DATABASE_URL_FILE (or PGMEDIC_DATABASE_URL_FILE) to a file that holds the URL{empty}"
    )]
    NoDatabase { file: String, empty: String },

    /// The patterns of a server leave out all of its databases.
    #[error(
        "server {server:?}: include and exclude leave none of its {count} databases ({names}), expected patterns that match \
         one; templates, and databases that accept no connections, are never monitored"
    )]
    NothingCovered { server: String, count: usize, names: String },

    /// Two `[[servers]]` tables lead to one server.
    #[error(
        "server {other:?}: found the server of {one:?} by another address, expected one [[servers]] table for each server"
    )]
    SameServer { one: String, other: String },

    /// `--approve` without `--database`, where there are several databases.
    #[error(
        "--approve {0} would apply to every database that is configured: add --database NAME, once for each that it is meant for"
    )]
    AmbiguousApproval(String),
    /// `--database` names a database that is not configured.
    #[error("--database: found {found}, expected one of {known}")]
    UnknownDatabase { found: String, known: String },
}

/// How many names an error lists.
const MOST_NAMES: usize = 20;

impl ConfigError {
    /// `--database` names none of these.
    pub fn unknown_database<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Self {
        let mut names: Vec<&str> = known.take(MOST_NAMES + 1).collect();
        if let Some(last) = names.get_mut(MOST_NAMES) {
            *last = "…";
        }
        Self::UnknownDatabase { found: display_or_hide(name), known: names.join(", ") }
    }
}

/// Why a connection URL is missing or unusable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    #[error("found no path, expected the path of a file that holds a connection URL")]
    NotAPath,
    #[error("{}: cannot be read: {cause}", .path.display())]
    Unreadable { path: PathBuf, cause: io::Error },
    #[error("{}: found an empty file, expected a connection URL", .path.display())]
    Empty { path: PathBuf },
    #[error("{}: found an unusable connection URL: {cause}", .path.display())]
    InFile { path: PathBuf, cause: ConninfoError },
    #[error("found an unusable connection URL: {0}")]
    Inline(ConninfoError),
    #[error(
        "found a database whose name is blank, or holds control characters or ://, \
         expected a `name` for it, in a [[databases]] table of the configuration file"
    )]
    NoLabel,
}

/// Where a setting was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigLocation {
    /// A file, with line and column (both from 1) where they are known.
    File { path: PathBuf, position: Option<(usize, usize)> },
    /// An environment variable.
    Variable(String),
    /// A database of this name, after loading.
    Database(String),
}

impl ConfigLocation {
    pub(super) fn file(path: &Path, position: Option<(usize, usize)>) -> Self {
        Self::File { path: path.to_owned(), position }
    }
}

impl fmt::Display for ConfigLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, position: None } => write!(f, "{}", path.display()),
            Self::File { path, position: Some((line, column)) } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Database(name) => write!(f, "database {name:?}"),
        }
    }
}

fn prefix(key: &str) -> String {
    if key.is_empty() { String::new() } else { format!("{key}: ") }
}

impl From<ConfigError> for Reason {
    fn from(error: ConfigError) -> Self {
        Self::new(ReasonKind::Configuration, error.to_string())
    }
}

/// Longer text is not shown: it is rarely useful, and may be pasted from elsewhere.
const MAX_SHOWN_CHARS: usize = 60;

/// The text in quotes, or a description of it if it may contain a secret or is long.
pub(super) fn display_or_hide(text: &str) -> String {
    if is_shown(text) {
        format!("{text:?}")
    } else if may_hold_secret(text) {
        "a text that is not shown here (it may hold a secret)".to_owned()
    } else {
        format!("a text of {} characters", text.chars().count())
    }
}

/// Whether the text is short and cannot contain a secret.
pub(super) fn is_shown(text: &str) -> bool {
    !may_hold_secret(text) && text.chars().count() <= MAX_SHOWN_CHARS
}

/// Whether the text may be a connection URL, a connection string, or a piece of one.
pub(super) fn may_hold_secret(text: &str) -> bool {
    text.contains('@') || is_connection(text)
}

/// Whether the text is a connection URL or connection string, which is never a valid path or label. An `@` alone is
/// allowed: systemd keeps credentials under `/run/credentials/name@instance`.
pub(super) fn is_connection(text: &str) -> bool {
    text.contains("://") || text.to_lowercase().contains("password=")
}
