//! SQL names as the configuration writes them: `schema.table.column`, parts quoted as in SQL.

use std::fmt;
use std::str::FromStr;

/// The longest identifier of PostgreSQL, in bytes. It truncates longer ones without an error.
const MAX_IDENTIFIER_BYTES: usize = 63;

/// A table or sequence in its schema, both as PostgreSQL stores them: unquoted and folded.
///
/// `Display` writes the SQL spelling, with quotes only where they are needed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    pub schema: String,
    pub name: String,
}

/// A column of a table, as PostgreSQL stores it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnName {
    pub table: TableName,
    pub column: String,
}

/// A table or sequence whose schema may be left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationRef {
    schema: Option<String>,
    name: String,
}

impl RelationRef {
    /// Whether the reference can mean the relation with these names, as PostgreSQL stores them.
    pub fn matches(&self, schema: &str, name: &str) -> bool {
        self.name == name && self.schema.as_ref().is_none_or(|mentioned| mentioned == schema)
    }
}

/// Why a text is not an SQL name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("{found} part(s) where {expected} are needed")]
    Parts { found: usize, expected: usize },
    #[error("an empty part")]
    Empty,
    #[error("a part longer than 63 bytes, which PostgreSQL would cut off")]
    TooLong,
    #[error("a quote that is not closed, or that does not enclose a whole part")]
    Quote,
    #[error("the character {0:?} outside quotes")]
    Character(char),
    #[error("a part that holds a zero byte")]
    Nul,
}

impl FromStr for TableName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let [schema, name] = parse_parts(text)?;
        Ok(Self { schema, name })
    }
}

impl FromStr for ColumnName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let [schema, name, column] = parse_parts(text)?;
        let table = TableName { schema, name };
        Ok(Self { table, column })
    }
}

impl FromStr for RelationRef {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match parse_parts(text) {
            Ok([name]) => Ok(Self { schema: None, name }),
            Err(NameError::Parts { .. }) => {
                let TableName { schema, name } = text.parse()?;
                Ok(Self { schema: Some(schema), name })
            }
            Err(error) => Err(error),
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", QuotedIdent(&self.schema), QuotedIdent(&self.name))
    }
}

impl fmt::Display for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.table, QuotedIdent(&self.column))
    }
}

/// Parses one identifier; returns it as PostgreSQL stores it.
pub fn parse_identifier(text: &str) -> Result<String, NameError> {
    let [part] = parse_parts(text)?;
    Ok(part)
}

/// One part, quoted unless it is a plain lower-case word.
pub struct QuotedIdent<'a>(pub &'a str);

impl fmt::Display for QuotedIdent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if self.0.chars().all(plain) && self.0.starts_with(|c: char| !c.is_ascii_digit()) {
            f.write_str(self.0)
        } else {
            write!(f, "\"{}\"", self.0.replace('"', "\"\""))
        }
    }
}

/// The parts of a name as PostgreSQL stores them.
fn parse_parts<const N: usize>(text: &str) -> Result<[String; N], NameError> {
    let parts = split(text)?.into_iter().map(fold_identifier).collect::<Result<Vec<_>, _>>()?;
    <[String; N]>::try_from(parts).map_err(|parts| NameError::Parts { found: parts.len(), expected: N })
}

fn fold_identifier(part: NamePart) -> Result<String, NameError> {
    let NamePart { text, quoted } = part;
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.contains('\0') {
        return Err(NameError::Nul);
    }
    if text.len() > MAX_IDENTIFIER_BYTES {
        return Err(NameError::TooLong);
    }
    if quoted {
        return Ok(text);
    }
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
    let continues = |c: char| starts(c) || c.is_ascii_digit() || c == '$';
    let stray = text.chars().enumerate().find(|(index, c)| !(continues(*c) && (*index > 0 || starts(*c))));
    match stray {
        Some((_, c)) => Err(NameError::Character(c)),
        // In a UTF-8 database, PostgreSQL folds ASCII letters only, in every locale.
        None => Ok(text.to_ascii_lowercase()),
    }
}

/// Schema and name as PostgreSQL stores them, of a relation whose name the server quoted.
pub fn stored_parts(quoted: &str) -> (String, String) {
    let mut parts = split(quoted).unwrap_or_default().into_iter().map(|part| part.text);
    match (parts.next(), parts.next()) {
        (Some(schema), Some(name)) => (schema, name),
        // The server writes no such name.
        _ => (String::new(), quoted.to_owned()),
    }
}

/// A part of a dotted name, without its quotes.
#[derive(Debug, PartialEq, Eq)]
pub struct NamePart {
    pub text: String,
    pub quoted: bool,
}

/// Splits at the dots outside quotes; `""` within quotes is one quote.
pub fn split(name: &str) -> Result<Vec<NamePart>, NameError> {
    let mut parts = Vec::new();
    let mut rest = name;
    loop {
        let part;
        (part, rest) = match rest.strip_prefix('"') {
            Some(inside) => quoted(inside)?,
            None => unquoted(rest)?,
        };
        parts.push(part);
        rest = match rest.strip_prefix('.') {
            Some(next) => next,
            None if rest.is_empty() => return Ok(parts),
            None => return Err(NameError::Quote),
        };
    }
}

fn unquoted(text: &str) -> Result<(NamePart, &str), NameError> {
    let (part, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    if part.contains('"') {
        return Err(NameError::Quote);
    }
    let text = part.to_owned();
    Ok((NamePart { text, quoted: false }, rest))
}

/// Reads up to the closing quote; the opening one is already gone.
fn quoted(inside: &str) -> Result<(NamePart, &str), NameError> {
    let mut text = String::new();
    let mut rest = inside;
    loop {
        let (piece, after) = rest.split_once('"').ok_or(NameError::Quote)?;
        text.push_str(piece);
        match after.strip_prefix('"') {
            Some(more) => {
                text.push('"');
                rest = more;
            }
            None => return Ok((NamePart { text, quoted: true }, after)),
        }
    }
}

#[cfg(test)]
#[path = "name_tests.rs"]
mod tests;
