//! The arguments of `pgmedic cutover`.

use super::ListFormat;
use clap::Args;
use pgmedic_core::{NameError, parse_identifier};
use std::ffi::OsString;

/// What `pgmedic cutover` takes.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct CutoverArguments {
    /// OLD: the database in use, as a URL or as keywords and values; it is only read
    #[arg(long, value_name = "OLD")]
    pub from: String,

    /// NEW: the database that takes over
    #[arg(long, value_name = "NEW")]
    pub to: String,

    /// Leave at least this many values unused beyond the next value of OLD and the ids in NEW; none where it is more than a
    /// quarter of what is left [default: 0; 1000 with --watch]
    #[arg(long, value_name = "VALUES")]
    pub headroom: Option<u32>,

    /// Keep NEW ahead until SIGINT or SIGTERM, with at least half of the headroom left
    #[arg(long)]
    pub watch: bool,

    /// A schema that has another name in NEW (repeatable)
    #[arg(long, value_name = "OLD_SCHEMA=NEW_SCHEMA", value_parser = parse_map)]
    pub map: Vec<(String, String)>,

    /// Go on where OLD and NEW look swapped, definitions differ, or publications leave something out
    #[arg(long)]
    pub yes: bool,

    /// How to print the report
    #[arg(long, value_enum, default_value = "table")]
    pub format: ListFormat,

    /// List the sequences that were ahead already too
    #[arg(long)]
    pub verbose: bool,
}

/// Why a `--map` is refused.
#[derive(Debug, thiserror::Error)]
enum MapError {
    #[error("expected OLD_SCHEMA=NEW_SCHEMA, each quoted as in SQL where it needs to be")]
    NoEqualsSign,
    #[error("found {0}; expected OLD_SCHEMA=NEW_SCHEMA, each quoted as in SQL where it needs to be")]
    Name(#[from] NameError),
}

/// Both schemas as PostgreSQL stores them.
fn parse_map(text: &str) -> Result<(String, String), MapError> {
    let (old, new) = split(text).ok_or(MapError::NoEqualsSign)?;
    Ok((parse_identifier(old)?, parse_identifier(new)?))
}

/// Splits at the equals sign outside quotes.
fn split(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let at = text.find(|c: char| {
        quoted ^= c == '"';
        c == '=' && !quoted
    })?;
    Some((&text[..at], &text[at + 1..]))
}

/// The arguments without the connection strings of `cutover`, which belong on its command line.
pub(super) fn without_connections(arguments: &[OsString]) -> impl Iterator<Item = &OsString> {
    let is_cutover = arguments.iter().any(|argument| argument == "cutover");
    let mut before: Option<&OsString> = None;
    arguments.iter().filter(move |argument| {
        let follows = before.is_some_and(|before| before == "--from" || before == "--to");
        before = Some(argument);
        let text = argument.to_string_lossy();
        !(is_cutover && (follows || text.starts_with("--from=") || text.starts_with("--to=")))
    })
}

#[cfg(test)]
#[path = "cutover_tests.rs"]
mod tests;
