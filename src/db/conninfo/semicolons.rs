//! Strings of names and values between semicolons: those of .NET and ODBC (`Host=db1;Username=app`), and the data source names
//! of PHP's PDO and Perl's DBI (`pgsql:host=db1;dbname=app`).

use super::error::ConninfoError;
use super::foreign::is_foreign;
use super::{Pairs, keywords, uri};

/// What stands before a data source name.
const PREFIXES: [&str; 3] = ["pgsql:", "dbi:Pg:", "DBI:Pg:"];

/// Npgsql's and ODBC's names for libpq's parameters, without case, spaces and marks.
const NAMES: [(&str, &str); 21] = [
    ("host", "host"),
    ("server", "host"),
    ("port", "port"),
    ("database", "dbname"),
    ("db", "dbname"),
    ("username", "user"),
    ("userid", "user"),
    ("uid", "user"),
    ("user", "user"),
    ("password", "password"),
    ("pwd", "password"),
    ("psw", "password"),
    ("applicationname", "application_name"),
    ("sslmode", "sslmode"),
    ("rootcertificate", "sslrootcert"),
    ("sslcertificate", "sslcert"),
    ("timeout", "connect_timeout"),
    ("targetsessionattributes", "target_session_attrs"),
    ("loadbalancehosts", "load_balance_hosts"),
    ("channelbinding", "channel_binding"),
    ("driver", "driver"),
];

/// The parameters, where the text has one of these forms.
pub fn parse(text: &str) -> Option<Result<Pairs, ConninfoError>> {
    if let Some(name) = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix)) {
        // As PDO and DBI do.
        return Some(keywords::parse(&name.replace(';', " ")));
    }
    is_between_semicolons(text).then(|| pairs(text))
}

/// Whether the first of the names before semicolons is known, and another name follows. The keywords of libpq stand between spaces.
fn is_between_semicolons(text: &str) -> bool {
    let Some((first, rest)) = text.split_once(';') else { return false };
    let Some((name, value)) = first.split_once('=') else { return false };
    let is_known = NAMES.iter().any(|(known, _)| *known == bare(name)) && !first.starts_with("password=");
    let has_space = value.trim().contains(' ') && !value.contains('{');
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, ' ' | '_' | '-'));
    let follows = rest.trim().is_empty() || rest.split_once('=').is_some_and(|(name, _)| is_name(name));
    is_known && !has_space && follows
}

fn pairs(text: &str) -> Result<Pairs, ConninfoError> {
    let mut pairs = Pairs::default();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or(ConninfoError::NoValue)?;
        let (value, next) = value(after.trim_start())?;
        let bare = bare(name);
        let known = NAMES.iter().find(|(known, _)| *known == bare).map(|(_, name)| *name);
        let name = match known {
            Some(name) => name,
            // Behind a semicolon in a password stands a piece of it.
            None if !is_foreign(&bare) && pairs.get("password").is_some() => {
                return Err(ConninfoError::Unknown("(name not shown)".to_owned()));
            }
            None => bare.as_str(),
        };
        match name {
            "host" if value.split(',').any(|host| host.matches(':').count() == 1) => {
                uri::set_hosts(&mut pairs, &value.split(',').collect::<Vec<_>>())?;
            }
            "sslmode" | "target_session_attrs" | "load_balance_hosts" | "channel_binding" => {
                pairs.set(name, &hyphenated(&value));
            }
            name => pairs.set(name, &value),
        }
        rest = next.trim_start_matches(|c: char| c == ';' || c.is_whitespace());
    }
    Ok(pairs)
}

/// A name as the table above has it.
fn bare(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase()).collect()
}

/// libpq's form of a value such as `VerifyFull`.
fn hyphenated(value: &str) -> String {
    let lower = value.to_ascii_lowercase();
    let starts = ["verify", "prefer", "read"];
    let split = starts.iter().find_map(|start| Some((start, lower.strip_prefix(start)?)));
    match split {
        Some((start, rest)) if rest.starts_with(|c: char| c.is_ascii_alphabetic()) => format!("{start}-{rest}"),
        _ => lower,
    }
}

/// A value, quoted, in braces, or up to the next semicolon, and what stands behind it.
fn value(text: &str) -> Result<(String, &str), ConninfoError> {
    let opens = |c: &char| matches!(c, '\'' | '"' | '{');
    let Some(quote) = text.chars().next().filter(opens).map(|c| if c == '{' { '}' } else { c }) else {
        let (value, rest) = text.split_once(';').unwrap_or((text, ""));
        return Ok((value.trim_end().to_owned(), rest));
    };
    let mut value = String::new();
    let mut rest = &text[1..];
    loop {
        let (before, after) = rest.split_once(quote).ok_or(ConninfoError::Quote)?;
        value.push_str(before);
        // A quote in it is doubled.
        let Some(more) = after.strip_prefix(quote) else { return Ok((value, after)) };
        value.push(quote);
        rest = more;
    }
}
