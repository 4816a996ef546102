//! What needs attention, worst first. Sequences of one database with the same reason and the same fix share a card.

use super::Snapshot;
use super::card::{self, Card};
use super::facts::DatabaseFacts;
use crate::http::status::page_level::PageLevel;
use crate::report::{Level, SequenceReport, Verdict};
use std::cmp::Reverse;
use std::collections::HashMap;

/// Cards on the page, unless all are asked for.
pub const SHOWN: usize = 20;
/// Cards when all are asked for; the table of sequences lists the rest.
const MOST: usize = 500;

#[derive(Debug, PartialEq)]
pub struct Cards {
    pub shown: Vec<Card>,
    /// How many are not among them.
    pub more: usize,
    /// When inserts last stopped failing, in seconds since 1970, and for how many seconds they had failed.
    pub last_failure: Option<(f64, f64)>,
}

/// Which sequences belong on one card: database, level, kind, text and fix of the reason.
type SameReason<'a> = (usize, Level, String, &'a str, Option<&'a str>);

/// One card that is not yet written.
enum Draft<'a> {
    Sequences(usize, Vec<&'a SequenceReport>),
    Database(usize),
    Store(usize, &'a str),
    Configuration,
}

impl Cards {
    pub fn of(snapshot: &Snapshot, facts: &[DatabaseFacts<'_>], all: bool) -> Self {
        let mut drafts = drafts(facts);
        if !snapshot.config_accepted {
            drafts.push((PageLevel::Decision, Draft::Configuration));
        }
        drafts.sort_by_cached_key(|(level, draft)| (*level, order(draft, facts)));
        let limit = if all { MOST } else { SHOWN };
        let more = drafts.len().saturating_sub(limit);
        drafts.truncate(limit);
        let shown = drafts.into_iter().filter_map(|(_, draft)| write(&draft, snapshot, facts)).collect();
        let failures = facts.iter().filter_map(|database| database.state.observed.last_failure);
        Self { shown, more, last_failure: failures.max_by(|(a, _), (b, _)| a.total_cmp(b)) }
    }
}

fn drafts<'a>(facts: &[DatabaseFacts<'a>]) -> Vec<(PageLevel, Draft<'a>)> {
    let mut drafts: Vec<(PageLevel, Draft<'a>)> = Vec::new();
    for (index, database) in facts.iter().enumerate() {
        if database.trouble.is_some() {
            drafts.push((PageLevel::Unknown, Draft::Database(index)));
        }
        let mut places: HashMap<SameReason<'a>, usize> = HashMap::new();
        for sequence in database.checked_sequences() {
            let level = Level::of(sequence);
            if level == Level::Healthy {
                continue;
            }
            let place = same_reason(index, level, sequence).map(|same| *places.entry(same).or_insert(drafts.len()));
            match place.and_then(|place| drafts.get_mut(place)) {
                Some((_, Draft::Sequences(_, all))) => all.push(sequence),
                _ => drafts.push((level.into(), Draft::Sequences(index, vec![sequence]))),
            }
        }
        for (name, store) in &database.state.sweeps.stores {
            let level = if store.error.is_some() { PageLevel::Unknown } else { PageLevel::Decision };
            if store.attention().next().is_some() {
                drafts.push((level, Draft::Store(index, name)));
            }
        }
    }
    drafts
}

/// None where each sequence has a card to itself, because its numbers differ.
fn same_reason<'a>(database: usize, level: Level, sequence: &'a SequenceReport) -> Option<SameReason<'a>> {
    if level == Level::Soon || sequence.verdict == Verdict::Exhausted {
        return None;
    }
    let reason = sequence.reasons().find(|reason| reason.fix.is_some()).or_else(|| sequence.reasons().next())?;
    let fix = reason.fix.as_ref().map(pgmedic_core::Fix::as_str);
    // Without a fix, only what cannot be judged is alike: the others differ by their numbers.
    (fix.is_some() || level == Level::Unknown)
        .then(|| (database, level, format!("{:?}", reason.kind), reason.text.as_str(), fix))
}

/// Within one level: what ran out last, the largest lag first, then by name.
fn order<'a>(draft: &Draft<'a>, facts: &[DatabaseFacts<'a>]) -> (u8, Reverse<u128>, String) {
    let name = |index: &usize| facts.get(*index).map_or_else(String::new, |database| database.name.to_owned());
    match draft {
        Draft::Sequences(index, all) => {
            let lag = all.iter().filter_map(|sequence| sequence.lag).max().unwrap_or(0);
            let exhausted = all.iter().any(|sequence| sequence.verdict == Verdict::Exhausted);
            let first = all.first().map_or("", |sequence| &*sequence.name);
            (u8::from(exhausted), Reverse(lag), format!("{} {first}", name(index)))
        }
        Draft::Database(index) => (0, Reverse(u128::MAX), name(index)),
        Draft::Store(index, store) => (2, Reverse(0), format!("{} {store}", name(index))),
        Draft::Configuration => (3, Reverse(0), String::new()),
    }
}

fn write(draft: &Draft<'_>, snapshot: &Snapshot, facts: &[DatabaseFacts<'_>]) -> Option<Card> {
    Some(match draft {
        Draft::Sequences(index, all) => card::of_sequences(facts.get(*index)?, all.first()?, all, snapshot.dry_run),
        Draft::Database(index) => {
            let database = facts.get(*index)?;
            card::of_database(database, database.trouble?, snapshot.now)
        }
        Draft::Store(index, store) => {
            let database = facts.get(*index)?;
            card::of_store(database, database.state.sweeps.stores.get(*store)?)
        }
        Draft::Configuration => card::of_configuration(),
    })
}

#[cfg(test)]
#[path = "cards_tests.rs"]
mod tests;
