//! The table of sequences: which rows, in which order.

use super::facts::{DatabaseFacts, Trouble};
use super::row::{Row, RowState, days_left};
use crate::http::status::search_query::{Filter, SearchQuery, SortKey};
use crate::http::status::words::contains_word;
use crate::report::Level;
use std::cmp::{Ordering, Reverse};

/// Rows on a page.
pub const ROWS: usize = 25;

/// A line of the table.
#[derive(Debug, Clone, Copy)]
pub enum TableRow<'a> {
    Sequence(Row<'a>),
    /// A database that could not be checked: its name, how many sequences it had, since when.
    Database(&'a str, u64, Option<f64>),
}

/// How many sequences each filter finds, without the rest of the query.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FilterCounts {
    pub all: u64,
    pub failing: u64,
    pub soon: u64,
    pub unknown: u64,
    pub decision: u64,
    pub repaired: u64,
    pub healthy: u64,
    pub not_judged: u64,
}

/// One page of the table.
#[derive(Debug)]
pub struct Table<'a> {
    pub counts: FilterCounts,
    pub rows: Vec<TableRow<'a>>,
    /// The number of the first row, from 1.
    pub first: usize,
    /// All rows that match.
    pub found: usize,
    pub page: usize,
    pub pages: usize,
    /// Whether the page has a column for the time left.
    pub has_time_left: bool,
}

impl<'a> Table<'a> {
    pub fn of(query: &SearchQuery, facts: &[DatabaseFacts<'a>], now: f64) -> Self {
        let words = query.words();
        // With one database, its name tells nothing apart.
        let several = facts.len() > 1;
        let mut counts = FilterCounts::default();
        let mut rows: Vec<TableRow<'a>> = Vec::new();
        for database in facts {
            let asked_for = query.covers(database.name, database.server);
            if let (Some(trouble), Some(number @ 1..)) = (database.trouble, database.sequences) {
                counts.all += number;
                counts.unknown += number;
                let is_named = words.iter().all(|word| several && contains_word(database.name, word));
                let shown = asked_for && trouble != Trouble::NoSequences && is_named;
                if shown && matches!(query.filter, Filter::All | Filter::Unknown) {
                    rows.push(TableRow::Database(database.name, number, database.trouble_since()));
                }
            }
            for sequence in database.checked_sequences() {
                let row = Row::of(database.name, sequence, &database.state.observed, now);
                counts.add(row.state);
                if asked_for && query.filter.finds(row.state) && has_words(&row, several, &words) {
                    rows.push(TableRow::Sequence(row));
                }
            }
        }
        let order = query.order();
        rows.sort_by(|a, b| compare(a, b, order));
        let (found, pages) = (rows.len(), rows.len().div_ceil(ROWS).max(1));
        let page = query.page.clamp(1, pages);
        let rows: Vec<TableRow<'a>> = rows.into_iter().skip((page - 1) * ROWS).take(ROWS).collect();
        let has_time_left = rows.iter().any(|row| match row {
            TableRow::Sequence(row) => days_left(row.sequence).is_some_and(|left| left > 0.0),
            TableRow::Database(..) => false,
        });
        Self { counts, rows, first: (page - 1) * ROWS + 1, found, page, pages, has_time_left }
    }
}

impl FilterCounts {
    fn add(&mut self, state: RowState) {
        self.all += 1;
        *match state {
            RowState::Level(Level::Failing) => &mut self.failing,
            RowState::Level(Level::Unknown) => &mut self.unknown,
            RowState::Level(Level::Soon) => &mut self.soon,
            RowState::Level(Level::Decision) => &mut self.decision,
            RowState::Level(Level::Healthy) => &mut self.healthy,
            RowState::NotJudged => &mut self.not_judged,
            RowState::Repaired => {
                self.healthy += 1;
                &mut self.repaired
            }
        } += 1;
    }

    pub fn of(&self, filter: Filter) -> u64 {
        match filter {
            Filter::All => self.all,
            Filter::Failing => self.failing,
            Filter::Soon => self.soon,
            Filter::Unknown => self.unknown,
            Filter::Decision => self.decision,
            Filter::Repaired => self.repaired,
            Filter::Healthy => self.healthy,
            Filter::NotJudged => self.not_judged,
        }
    }
}

/// Whether each word is in the name of the sequence, of a column that it feeds, or of its database.
fn has_words(row: &Row<'_>, several: bool, words: &[String]) -> bool {
    let sequence = row.sequence;
    words.iter().all(|word| {
        let columns = sequence.feeds.iter().map(|feed| &*feed.column);
        let mut names = columns.chain([&*sequence.name]).chain(several.then_some(row.database));
        names.any(|name| contains_word(name, word))
    })
}

/// What is not known comes last, in both directions; equal rows are in the order of their names.
fn compare(a: &TableRow<'_>, b: &TableRow<'_>, (key, descending): (SortKey, bool)) -> Ordering {
    let (a, b) = match (a, b) {
        (TableRow::Sequence(a), TableRow::Sequence(b)) => (a, b),
        (TableRow::Database(a, ..), TableRow::Database(b, ..)) => return a.cmp(b),
        // Among the unknown ones, where the rows are in the order of their levels.
        (TableRow::Database(..), TableRow::Sequence(row)) => return database_against(row, key, descending),
        (TableRow::Sequence(row), TableRow::Database(..)) => return database_against(row, key, descending).reverse(),
    };
    let names = || a.sequence.name.cmp(&b.sequence.name).then_with(|| a.database.cmp(b.database));
    let turn = |order: Ordering| if descending { order.reverse() } else { order };
    let ordered = match key {
        SortKey::Status => turn(rank(b).cmp(&rank(a))).then_with(|| used(b).total_cmp(&used(a))),
        SortKey::Sequence => return turn(names()),
        SortKey::Database => turn(a.database.cmp(b.database)),
        SortKey::NextValue => known(next(a), next(b), turn),
        SortKey::MaxId => known(a.sequence.max_id, b.sequence.max_id, turn),
        SortKey::Lag => known(a.lag(), b.lag(), turn),
        SortKey::Used => turn(used(a).total_cmp(&used(b))),
        SortKey::TimeLeft => {
            // In hours, to be compared as a whole number.
            let hours = |row: &Row<'_>| days_left(row.sequence).map(|days| (days * 24.0) as u64);
            known(hours(a), hours(b), turn)
        }
        SortKey::LastRepair => known(repaired(a), repaired(b), turn),
    };
    ordered.then_with(names)
}

fn database_against(row: &Row<'_>, key: SortKey, worst_first: bool) -> Ordering {
    let comes_first = match key {
        SortKey::Status if worst_first => row.state > RowState::Level(Level::Failing),
        SortKey::Status => row.state == RowState::Level(Level::Failing),
        _ => false,
    };
    if comes_first { Ordering::Less } else { Ordering::Greater }
}

fn rank(row: &Row<'_>) -> (bool, RowState) {
    // Repaired sequences stand among the healthy ones.
    match row.state {
        RowState::Repaired => (true, RowState::Level(Level::Healthy)),
        state => (state.is_quiet(), state),
    }
}

fn used(row: &Row<'_>) -> f64 {
    row.sequence.used_ratio.unwrap_or(-1.0)
}

fn next(row: &Row<'_>) -> Option<i64> {
    row.sequence.next_value_after_pass()
}

fn repaired(row: &Row<'_>) -> Option<Reverse<u64>> {
    row.last_repair.map(|repair| Reverse(repair.at as u64))
}

fn known<T: Ord>(a: Option<T>, b: Option<T>, turn: impl Fn(Ordering) -> Ordering) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => turn(a.cmp(&b)),
        (a, b) => a.is_none().cmp(&b.is_none()),
    }
}

#[cfg(test)]
#[path = "sequences_tests.rs"]
mod tests;
