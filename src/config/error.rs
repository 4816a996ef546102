//! What is wrong with a configuration: where, what was found, what was expected.
//!
//! Text from the configuration is repeated only when it cannot hold a secret.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::db::conninfo::ConninfoError;

/// A configuration that cannot be used. Nothing has been touched when it is reported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The configuration file cannot be read.
    #[error("{}: cannot be read: {cause}", .path.display())]
    Unreadable { path: PathBuf, cause: io::Error },

    /// The file is not TOML.
    #[error("{place}: not valid TOML: {problem}")]
    Syntax { place: ConfigLocation, problem: String },

    /// A key or a `PGMEDIC_` variable that has no meaning.
    #[error("{place}: {what}; {hint}")]
    Unknown { place: ConfigLocation, what: String, hint: String },

    /// A value of the wrong type, an impossible value, or a contradiction.
    #[error("{place}: {key}found {found}, expected {expected}", key = prefix(.key))]
    Invalid { place: ConfigLocation, key: String, found: String, expected: String },

    /// A database's connection URL cannot be had.
    #[error("{place}: {key}{cause}", key = prefix(.key))]
    Source { place: ConfigLocation, key: String, cause: Box<SourceError> },

    /// No database is named anywhere.
    #[error(
        "no database is named: add a [[databases]] table with a `url` to the configuration file ({file}), \
         set DATABASE_URL (or PGMEDIC_DATABASE_URL), \
         or set DATABASE_URL_FILE (or PGMEDIC_DATABASE_URL_FILE) to a file that holds the URL{empty}"
    )]
    NoDatabase { file: String, empty: String },

    /// `--database` names none of the configured databases.
    #[error("--database: found {found}, expected one of {known}")]
    UnknownDatabase { found: String, known: String },
}

/// Why a connection URL cannot be had from where it is kept.
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
    /// The entry of this name, once everything is loaded.
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

/// Longer text says more about a paste gone wrong than about the mistake.
const LONGEST_SHOWN: usize = 60;

/// The text in quotes, or only its kind when it might hold a secret.
pub(super) fn display_or_hide(text: &str) -> String {
    if is_shown(text) {
        format!("{text:?}")
    } else if may_hold_secret(text) {
        "a text that is not shown here (it may hold a secret)".to_owned()
    } else {
        format!("a text of {} characters", text.chars().count())
    }
}

/// Whether the text is short, and cannot hold a secret.
pub(super) fn is_shown(text: &str) -> bool {
    !may_hold_secret(text) && text.chars().count() <= LONGEST_SHOWN
}

/// Whether the text may be a connection URL, a connection string, or a piece of one.
pub(super) fn may_hold_secret(text: &str) -> bool {
    text.contains('@') || is_connection(text)
}

/// Whether the text is a whole connection URL or connection string, which is never a good path or
/// label. An `@` alone is not: systemd's credentials are under `/run/credentials/name@instance`.
pub(super) fn is_connection(text: &str) -> bool {
    text.contains("://") || text.to_lowercase().contains("password=")
}
