//! The variables that name the one database, where no configuration file names any.

use super::database::{Database, label};
use super::environment::Environment;
use super::error::{ConfigError, ConfigLocation};
use super::layers::ConfigLocations;
use super::url_source::UrlSource;
use secrecy::SecretString;
use std::path::Path;

/// The variables that may name the one database: the first pair that is set wins.
const VARIABLES: [[&str; 2]; 2] =
    [["PGMEDIC_DATABASE_URL", "PGMEDIC_DATABASE_URL_FILE"], ["DATABASE_URL", "DATABASE_URL_FILE"]];

/// libpq's variables that name a server or a database: without any other source, they are the connection string.
const LIBPQ_VARIABLES: [&str; 4] = ["PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE"];

pub(super) fn from_variables(locations: &ConfigLocations, environment: &Environment) -> Result<Database, ConfigError> {
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

/// A warning about variables that name a database and are not used: which, why, and how to use them.
pub(super) fn unused_variables(
    in_file: bool,
    locations: &ConfigLocations,
    environment: &Environment,
) -> Option<String> {
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
