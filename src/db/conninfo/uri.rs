//! Connection URLs, as libpq reads them (PostgreSQL manual, Connection URIs), and with the schemes that frameworks write.

use super::error::ConninfoError;
use super::{Pairs, REDACTED, is_secret};

/// What may stand before `://`; frameworks add the name of their driver behind a plus sign.
const SCHEMES: [&str; 6] = ["postgres", "postgresql", "postgis", "pgsql", "timescaledb", "ecto"];

/// The rest of a URL behind its scheme, when the text is a URL of PostgreSQL's.
pub fn after_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) =
        ["jdbc:", "r2dbc:"].iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text).split_once("://")?;
    let (base, driver) = scheme.split_once('+').map_or((scheme, None), |(base, driver)| (base, Some(driver)));
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (SCHEMES.contains(&base) && driver.is_none_or(is_name)).then_some(rest)
}

/// The parameters of the URL, of which `rest` stands behind the scheme.
///
/// # Errors
///
/// Which part cannot be read.
pub fn parse(rest: &str) -> Result<Pairs, ConninfoError> {
    if rest.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(ConninfoError::Whitespace);
    }
    let (before_query, query) = rest.split_once('?').map_or((rest, ""), |(before, query)| (before, query));
    let (authority, path) =
        before_query.split_once('/').map_or((before_query, ""), |(authority, path)| (authority, path));
    if path.contains('@') {
        return Err(ConninfoError::Stray);
    }
    let (login, hosts) = authority.rsplit_once('@').map_or(("", authority), |(login, hosts)| (login, hosts));
    let mut pairs = Pairs::default();
    let (user, password) = login.split_once(':').map_or((login, ""), |(user, password)| (user, password));
    pairs.set_unless_empty("user", &decode(user)?);
    pairs.set_unless_empty("password", &decode(password)?);
    let parsed: Vec<(String, String)> = hosts.split(',').map(host_and_port).collect::<Result<_, _>>()?;
    if !hosts.is_empty() {
        let column =
            |part: fn(&(String, String)) -> &String| parsed.iter().map(part).cloned().collect::<Vec<_>>().join(",");
        pairs.set("host", &column(|(host, _)| host));
        if parsed.iter().any(|(_, port)| !port.is_empty()) {
            pairs.set("port", &column(|(_, port)| port));
        }
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
        let parsed: Vec<(String, String)> = hosts_of_query.into_iter().map(host_and_port).collect::<Result<_, _>>()?;
        let (hosts, ports): (Vec<String>, Vec<String>) = parsed.into_iter().unzip();
        pairs.set("host", &hosts.join(","));
        if ports.iter().any(|port| !port.is_empty()) {
            pairs.set("port", &ports.join(","));
        }
    }
    // A password before an empty host is one with a slash in it.
    if hosts.is_empty() && !login.is_empty() && pairs.get("host").is_none() && pairs.get("password").is_some() {
        return Err(ConninfoError::EmptyHost);
    }
    Ok(pairs)
}

/// The same text without its secrets. `rest` stands behind the scheme, and can be read.
pub fn redact(rest: &str) -> String {
    let (before_query, query) = rest.split_once('?').map_or((rest, None), |(before, query)| (before, Some(query)));
    let (authority, path) = before_query.split_at(before_query.find('/').unwrap_or(before_query.len()));
    let authority = match authority.rsplit_once('@') {
        Some((login, hosts)) => match login.split_once(':') {
            Some((user, _)) => format!("{user}:{REDACTED}@{hosts}"),
            None => authority.to_owned(),
        },
        None => authority.to_owned(),
    };
    let parameter = |parameter: &str| match parameter.split_once('=') {
        Some((name, _)) if decode(name).is_ok_and(|name| is_secret(&name)) => format!("{name}={REDACTED}"),
        _ => parameter.to_owned(),
    };
    let query = query.map(|query| format!("?{}", query.split('&').map(parameter).collect::<Vec<_>>().join("&")));
    format!("{authority}{path}{}", query.unwrap_or_default())
}

/// `host:port`, `[::1]:port`, or a socket's folder, percent-encoded.
fn host_and_port(text: &str) -> Result<(String, String), ConninfoError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(address) => {
            let (address, port) = address.split_once(']').ok_or(ConninfoError::Host)?;
            let port = port.strip_prefix(':').or(port.is_empty().then_some("")).ok_or(ConninfoError::Host)?;
            (address.to_owned(), port)
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
