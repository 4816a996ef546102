//! Connection URLs: reading them strictly, and showing them without their secret.
//!
//! No error here repeats any part of a URL that could belong to a password: a password with an
//! unencoded `/`, `?`, `#` or `@` spills into host, port, path and parameters.

use std::net::IpAddr;

use secrecy::{ExposeSecret, SecretString};
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

/// The name shown in `pg_stat_activity` unless the URL gives another one.
const APPLICATION_NAME: &str = "pgmedic";

/// What stands for a password wherever a URL is shown.
const REDACTED: &str = "***";

/// The parameters that take effect. Any other is refused: ignoring `sslmod=verify-full` would
/// connect without the protection that was asked for.
const PARAMETERS: &[&str] = &[
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// Why a connection URL cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    #[error("it must start with postgres:// or postgresql://")]
    Scheme,
    #[error("it holds a space, a line break or a control character (percent-encode it, a space is %20)")]
    Whitespace,
    #[error("it holds %00, a zero byte, which no part of it may")]
    Nul,
    #[error("its port must be a number from 1 to 65535 (percent-encode / ? # @ : in a password)")]
    Port,
    #[error("its host is missing (for a socket: postgres:///database?host=/run/postgresql&user=…)")]
    EmptyHost,
    #[error("it names several hosts, and one is expected")]
    SeveralHosts,
    #[error("its host cannot be read (percent-encode / ? # @ : in a password)")]
    Malformed,
    #[error("it holds # or @ after the host (percent-encode / ? # @ : in a password)")]
    Stray,
    #[error("its user, password or database name is not UTF-8 once percent-decoded")]
    NotUtf8,
    #[error("its parameter {0} is unknown (known: {list})", list = PARAMETERS.join(", "))]
    UnknownParameter(String),
    #[error("its parameter {0} must be {1}")]
    Parameter(&'static str, &'static str),
}

/// Reads a connection URL as libpq would, with what pgmedic always sets.
///
/// The name in `pg_stat_activity` is `pgmedic` unless the URL (or `PGAPPNAME`) gives one. Statements are not logged. The
/// start-up parameter `extra_float_digits` is not sent, because PgBouncer refuses it. What the URL
/// leaves out comes from `PGHOST`, `PGUSER`, `.pgpass` and so on.
///
/// # Errors
///
/// When the URL is malformed, names a parameter that would have no effect, or several hosts.
pub fn parse(url: &SecretString) -> Result<PgConnectOptions, UrlError> {
    let text = url.expose_secret();
    let url = read(text)?;
    check_parameters(&url)?;
    // Only undecodable percent sequences are left to refuse here.
    let mut options = PgConnectOptions::from_url(&url).map_err(|_| UrlError::NotUtf8)?;
    if options.get_application_name().is_none() {
        options = options.application_name(APPLICATION_NAME);
    }
    Ok(options.extra_float_digits(None).disable_statement_logging())
}

/// The database a connection with these options reaches: as in libpq, the user's name when no
/// database is named.
pub fn database_name(options: &PgConnectOptions) -> &str {
    options.get_database().filter(|name| !name.is_empty()).unwrap_or_else(|| options.get_username())
}

/// The URL with every password replaced by `***`.
///
/// What cannot be read as a URL is not shown at all.
pub fn redact(url: &SecretString) -> String {
    let Ok(mut url) = read(url.expose_secret()) else {
        return REDACTED.to_owned();
    };
    if url.password().is_some() && url.set_password(Some(REDACTED)).is_err() {
        return REDACTED.to_owned();
    }
    if let Some(query) = url.query() {
        let redacted: Vec<String> = query.split('&').map(redact_parameter).collect();
        url.set_query(Some(&redacted.join("&")));
    }
    url.into()
}

fn redact_parameter(parameter: &str) -> String {
    let is_password = url::form_urlencoded::parse(parameter.as_bytes()).any(|(name, _)| name == "password");
    if is_password { format!("password={REDACTED}") } else { parameter.to_owned() }
}

/// Splits the URL and refuses what the URL parser would bend into shape instead.
fn read(text: &str) -> Result<Url, UrlError> {
    if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
        return Err(UrlError::Scheme);
    }
    // The URL standard drops line breaks and tabs without a word, also from a password.
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(UrlError::Whitespace);
    }
    // What is sent to the server when connecting ends at a zero byte: the rest would be read as parameters of its own.
    if text.contains("%00") {
        return Err(UrlError::Nul);
    }
    let url = Url::parse(text).map_err(|cause| match cause {
        url::ParseError::InvalidPort => UrlError::Port,
        url::ParseError::EmptyHost => UrlError::EmptyHost,
        _ => UrlError::Malformed,
    })?;
    if url.port() == Some(0) {
        return Err(UrlError::Port);
    }
    if url.host_str().is_some_and(|host| host.contains(',')) {
        return Err(UrlError::SeveralHosts);
    }
    if url.fragment().is_some() || url.path().contains('@') {
        return Err(UrlError::Stray);
    }
    Ok(url)
}

/// sqlx logs unknown parameters with their values and goes on: each one is checked before.
fn check_parameters(url: &Url) -> Result<(), UrlError> {
    for (name, value) in url.query_pairs() {
        match &*name {
            "sslmode" if value.parse::<PgSslMode>().is_err() => {
                return Err(UrlError::Parameter(
                    "sslmode",
                    "disable, allow, prefer, require, verify-ca or verify-full",
                ));
            }
            "port" if !value.parse().is_ok_and(|port: u16| port > 0) => {
                return Err(UrlError::Parameter("port", "a number from 1 to 65535"));
            }
            "hostaddr" if value.parse::<IpAddr>().is_err() => {
                return Err(UrlError::Parameter("hostaddr", "an IP address"));
            }
            "host" if value.contains(',') => return Err(UrlError::SeveralHosts),
            "statement-cache-capacity" if value.parse::<usize>().is_err() => {
                return Err(UrlError::Parameter("statement-cache-capacity", "a whole number"));
            }
            known if PARAMETERS.contains(&known) => {}
            setting if setting.starts_with("options[") && setting.ends_with(']') => {}
            unknown => return Err(UrlError::UnknownParameter(printable_parameter_name(unknown))),
        }
    }
    Ok(())
}

/// The parameter's name where it cannot be a piece of a password.
fn printable_parameter_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c == '_' || c == '-';
    if name.len() <= 32 && name.chars().all(plain) { format!("`{name}`") } else { "(name not shown)".to_owned() }
}

#[cfg(test)]
#[path = "url_tests.rs"]
mod tests;
