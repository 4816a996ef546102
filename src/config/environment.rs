//! Reads the settings that environment variables make: `PGMEDIC_SEQUENCES__REPAIR` sets `sequences.repair`.

use std::collections::BTreeMap;
use std::ffi::OsString;

use ::config::{Value, ValueKind};

use super::error::{ConfigError, ConfigLocation, display_or_hide};
use super::key::KeyType;
use super::keys::RENAMED;
use super::schema::{env_keys, join, lists_of_tables, nearest};

const PREFIX: &str = "PGMEDIC_";

/// Variables with the prefix that are not settings: the command line or `databases.rs` reads them.
const RESERVED: &[&str] = &["PGMEDIC_CONFIG", "PGMEDIC_DATABASE_URL", "PGMEDIC_DATABASE_URL_FILE", "PGMEDIC_PG_BIN"];

/// The environment variables to load from.
///
/// Loading reads the environment from this value only, so tests can pass any. No `Debug`: it may hold connection URLs.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, OsString>);

impl Environment {
    /// The variables of this process whose names begin with `PGMEDIC_` or `DATABASE_URL`.
    pub fn from_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(name, _)| name.starts_with(PREFIX) || name.starts_with("DATABASE_URL"))
            .collect()
    }

    /// The variable's value, or nothing if it is not set or empty.
    ///
    /// # Errors
    ///
    /// When the value is not UTF-8.
    pub(super) fn get(&self, name: &str) -> Result<Option<&str>, ConfigError> {
        match self.0.get(name) {
            Some(value) if !value.is_empty() => text(name, value).map(Some),
            _ => Ok(None),
        }
    }

    /// Whether the variable is set to anything.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_empty())
    }

    /// Whether the variable is set but empty.
    pub(super) fn is_empty(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| value.is_empty())
    }

    /// The settings made by variables: variable, key path, value.
    ///
    /// # Errors
    ///
    /// When a `PGMEDIC_` variable is unknown or of the wrong type.
    pub(super) fn settings(&self) -> Result<Vec<Setting>, ConfigError> {
        let keys: BTreeMap<String, (String, &KeyType)> =
            env_keys().into_iter().map(|(path, kind)| (variable(&path), (path, kind))).collect();
        let mut settings = Vec::new();
        for (name, value) in &self.0 {
            if !name.starts_with(PREFIX) || RESERVED.contains(&name.as_str()) || set_by_kubernetes(name) {
                continue;
            }
            let Some((key, kind)) = keys.get(name) else {
                return Err(unknown(name, keys.keys()));
            };
            settings.push(Setting {
                variable: name.clone(),
                key: key.clone(),
                value: value_of(name, key, kind, text(name, value)?)?,
            });
        }
        Ok(settings)
    }
}

impl<N: Into<String>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// One setting made by a variable.
pub(super) struct Setting {
    pub variable: String,
    pub key: String,
    pub value: Value,
}

/// The variable that sets a key.
fn variable(path: &str) -> String {
    format!("{PREFIX}{}", path.to_uppercase().replace('.', "__"))
}

fn text<'a>(name: &str, value: &'a OsString) -> Result<&'a str, ConfigError> {
    value.to_str().ok_or_else(|| ConfigError::Invalid {
        location: ConfigLocation::Variable(name.to_owned()),
        key: String::new(),
        found: "bytes that are not UTF-8".to_owned(),
        expected: "UTF-8 text".to_owned(),
    })
}

/// Reads the text as a value of the key's type. The type is not guessed: the text `007` must not become a number.
fn value_of(name: &str, key: &str, kind: &KeyType, text: &str) -> Result<Value, ConfigError> {
    let value = match kind {
        KeyType::Bool => text.parse::<bool>().ok().map(ValueKind::from),
        KeyType::Integer => text.parse::<i64>().ok().map(ValueKind::from),
        KeyType::Float => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(ValueKind::from),
        KeyType::List => Some(ValueKind::from(split_list(text))),
        KeyType::Text | KeyType::Secret | KeyType::Duration => Some(ValueKind::from(text)),
        // Only lists of tables hold these, which no variable can set.
        KeyType::Scalar | KeyType::Texts | KeyType::Conditions | KeyType::Table(_) | KeyType::Tables(_) => None,
    };
    match value {
        Some(value) => Ok(Value::new(Some(&name.to_owned()), value)),
        None => Err(ConfigError::Invalid {
            location: ConfigLocation::Variable(name.to_owned()),
            key: key.to_owned(),
            found: display_or_hide(text),
            expected: kind.expected().to_owned(),
        }),
    }
}

/// Splits at commas outside double quotes. Empty text is the empty list.
fn split_list(text: &str) -> Vec<String> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let mut quoted = false;
    text.split(|c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
    .map(|item| item.trim().to_owned())
    .collect()
}

/// Whether Kubernetes sets the variable: next to a service named `pgmedic`, every pod has variables such as
/// `PGMEDIC_SERVICE_HOST` and `PGMEDIC_PORT_9847_TCP`. The variable of a setting always contains `__`, so no setting is
/// mistaken for one of these.
fn set_by_kubernetes(name: &str) -> bool {
    let rest = format!("_{}", &name[PREFIX.len()..]);
    !rest.contains("__")
        && (rest.ends_with("_SERVICE_HOST")
            || rest.ends_with("_PORT")
            || rest.contains("_SERVICE_PORT_")
            || ["_TCP", "_UDP", "_SCTP"].iter().any(|protocol| rest.contains("_PORT_") && rest.contains(protocol)))
}

fn unknown<'a>(name: &'a str, known: impl Iterator<Item = &'a String>) -> ConfigError {
    let in_file_only = lists_of_tables().into_iter().find(|path| {
        let list = variable(path);
        name == list || name.starts_with(&format!("{list}__"))
    });
    let known: Vec<&str> = known.map(String::as_str).chain(RESERVED.iter().copied()).collect();
    let renamed = RENAMED.iter().find(|(section, old, _)| name == variable(&join(section, old)));
    let hint = if let Some(path) = in_file_only {
        format!("[[{path}]] tables can only be written in the configuration file")
    } else if let Some((section, _, new)) = renamed {
        format!("it is now named {}", variable(&join(section, new)))
    } else if let Some(near) = nearest(name, known.iter().copied()) {
        format!("did you mean {near}?")
    } else {
        format!("expected one of {}", known.join(", "))
    };
    ConfigError::Unknown {
        location: ConfigLocation::Variable(name.to_owned()),
        what: "unknown variable".to_owned(),
        hint,
    }
}
