//! What a cutover is asked to do.

use crate::config::{Database, Sequences};
use crate::db::conninfo::{self, ConninfoError};
use pgmedic_core::ColumnName;
use secrecy::SecretString;
use std::collections::BTreeMap;

/// A cutover from one database to another.
#[derive(Debug, Clone)]
pub struct Request {
    /// The database in use. It is only read.
    pub from: Database,
    /// The database that takes over.
    pub to: Database,
    /// Values to leave unused beyond everything that was handed out or arrived.
    pub headroom: u32,
    /// The schemas that have another name in `to`.
    pub map: SchemaMap,
    /// Go on where a person has to decide: databases that look swapped, definitions that differ, publications that leave
    /// something out.
    pub confirmed: bool,
    /// Timeouts and declared feeds.
    pub settings: Sequences,
}

/// Schemas of the one database that have another name in the other, as PostgreSQL stores the names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaMap(BTreeMap<String, String>);

impl SchemaMap {
    /// The column of NEW that stands for one of OLD.
    pub fn column(&self, old: &ColumnName) -> ColumnName {
        let mut column = old.clone();
        column.table.schema = self.of(&old.table.schema).to_owned();
        column
    }

    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    /// The name that this schema has in the database that takes over.
    pub fn of<'a>(&'a self, schema: &'a str) -> &'a str {
        self.0.get(schema).map_or(schema, String::as_str)
    }

    /// The schemas that have another name there, by their names here.
    pub fn schemas(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// A connection string of the command line that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UnusableConnection {
    /// As of a variable of the shell that is not set. libpq would take its default database.
    #[error(
        "{option}: found an empty connection string; expected the URL of a database (is its variable set in this shell?)"
    )]
    Empty { option: &'static str },
    #[error("{option}: found an unusable connection string: {cause}")]
    Unreadable { option: &'static str, cause: ConninfoError },
}

/// The database that the value of `option` names, by its own name; and what is to be said about the string.
///
/// # Errors
///
/// When the string cannot be used; the error shows no part that could belong to a password.
pub fn database(option: &'static str, text: &str) -> Result<(Database, Vec<String>), UnusableConnection> {
    if text.trim().is_empty() {
        return Err(UnusableConnection::Empty { option });
    }
    let secret = SecretString::from(text.to_owned());
    let target = conninfo::parse(&secret, &|name| std::env::var(name).ok())
        .map_err(|cause| UnusableConnection::Unreadable { option, cause })?;
    let mut warnings = Vec::new();
    if conninfo::has_secret(&secret) {
        warnings.push(format!(
            "{option}: every user of this machine can see the password on the command line; a password file or a service \
             keeps it out"
        ));
    }
    if !target.ignored.is_empty() {
        warnings.push(format!(
            "{option}: the connection string has parameters without effect here, which are ignored: {}",
            target.ignored.join(", ")
        ));
    }
    let name = target.database_name().to_owned();
    Ok((Database::inline(name, secret), warnings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_on_the_command_line_is_warned_about_and_never_repeated() {
        let (database, warnings) = database("--from", "postgres://u:hunter2@h/app").unwrap();
        assert_eq!(database.name, "app");
        assert!(
            matches!(warnings.as_slice(), [one] if one.contains("password") && !one.contains("hunter2")),
            "{warnings:?}"
        );
        let (_, warnings) = super::database("--to", "host=h user=u dbname=app").unwrap();
        assert_eq!(warnings, Vec::<String>::new());
    }

    #[test]
    fn a_string_that_cannot_be_used_names_its_option() {
        let error = database("--to", "mysql://u:hunter2@h/app").unwrap_err().to_string();
        assert!(error.starts_with("--to: ") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn schemas_keep_their_names_unless_the_map_says_otherwise() {
        let map = SchemaMap::new([("app".to_owned(), "app_v2".to_owned())]);
        assert_eq!((map.of("app"), map.of("public")), ("app_v2", "public"));
    }
}
