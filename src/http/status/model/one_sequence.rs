//! The page of one sequence.

use super::Snapshot;
use super::activity::{HourGroup, groups};
use super::card::{self, Card};
use super::facts::DatabaseFacts;
use super::headline::runs_out;
use super::row::{Row, RowState, days_left};
use crate::http::status::page_level::PageLevel;
use crate::http::status::sequence_query::SequenceQuery;
use crate::http::status::words::table_of;
use crate::report::{Level, SequenceReport, Verdict, escape_control};
use pgmedic_core::{quote_literal, shell_quote};

/// What the page says of one sequence.
#[derive(Debug)]
pub struct OneSequence<'a> {
    pub row: Row<'a>,
    /// The database's name without its server's, and the server's where it was discovered on one.
    pub own_name: &'a str,
    pub server: Option<&'a str>,
    pub level: PageLevel,
    /// Whether inserts work, in one sentence.
    pub sentence: String,
    /// What needs attention.
    pub card: Option<Card>,
    /// When it was last checked, in seconds since 1970.
    pub checked: Option<f64>,
    /// Its events in the memory of the agent.
    pub events: Vec<HourGroup>,
    /// The command that prints its history from `pgmedic.repair_log`.
    pub history_command: String,
    /// The statement that makes the agent check it at once.
    pub check_statement: String,
}

impl<'a> OneSequence<'a> {
    /// None where the database, or a sequence of this name in it, is not known at the moment.
    pub fn of(query: &SequenceQuery, snapshot: &Snapshot, facts: &[DatabaseFacts<'a>]) -> Option<Self> {
        let database = facts.iter().find(|database| database.name == query.database)?;
        let sequence = database.checked_sequences().find(|sequence| *sequence.name == *query.name)?;
        let row = Row::of(database.name, sequence, &database.state.observed, snapshot.now);
        let level = PageLevel::from(Level::of(sequence));
        let card = (level != PageLevel::Healthy)
            .then(|| Card { page: None, ..card::of_sequences(database, sequence, &[sequence], snapshot.dry_run) });
        let own = snapshot
            .history
            .entries()
            .filter(|entry| entry.database == database.name && entry.action.sequence() == Some(&sequence.name));
        let place = if facts.len() > 1 { format!(" --database {}", shell_quote(database.name)) } else { String::new() };
        Some(Self {
            own_name: database.own_name(),
            server: database.server,
            sentence: sentence(&row),
            level,
            card,
            checked: database.state.last_success,
            events: groups(own, false, snapshot.now),
            history_command: format!("pgmedic history {}{place}", shell_quote(&sequence.name)),
            check_statement: format!("NOTIFY pgmedic, {};", quote_literal(&sequence.name)),
            row,
        })
    }
}

/// Whether inserts work.
fn sentence(row: &Row<'_>) -> String {
    let sequence = row.sequence;
    let first = first_table(sequence);
    let (table, name) = (escape_control(first), escape_control(&sequence.name));
    match row.state {
        RowState::Level(Level::Failing) => format!("Inserts into {table} are failing"),
        RowState::Level(Level::Unknown) if sequence.verdict == Verdict::Behind => {
            format!("Inserts into {table} may be failing")
        }
        RowState::Level(Level::Unknown) => format!("{name} cannot be checked"),
        RowState::Level(Level::Soon) => runs_out(first, days_left(sequence), sequence.used_ratio.unwrap_or_default()),
        RowState::Level(Level::Decision) => format!("No insert into {table} is failing; a decision is waiting"),
        RowState::NotJudged => format!("{name} is not judged"),
        RowState::Level(Level::Healthy) | RowState::Repaired => format!("{name} is ahead of its data"),
    }
}

/// The first table that it feeds; the sequence itself where none is known.
fn first_table(sequence: &SequenceReport) -> &str {
    sequence.feeds.first().map_or(&sequence.name, |feed| table_of(&feed.column))
}

#[cfg(test)]
#[path = "one_sequence_tests.rs"]
mod tests;
