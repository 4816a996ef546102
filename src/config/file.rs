//! Reads the configuration file, parses it, and checks every key and the type of every value.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, ConfigLocation, display_or_hide, is_connection, is_shown, may_hold_secret};
use super::key::{Key, KeyType};
use super::schema::{ROOT, join, nearest, new_name, without_indices};

/// A file whose keys are all known and whose values all have the right type.
pub(super) struct File {
    pub path: PathBuf,
    pub text: String,
    /// Line and column (from 1) of every value, by key path.
    pub positions: HashMap<String, (usize, usize)>,
}

impl File {
    /// Reads and checks the file.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is not TOML, or holds an unknown key or a wrong type.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        if is_connection(&path.to_string_lossy()) {
            return Err(ConfigError::Unreadable {
                path: "(a URL, not shown)".into(),
                cause: io::Error::other("expected the path of a configuration file"),
            });
        }
        let text =
            fs::read_to_string(path).map_err(|cause| ConfigError::Unreadable { path: path.to_owned(), cause })?;
        Self::check(path, text)
    }

    fn check(path: &Path, text: String) -> Result<Self, ConfigError> {
        let mut checker = Checker { path, text: &text, positions: HashMap::new() };
        let root = DeTable::parse(&text).map_err(|error| ConfigError::Syntax {
            location: checker.location(error.span().as_ref()),
            // Never `Display`: it prints the line of the file.
            problem: error.message().to_owned(),
        })?;
        checker.table(root.get_ref(), ROOT, "")?;
        let positions = checker.positions;
        Ok(Self { path: path.to_owned(), text, positions })
    }
}

struct Checker<'a> {
    path: &'a Path,
    text: &'a str,
    positions: HashMap<String, (usize, usize)>,
}

impl Checker<'_> {
    fn table(&mut self, table: &DeTable<'_>, known: &'static [Key], above: &str) -> Result<(), ConfigError> {
        for (name, value) in table {
            let Some(key) = known.iter().find(|key| key.name == name.get_ref()) else {
                return Err(self.unknown(name.get_ref(), &name.span(), known, above));
            };
            self.value(value.get_ref(), value.span(), &key.value, join(above, key.name))?;
        }
        Ok(())
    }

    fn value(
        &mut self,
        value: &DeValue<'_>,
        span: Range<usize>,
        kind: &'static KeyType,
        path: String,
    ) -> Result<(), ConfigError> {
        self.positions.insert(path.clone(), position(self.text, span.start));
        match (kind, value) {
            (KeyType::Table(keys), DeValue::Table(table)) => self.table(table, keys, &path),
            (KeyType::Tables(keys), DeValue::Array(tables)) => {
                for (index, entry) in tables.iter().enumerate() {
                    let path = format!("{path}[{index}]");
                    let DeValue::Table(table) = entry.get_ref() else {
                        return Err(self.type_error(entry.get_ref(), &entry.span(), kind, path));
                    };
                    self.positions.insert(path.clone(), position(self.text, entry.span().start));
                    self.table(table, keys, &path)?;
                }
                Ok(())
            }
            (KeyType::List, DeValue::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(item.get_ref(), item.span(), &KeyType::Text, format!("{path}[{index}]"))?;
                }
                Ok(())
            }
            (KeyType::Texts, DeValue::Array(_)) => self.value(value, span, &KeyType::List, path),
            (KeyType::Conditions, DeValue::Table(table)) => {
                for (name, value) in table {
                    let path = join(&path, name.get_ref());
                    self.scalars(value.get_ref(), &value.span(), path)?;
                }
                Ok(())
            }
            (KeyType::Bool | KeyType::Scalar, DeValue::Boolean(_))
            | (KeyType::Texts, DeValue::String(_))
            | (KeyType::Text | KeyType::Secret | KeyType::Duration | KeyType::Scalar, DeValue::String(_)) => Ok(()),
            (KeyType::Integer | KeyType::Float | KeyType::Scalar, DeValue::Integer(number))
                if i64::from_str_radix(number.as_str(), number.radix()).is_ok() =>
            {
                Ok(())
            }
            (KeyType::Float, DeValue::Float(number)) if number.as_str().parse::<f64>().is_ok_and(f64::is_finite) => {
                Ok(())
            }
            _ => Err(self.type_error(value, &span, kind, path)),
        }
    }

    /// A scalar, or a list of them.
    fn scalars(&mut self, value: &DeValue<'_>, span: &Range<usize>, path: String) -> Result<(), ConfigError> {
        let DeValue::Array(items) = value else { return self.value(value, span.clone(), &KeyType::Scalar, path) };
        for (index, item) in items.iter().enumerate() {
            self.value(item.get_ref(), item.span(), &KeyType::Scalar, format!("{path}[{index}]"))?;
        }
        Ok(())
    }

    fn type_error(&self, value: &DeValue<'_>, span: &Range<usize>, kind: &KeyType, path: String) -> ConfigError {
        let found = match value {
            DeValue::String(_) if matches!(kind, KeyType::Secret | KeyType::Tables(_) | KeyType::Table(_)) => {
                "a text".to_owned()
            }
            DeValue::String(text) => display_or_hide(text),
            // A password may be all digits.
            DeValue::Integer(_) | DeValue::Float(_) if matches!(kind, KeyType::Secret) => "a number".to_owned(),
            DeValue::Integer(number) => number_shown(number.as_str()),
            DeValue::Float(number) => number_shown(number.as_str()),
            DeValue::Boolean(switch) => switch.to_string(),
            DeValue::Datetime(_) => "a date or time".to_owned(),
            DeValue::Array(_) => "a list".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
        };
        let expected = match kind {
            KeyType::Tables(_) => format!("tables, each under its own [[{}]] header", header(&path)),
            KeyType::Table(_) => format!("a table, under its own [{}] header", without_indices(&path)),
            _ => kind.expected().to_owned(),
        };
        ConfigError::Invalid { location: self.location(Some(span)), key: path, found, expected }
    }

    fn unknown(&self, name: &str, span: &Range<usize>, known: &'static [Key], above: &str) -> ConfigError {
        let what = if may_hold_secret(name) || name.len() > 60 {
            "an unknown key (not shown here, it may hold a secret)".to_owned()
        } else {
            format!("unknown key `{}`", join(above, name))
        };
        let hint = if let Some(new) = new_name(above, name) {
            format!("it is now named `{new}`")
        } else if let Some(near) = nearest(name, known.iter().map(|key| key.name)) {
            format!("did you mean `{near}`?")
        } else {
            let names: Vec<&str> = known.iter().map(|key| key.name).collect();
            format!("expected one of {}", names.join(", "))
        };
        ConfigError::Unknown { location: self.location(Some(span)), what, hint }
    }

    fn location(&self, span: Option<&Range<usize>>) -> ConfigLocation {
        ConfigLocation::file(self.path, span.map(|span| position(self.text, span.start)))
    }
}

fn number_shown(digits: &str) -> String {
    if is_shown(digits) { format!("the number {digits}") } else { format!("a number of {} digits", digits.len()) }
}

/// The path of a list of tables without the index of one entry.
fn header(path: &str) -> &str {
    path.strip_suffix(']').and_then(|path| path.rsplit_once('[')).map_or(path, |(list, _)| list)
}

/// Line and column of a byte offset, both from 1; columns count characters.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().count() + 1)
}
