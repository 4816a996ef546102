//! Where a connection string comes from: the configuration, a variable, or a file.

use super::error::{ConfigError, SourceError, is_connection};
use super::layers::ConfigLocations;
use crate::db::{ConnectTarget, conninfo};
use secrecy::SecretString;
use std::fs;
use std::path::{Path, PathBuf, absolute};

/// Where a connection URL comes from.
#[derive(Debug, Clone)]
pub enum UrlSource {
    /// In the configuration or in a variable.
    Inline(SecretString),
    /// In a file (absolute path) that is read again for each connection, so a password can change while the agent runs.
    File(PathBuf),
}

impl UrlSource {
    /// The file of this path, relative to the folder.
    pub(super) fn file(folder: &Path, path: &str) -> Result<Self, SourceError> {
        if path.is_empty() || is_connection(path) || path.chars().any(char::is_control) {
            return Err(SourceError::NotAPath);
        }
        let path = folder.join(path);
        Ok(Self::File(absolute(&path).unwrap_or(path)))
    }

    /// The source and the connection target that it holds now.
    pub(super) fn checked(self) -> Result<(Self, ConnectTarget), SourceError> {
        let options = self.options(None)?;
        Ok((self, options))
    }

    /// The connection target, with this database instead of the one that is named.
    pub(super) fn options(&self, database: Option<&str>) -> Result<ConnectTarget, SourceError> {
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

fn parse(text: &SecretString, database: Option<&str>) -> Result<ConnectTarget, conninfo::ConninfoError> {
    conninfo::parse_for(text, &|name| std::env::var(name).ok(), database)
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

pub(super) fn unusable(cause: SourceError, key: &str, locations: &ConfigLocations) -> ConfigError {
    ConfigError::Source { location: locations.of(key), key: key.to_owned(), cause: Box::new(cause) }
}
