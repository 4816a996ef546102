//! Connection URLs, as libpq reads them (PostgreSQL manual, Connection URIs), and with the schemes that frameworks write.

use super::error::ConninfoError;
use super::{Pairs, REDACTED, is_secret};

/// What may stand before `://`; frameworks add the name of their driver behind a plus sign.
const SCHEMES: [&str; 17] = [
    "postgres",
    "postgresql",
    "postgis",
    "psql",
    "pg",
    "pgsql",
    "pdo-pgsql",
    "pdo_pgsql",
    "pgx",
    "pgx4",
    "pgx5",
    "asyncpg",
    "psycopg",
    "ecto",
    "timescale",
    "timescaledb",
    "timescalegis",
];

/// What Java's drivers and their wrappers put before a scheme.
const PREFIXES: [&str; 9] = [
    "jdbc:otel:",
    "jdbc:tracing:",
    "jdbc:p6spy:",
    "jdbc:aws-wrapper:",
    "jdbc:",
    "r2dbc:pool:",
    "r2dbc:",
    "r2dbcs:",
    "vertx-reactive:",
];

/// JDBC's form without a host.
const JDBC_ON_LOCALHOST: &str = "jdbc:postgresql:";

/// The rest of a URL behind its scheme, when the text is a URL of PostgreSQL's.
pub fn after_scheme(text: &str) -> Option<&str> {
    let bare = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
    let Some((scheme, rest)) = bare.split_once("://") else { return text.strip_prefix(JDBC_ON_LOCALHOST) };
    let (base, driver) = scheme.split_once('+').map_or((scheme, None), |(base, driver)| (base, Some(driver)));
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (SCHEMES.contains(&base) && driver.is_none_or(is_name)).then_some(rest)
}

/// The parameters of the URL, of which `rest` stands behind the scheme.
///
/// # Errors
///
/// Which part cannot be read.
pub fn parse(text: &str, rest: &str) -> Result<Pairs, ConninfoError> {
    let mut pairs = match text.strip_suffix(rest) {
        Some(JDBC_ON_LOCALHOST) => parse_behind_scheme(&format!("localhost/{}", rest.trim_start_matches('/')))?,
        _ => parse_behind_scheme(rest)?,
    };
    if text.starts_with("r2dbcs:") {
        pairs.set_default("ssl", "true");
    }
    Ok(pairs)
}

/// The parts of a URL behind its scheme.
struct Parts<'a> {
    /// User and password.
    login: Option<&'a str>,
    hosts: &'a str,
    path: Option<&'a str>,
    query: Option<&'a str>,
}

/// As libpq: the login reaches up to an `@` before the first slash, and a question mark may stand in its password. Not where
/// parameters stand behind it: what is taken for a user or a host is shown, and a password may be among them.
fn split(rest: &str) -> Parts<'_> {
    let before_slash = &rest[..rest.find('/').unwrap_or(rest.len())];
    let before_query = before_slash.split('?').next().unwrap_or_default();
    // Behind a question mark with parameters, an `@` stands in one of their values.
    let is_login = |at: &usize| before_query.contains(':') && !before_slash[before_query.len()..*at].contains('=');
    let at = before_query.rfind('@').or_else(|| before_slash.rfind('@').filter(is_login));
    let (login, rest) = match at {
        Some(at) => (Some(&rest[..at]), &rest[at + 1..]),
        None => (None, rest),
    };
    let (before, query) = rest.split_once('?').map_or((rest, None), |(before, query)| (before, Some(query)));
    let (hosts, path) = before.split_once('/').map_or((before, None), |(hosts, path)| (hosts, Some(path)));
    Parts { login, hosts, path, query }
}

/// Whether a password stands before an empty host: perhaps one with a slash in it.
pub fn has_password_before_no_host(rest: &str) -> bool {
    let Parts { login, hosts, .. } = split(rest);
    hosts.is_empty() && login.and_then(|login| login.split_once(':')).is_some_and(|(_, password)| !password.is_empty())
}

fn parse_behind_scheme(rest: &str) -> Result<Pairs, ConninfoError> {
    if rest.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(ConninfoError::Whitespace);
    }
    let Parts { login, hosts, path, query } = split(rest);
    let (login, path, query) = (login.unwrap_or_default(), path.unwrap_or_default(), query.unwrap_or_default());
    if path.contains('@') {
        return Err(ConninfoError::Stray);
    }
    let mut pairs = Pairs::default();
    let (user, password) = login.split_once(':').map_or((login, ""), |(user, password)| (user, password));
    pairs.set_unless_empty("user", &decode(user)?);
    pairs.set_unless_empty("password", &decode(password)?);
    if !hosts.is_empty() {
        set_hosts(&mut pairs, &hosts.split(',').collect::<Vec<_>>())?;
    }
    pairs.set_unless_empty("dbname", &decode(path)?);
    let mut hosts_of_query = Vec::new();
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if name == "host" {
            hosts_of_query.push(value);
        }
        pairs.set(&decode(name)?, &decode(value)?);
    }
    // SQLAlchemy's form of several hosts: one parameter for each, with its port.
    if hosts_of_query.len() > 1 {
        set_hosts(&mut pairs, &hosts_of_query)?;
    }
    Ok(pairs)
}

/// The same text without its secrets. `rest` stands behind the scheme, and can be read.
pub fn redact(rest: &str) -> String {
    let Parts { login, hosts, path, query } = split(rest);
    let login = login.map(|login| match login.split_once(':') {
        Some((user, _)) => format!("{user}:{REDACTED}@"),
        None => format!("{login}@"),
    });
    let parameter = |parameter: &str| match parameter.split_once('=') {
        Some((name, _)) if decode(name).is_ok_and(|name| is_secret(&name)) => format!("{name}={REDACTED}"),
        _ => parameter.to_owned(),
    };
    let path = path.map(|path| format!("/{path}"));
    let query = query.map(|query| format!("?{}", query.split('&').map(parameter).collect::<Vec<_>>().join("&")));
    format!("{}{hosts}{}{}", login.unwrap_or_default(), path.unwrap_or_default(), query.unwrap_or_default())
}

/// Each host, with its port where it has one.
pub fn set_hosts(pairs: &mut Pairs, hosts: &[&str]) -> Result<(), ConninfoError> {
    let parsed: Vec<(String, String)> = hosts.iter().map(|host| host_and_port(host)).collect::<Result<_, _>>()?;
    let (hosts, ports): (Vec<String>, Vec<String>) = parsed.into_iter().unzip();
    pairs.set("host", &hosts.join(","));
    if ports.iter().any(|port| !port.is_empty()) {
        pairs.set("port", &ports.join(","));
    }
    Ok(())
}

/// `host:port`, `[::1]:port`, or a socket's folder, percent-encoded.
fn host_and_port(text: &str) -> Result<(String, String), ConninfoError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(address) => {
            let (address, port) = address.split_once(']').ok_or(ConninfoError::Host)?;
            let port = port.strip_prefix(':').or(port.is_empty().then_some("")).ok_or(ConninfoError::Host)?;
            // The zone of a link-local address stands behind %25.
            (decode(address)?, port)
        }
        None => {
            let (host, port) = text.split_once(':').map_or((text, ""), |(host, port)| (host, port));
            (decode(host)?, port)
        }
    };
    if !port.is_empty() && !port.parse().is_ok_and(|port: u16| port > 0) {
        return Err(ConninfoError::Port);
    }
    Ok((host, port.to_owned()))
}

/// Percent-decoded; a plus sign is a plus sign, as for libpq.
fn decode(text: &str) -> Result<String, ConninfoError> {
    let broken = |(at, _): (usize, char)| {
        let digits = text.get(at + 1..at + 3);
        !digits.is_some_and(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()))
    };
    if text.char_indices().filter(|(_, c)| *c == '%').any(broken) {
        return Err(ConninfoError::Percent);
    }
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8().map_err(|_| ConninfoError::NotUtf8)?;
    if decoded.contains('\0') { Err(ConninfoError::Nul) } else { Ok(decoded.into_owned()) }
}
