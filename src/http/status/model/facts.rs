//! A database as the page counts it.

use super::row::is_not_judged;
use crate::http::status::page_level::PageLevel;
use crate::report::{DatabaseLabel, Level, SequenceReport, Verdict};
use crate::state::DatabaseState;

/// A pass is overdue after three intervals and this many seconds, which a busy machine may need.
const OVERDUE_GRACE: f64 = 10.0;

/// Why nothing of a database's sequences can be said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Trouble<'a> {
    /// It could not be reached, or the pass was not completed.
    NotChecked(&'a str),
    Overdue,
    /// It was checked, and there is no sequence.
    NoSequences,
}

/// How many of a database's sequences and session stores are at each level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub failing: u64,
    /// Of the failing ones: no value is left.
    pub exhausted: u64,
    pub unknown: u64,
    pub soon: u64,
    /// Held sweeps included.
    pub decision: u64,
    pub healthy: u64,
    /// Of the healthy ones: they feed no column that is known, or are only observed.
    pub not_judged: u64,
    /// Session stores whose last sweep failed.
    pub stores_failed: u64,
}

#[derive(Debug, Clone)]
pub struct DatabaseFacts<'a> {
    /// Unique; of a server's database `server/database`.
    pub name: &'a str,
    /// The configured server that it was discovered on.
    pub server: Option<&'a str>,
    pub state: &'a DatabaseState,
    pub level: PageLevel,
    pub trouble: Option<Trouble<'a>>,
    /// As the last pass left them; all zero with a trouble.
    pub counts: Counts,
    /// How many sequences were found when it was last checked.
    pub sequences: Option<u64>,
}

impl<'a> DatabaseFacts<'a> {
    pub fn of(name: &'a str, state: &'a DatabaseState, now: f64) -> Self {
        let trouble = trouble(state, now);
        let mut counts = if trouble.is_none() { count(state) } else { Counts::default() };
        for store in state.sweeps.stores.values() {
            counts.stores_failed += u64::from(store.error.is_some());
            counts.decision += u64::from(store.error.is_none() && store.held.is_some());
        }
        let level = match (trouble, &state.report) {
            (Some(_), _) => PageLevel::Unknown,
            (None, None) if state.up.is_some() && !state.leader && !state.replica => PageLevel::Standby,
            (None, None) => PageLevel::Starting,
            (None, Some(_)) => worst(&counts),
        };
        let server = state.discovered.as_ref().and_then(DatabaseLabel::server);
        let sequences = state.observed.sequences.map(|number| number as u64);
        Self { name, server, state, level, trouble, counts, sequences }
    }

    /// The name without the server's.
    pub fn own_name(&self) -> &'a str {
        self.state.discovered.as_ref().map_or(self.name, DatabaseLabel::database)
    }

    /// Where something is: the database, and its server.
    pub fn place(&self) -> String {
        match self.server {
            Some(server) => format!("{} · server {server}", self.own_name()),
            None => self.name.to_owned(),
        }
    }

    /// Whether nothing is to be done: it is healthy, another agent leads there, or its first pass is being made.
    pub fn is_quiet(&self) -> bool {
        matches!(self.level, PageLevel::Starting | PageLevel::Healthy | PageLevel::Standby)
    }

    /// The sequences of the last pass; none where their state is not known now.
    pub fn checked_sequences(&self) -> impl Iterator<Item = &'a SequenceReport> + use<'a> {
        let report = self.state.report.as_deref().filter(|_| self.trouble.is_none());
        report.into_iter().flat_map(|report| &report.sequences).map(AsRef::as_ref)
    }

    /// How many sequences could not be checked although they were seen before.
    pub fn unchecked(&self) -> u64 {
        if self.trouble.is_some() { self.sequences.unwrap_or(0) } else { 0 }
    }

    /// Since when its state is not known, in seconds since 1970.
    pub fn trouble_since(&self) -> Option<f64> {
        match self.trouble? {
            Trouble::NotChecked(_) => self.state.last_success.or(self.state.failing_since),
            Trouble::Overdue | Trouble::NoSequences => self.state.last_success,
        }
    }
}

fn trouble(state: &DatabaseState, now: f64) -> Option<Trouble<'_>> {
    if let Some(why) = &state.last_error {
        return Some(Trouble::NotChecked(why));
    }
    let report = state.report.as_ref()?;
    if state.last_success.is_some_and(|at| now - at > 3.0 * state.interval + OVERDUE_GRACE) {
        return Some(Trouble::Overdue);
    }
    // A database may be configured for its session stores alone.
    (report.sequences.is_empty() && state.sweeps.stores.is_empty()).then_some(Trouble::NoSequences)
}

fn count(state: &DatabaseState) -> Counts {
    let mut counts = Counts::default();
    for sequence in state.report.iter().flat_map(|report| &report.sequences) {
        *match Level::of(sequence) {
            Level::Failing => &mut counts.failing,
            Level::Unknown => &mut counts.unknown,
            Level::Soon => &mut counts.soon,
            Level::Decision => &mut counts.decision,
            Level::Healthy => &mut counts.healthy,
        } += 1;
        counts.exhausted += u64::from(sequence.verdict == Verdict::Exhausted && !sequence.observed_only);
        counts.not_judged += u64::from(is_not_judged(sequence));
    }
    let unlisted = state.report.as_ref().map_or(0, |report| report.unlisted as u64);
    counts.healthy += unlisted;
    counts.not_judged += unlisted;
    counts
}

fn worst(counts: &Counts) -> PageLevel {
    match counts {
        Counts { failing: 1.., .. } => PageLevel::Failing,
        Counts { unknown: 1.., .. } | Counts { stores_failed: 1.., .. } => PageLevel::Unknown,
        Counts { soon: 1.., .. } => PageLevel::Soon,
        Counts { decision: 1.., .. } => PageLevel::Decision,
        _ => PageLevel::Healthy,
    }
}

#[cfg(test)]
#[path = "facts_tests.rs"]
mod tests;
