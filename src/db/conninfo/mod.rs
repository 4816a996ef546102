//! Connection strings: all that libpq takes, read strictly, and shown without their secrets.
//!
//! | file | does |
//! |---|---|
//! | `uri.rs`, `keywords.rs` | the two forms of a connection string, into named parameters |
//! | `service.rs`, `password_file.rs` | the files that complete it |
//! | `parameters.rs` | what each parameter does here: honored, ignored with a warning, refused |
//! | `foreign.rs` | the parameters of frameworks and providers, and their names for libpq's |
//! | `candidates.rs` | the addresses to try, in their order |
//! | `error.rs` | why a connection string cannot be used |
//!
//! A string becomes [`Pairs`]; a service file and `PG*` variables fill the gaps; [`ConnectTarget`] is the result.

mod candidates;
mod error;
mod foreign;
mod keywords;
mod parameters;
mod password_file;
mod service;
mod uri;

pub use candidates::{Candidate, ConnectTarget, SessionAttributes};
pub use error::ConninfoError;

use secrecy::{ExposeSecret, SecretString};

/// What stands for a secret wherever a connection string is shown.
const REDACTED: &str = "***";

/// Parameters whose values are secrets.
const SECRETS: [&str; 5] = ["password", "sslpassword", "scram_client_key", "scram_server_key", "oauth_client_secret"];

/// The variables of libpq that are read, and the parameters that they stand for (PostgreSQL manual, Environment Variables).
const VARIABLES: [(&str, &str); 18] = [
    ("PGHOST", "host"),
    ("PGHOSTADDR", "hostaddr"),
    ("PGPORT", "port"),
    ("PGDATABASE", "dbname"),
    ("PGUSER", "user"),
    ("PGPASSWORD", "password"),
    ("PGPASSFILE", "passfile"),
    ("PGOPTIONS", "options"),
    ("PGAPPNAME", "application_name"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLKEY", "sslkey"),
    ("PGCONNECT_TIMEOUT", "connect_timeout"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
    ("PGLOADBALANCEHOSTS", "load_balance_hosts"),
    ("PGCHANNELBINDING", "channel_binding"),
    ("PGREQUIREAUTH", "require_auth"),
];

/// Reads a variable of the environment.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Named parameters, each once; a later one replaces an earlier one.
#[derive(Debug, Default)]
pub struct Pairs(Vec<(String, String)>);

impl Pairs {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn set(&mut self, name: &str, value: &str) {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value.to_owned()));
    }

    fn set_default(&mut self, name: &str, value: &str) {
        if self.get(name).is_none() {
            self.set(name, value);
        }
    }

    fn set_unless_empty(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.set(name, value);
        }
    }

    fn take(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.0)
    }
}

/// Reads a connection string as libpq would: a URL, or keywords and values. The parameters that it leaves out come from its
/// service, then from the `PG*` variables. White space around it does not count.
///
/// # Errors
///
/// Which part cannot be used, without showing any that could belong to a password.
pub fn parse(text: &SecretString, environment: Lookup<'_>) -> Result<ConnectTarget, ConninfoError> {
    parse_for(text, environment, None)
}

/// The same, for this database instead of the one that the string names.
///
/// # Errors
///
/// As [`parse`].
pub fn parse_for(
    text: &SecretString,
    environment: Lookup<'_>,
    database: Option<&str>,
) -> Result<ConnectTarget, ConninfoError> {
    let mut pairs = read(text.expose_secret())?;
    let mut ignored = parameters::normalize(&mut pairs)?;
    let service = pairs.get("service").map(str::to_owned).or_else(|| environment("PGSERVICE"));
    if let Some(service) = service.filter(|service| !service.is_empty()) {
        let mut defaults = service::read(&service, pairs.get("servicefile"), environment)?;
        ignored.extend(parameters::normalize(&mut defaults)?);
        defaults.take().iter().for_each(|(name, value)| pairs.set_default(name, value));
    }
    let mut defaults = Pairs::default();
    let set = VARIABLES.iter().filter_map(|(variable, name)| Some((name, environment(variable)?)));
    set.for_each(|(name, value)| defaults.set_unless_empty(name, &value));
    // A variable is not part of this connection string, so an ignored parameter of it gives no warning.
    parameters::normalize(&mut defaults)?;
    defaults.take().iter().for_each(|(name, value)| pairs.set_default(name, value));
    if let Some(database) = database {
        pairs.set("dbname", database);
    }
    candidates::target(&pairs, ignored, environment)
}

/// The connection string with every secret replaced by `***`. What cannot be read is not shown at all.
pub fn redact(text: &SecretString) -> String {
    let text = text.expose_secret().trim();
    let Ok(mut pairs) = read(text) else { return REDACTED.to_owned() };
    match uri::after_scheme(text) {
        Some(rest) => format!("{}{}", &text[..text.len() - rest.len()], uri::redact(rest)),
        None => pairs.take().iter().map(|(name, value)| keywords::show(name, value)).collect::<Vec<_>>().join(" "),
    }
}

/// Whether the value of this parameter is a secret.
fn is_secret(name: &str) -> bool {
    SECRETS.contains(&name)
}

fn read(text: &str) -> Result<Pairs, ConninfoError> {
    let text = text.trim();
    match uri::after_scheme(text) {
        Some(rest) => uri::parse(rest),
        None if text.contains("://") && !text.contains(' ') => Err(ConninfoError::Form),
        None if text.is_empty() || text.contains('=') => keywords::parse(text),
        None => Err(ConninfoError::Form),
    }
}

#[cfg(test)]
#[path = "conninfo_tests.rs"]
mod tests;
