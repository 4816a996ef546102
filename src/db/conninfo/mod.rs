//! Connection strings: all that libpq takes, read strictly, and shown without their secrets.
//!
//! | file | does |
//! |---|---|
//! | `uri.rs`, `keywords.rs` | libpq's two forms of a connection string, into named parameters |
//! | `semicolons.rs` | those of .NET, ODBC, PDO and DBI |
//! | `service.rs`, `password_file.rs` | the files that complete it |
//! | `parameters.rs` | what each parameter does here: honored, ignored with a warning, refused |
//! | `foreign.rs` | the parameters of frameworks and providers, and their names for libpq's |
//! | `candidates.rs` | the addresses to try, in their order |
//! | `certificates.rs` | TLS: the files, and what is verified |
//! | `error.rs` | why a connection string cannot be used |
//!
//! A string becomes [`Pairs`]; a service file and `PG*` variables fill the gaps; [`ConnectTarget`] is the result.

mod candidates;
mod certificates;
mod error;
mod foreign;
mod keywords;
mod parameters;
mod password_file;
mod semicolons;
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
const VARIABLES: [(&str, &str); 26] = [
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
    ("PGREQUIRESSL", "requiressl"),
    ("PGREQUIREPEER", "requirepeer"),
    ("PGSSLCRL", "sslcrl"),
    ("PGSSLCRLDIR", "sslcrldir"),
    ("PGSSLMINPROTOCOLVERSION", "ssl_min_protocol_version"),
    ("PGSSLMAXPROTOCOLVERSION", "ssl_max_protocol_version"),
    ("PGSSLNEGOTIATION", "sslnegotiation"),
    ("PGGSSENCMODE", "gssencmode"),
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
    let mut written: Vec<String> = pairs.0.iter().map(|(name, _)| name.clone()).collect();
    let mut ignored = parameters::normalize(&mut pairs)?;
    let service = pairs.get("service").map(str::to_owned).or_else(|| environment("PGSERVICE"));
    if let Some(service) = service.filter(|service| !service.is_empty()) {
        let mut defaults = service::read(&service, pairs.get("servicefile"), environment)?;
        written.extend(defaults.0.iter().map(|(name, _)| name.clone()));
        ignored.extend(parameters::normalize(&mut defaults)?);
        defaults.take().iter().for_each(|(name, value)| pairs.set_default(name, value));
    }
    for (variable, name) in VARIABLES.iter().filter(|(_, name)| !written.iter().any(|written| written == name)) {
        let mut defaults = Pairs::default();
        defaults.set_unless_empty(name, &environment(variable).unwrap_or_default());
        ignored.extend(parameters::normalize(&mut defaults).map_err(|error| error.of_variable(variable))?);
        defaults.take().iter().for_each(|(name, value)| pairs.set_default(name, value));
    }
    if let Some(database) = database {
        pairs.set("dbname", database);
    }
    let has_place = ["host", "hostaddr"].iter().any(|name| pairs.get(name).is_some_and(|place| !place.is_empty()));
    if !has_place && uri::after_scheme(text.expose_secret().trim()).is_some_and(uri::has_password_before_no_host) {
        return Err(ConninfoError::EmptyHost);
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

/// Whether the string holds a secret, as far as it can be read.
pub fn has_secret(text: &SecretString) -> bool {
    read(text.expose_secret().trim())
        .is_ok_and(|mut pairs| pairs.take().iter().any(|(name, value)| is_secret(name) && !value.is_empty()))
}

/// Whether the value of this parameter is a secret.
fn is_secret(name: &str) -> bool {
    SECRETS.contains(&foreign::own_name(name).to_ascii_lowercase().as_str())
}

fn read(text: &str) -> Result<Pairs, ConninfoError> {
    let text = text.trim();
    if let Some(rest) = uri::after_scheme(text) {
        return uri::parse(text, rest);
    }
    if let Some(pairs) = semicolons::parse(text) {
        return pairs;
    }
    match text {
        text if text.contains("://") && !text.contains(' ') => Err(ConninfoError::Form),
        text if text.is_empty() || text.contains('=') => keywords::parse(text),
        _ => Err(ConninfoError::Form),
    }
}

#[cfg(test)]
#[path = "conninfo_tests.rs"]
mod tests;
