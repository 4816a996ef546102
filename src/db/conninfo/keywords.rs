//! Connection strings of keywords and values, such as `host=db1 dbname='my app'` (PostgreSQL manual, Keyword/Value Strings).

use super::error::ConninfoError;
use super::{Pairs, REDACTED, is_secret};
use std::iter::Peekable;
use std::str::Chars;

/// The parameters of a keyword string.
///
/// # Errors
///
/// When a keyword has no value, or a quote is not closed.
pub fn parse(text: &str) -> Result<Pairs, ConninfoError> {
    if text.contains('\0') {
        return Err(ConninfoError::Nul);
    }
    let mut pairs = Pairs::default();
    let mut rest = text.chars().peekable();
    loop {
        skip_spaces(&mut rest);
        if rest.peek().is_none() {
            return Ok(pairs);
        }
        let mut name = String::new();
        while let Some(c) = rest.next_if(|c| *c != '=' && !c.is_ascii_whitespace()) {
            name.push(c);
        }
        skip_spaces(&mut rest);
        if name.is_empty() || rest.next_if_eq(&'=').is_none() {
            return Err(ConninfoError::NoValue);
        }
        skip_spaces(&mut rest);
        let value = if rest.next_if_eq(&'\'').is_some() { quoted(&mut rest)? } else { plain(&mut rest) };
        pairs.set(&name, &value);
    }
}

/// A keyword and its value, quoted where that is needed; a secret is not shown.
pub fn show(name: &str, value: &str) -> String {
    let value = if is_secret(name) { REDACTED } else { value };
    let is_plain = !value.is_empty() && !value.chars().any(|c| c.is_whitespace() || c == '\'' || c == '\\');
    if is_plain {
        return format!("{name}={value}");
    }
    format!("{name}='{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn skip_spaces(rest: &mut Peekable<Chars<'_>>) {
    while rest.next_if(char::is_ascii_whitespace).is_some() {}
}

fn plain(rest: &mut Peekable<Chars<'_>>) -> String {
    let mut value = String::new();
    while let Some(c) = rest.next_if(|c| !c.is_ascii_whitespace()) {
        value.extend(if c == '\\' { rest.next() } else { Some(c) });
    }
    value
}

fn quoted(rest: &mut Peekable<Chars<'_>>) -> Result<String, ConninfoError> {
    let mut value = String::new();
    while let Some(c) = rest.next() {
        match c {
            '\'' => return Ok(value),
            '\\' => value.extend(rest.next()),
            c => value.push(c),
        }
    }
    Err(ConninfoError::Quote)
}
