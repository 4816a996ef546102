//! What a database is called: by its configured name, or by its server's and its own.

use super::escape::escape_control;
use serde::Serialize;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// The name of a database, unique in a configuration. As text, that of a server's database is `server/database`; in JSON and
/// in metrics both parts stand apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "LabelParts")]
pub struct DatabaseLabel {
    text: Arc<str>,
    /// The length of the server's name; none where the configuration names the database itself.
    server: Option<usize>,
}

#[derive(Serialize)]
struct LabelParts {
    name: String,
    server: Option<String>,
}

impl DatabaseLabel {
    /// A database that was discovered on a server of this name, which has no slash.
    pub fn of_server(server: &str, database: &str) -> Self {
        Self { text: format!("{server}/{}", escape_control(database)).into(), server: Some(server.len()) }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The configured server that the database was discovered on.
    pub fn server(&self) -> Option<&str> {
        self.text.get(..self.server?)
    }

    /// Whether `only`, as another table of the configuration has it, means this database: by its name, or by its server's.
    pub fn is_meant_by(&self, only: &str) -> bool {
        &*self.text == only || self.server() == Some(only)
    }

    /// The name without the server's.
    pub fn database(&self) -> &str {
        self.server.and_then(|length| self.text.get(length + 1..)).unwrap_or(&self.text)
    }
}

impl From<&str> for DatabaseLabel {
    fn from(name: &str) -> Self {
        Self { text: name.into(), server: None }
    }
}

impl From<String> for DatabaseLabel {
    fn from(name: String) -> Self {
        Self { text: name.into(), server: None }
    }
}

impl Deref for DatabaseLabel {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for DatabaseLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq<str> for DatabaseLabel {
    fn eq(&self, other: &str) -> bool {
        &*self.text == other
    }
}

impl PartialEq<&str> for DatabaseLabel {
    fn eq(&self, other: &&str) -> bool {
        &*self.text == *other
    }
}

impl From<DatabaseLabel> for LabelParts {
    fn from(label: DatabaseLabel) -> Self {
        Self { name: label.database().to_owned(), server: label.server().map(str::to_owned) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_discovered_database_stand_apart_in_json() {
        let label = DatabaseLabel::of_server("prod", "a/b\n");
        assert_eq!((label.server(), label.as_str()), (Some("prod"), "prod/a/b\\n"));
        assert!(label.is_meant_by("prod") && label.is_meant_by("prod/a/b\\n") && !label.is_meant_by("a/b"));
        assert_eq!(serde_json::to_string(&label).unwrap(), r#"{"name":"a/b\\n","server":"prod"}"#);
        let label = DatabaseLabel::from("a/b");
        assert_eq!((label.server(), label.database()), (None, "a/b"));
        assert!(label.is_meant_by("a/b") && !label.is_meant_by("a"));
        assert_eq!(serde_json::to_string(&label).unwrap(), r#"{"name":"a/b","server":null}"#);
    }
}
