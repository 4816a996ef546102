//! What the agent remembers of a database from one pass to the next: since when something needs attention, the last
//! repair of each sequence, and the counts of the last 24 hours.

use super::day::DayCounts;
use super::history::EarlierRepair;
use crate::report::{Cause, DatabaseReport, Level, Outcome, SequenceReport, Verdict};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Sequences of one database whose last repair is remembered; the oldest repairs are forgotten first.
const MOST_REPAIRS: usize = 1000;

/// The last repair of a sequence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LastRepair {
    /// In seconds since 1970.
    pub at: f64,
    pub cause: Option<Cause>,
}

/// What is new with a pass.
#[derive(Debug)]
pub struct PassNews<'a> {
    /// The sequences whose inserts fail since then.
    pub began: Vec<&'a SequenceReport>,
    /// The sequences that were set back since the pass before, with no id in their way.
    pub set_back: Vec<&'a SequenceReport>,
    /// Values that sequences handed out since the pass before.
    pub ids: u64,
    pub repaired: u64,
}

/// Shared with the pages, and copied only while one of them is being rendered.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// When a sequence was first found at its level, by its name; only those that need attention.
    since: HashMap<String, (Level, f64)>,
    repairs: HashMap<String, LastRepair>,
    /// Sequences that were set back, and were not found at the next value that they had before since then.
    set_back: HashSet<String>,
    /// What earlier runs did was added.
    restored: bool,
    pub day: DayCounts,
    /// Sequences whose inserts fail, as the last pass left them.
    pub failing: u64,
    /// When inserts last stopped failing, and for how many seconds they had failed.
    pub last_failure: Option<(f64, f64)>,
    /// How many sequences the last completed pass found.
    pub sequences: Option<usize>,
}

impl Observed {
    /// Since when a sequence is at its level, in seconds since 1970; none while it needs no attention.
    pub fn since(&self, sequence: &str) -> Option<f64> {
        self.since.get(sequence).map(|(_, at)| *at)
    }

    pub fn last_repair(&self, sequence: &str) -> Option<LastRepair> {
        self.repairs.get(sequence).copied()
    }

    /// Takes a completed pass, and returns what is new with it.
    pub fn record_pass<'a>(
        &mut self,
        at: f64,
        before: Option<&DatabaseReport>,
        report: &'a DatabaseReport,
    ) -> PassNews<'a> {
        let mut since = HashMap::new();
        let mut began = Vec::new();
        self.failing = 0;
        for sequence in &report.sequences {
            let level = Level::of(sequence);
            if level == Level::Healthy {
                continue;
            }
            let known = self.since.get(&*sequence.name).filter(|(known, _)| *known == level);
            if level == Level::Failing {
                self.failing += 1;
                if known.is_none() {
                    began.push(sequence.as_ref());
                }
            }
            since.insert(sequence.name.to_string(), known.copied().unwrap_or((level, at)));
        }
        let ended = self.since.iter().filter(|(name, (level, _))| {
            *level == Level::Failing && since.get(*name).is_none_or(|(level, _)| *level != Level::Failing)
        });
        if let Some(began) = ended.map(|(_, (_, began))| *began).reduce(f64::min) {
            self.last_failure = Some((at, at - began));
        }
        self.since = since;
        let set_back = self.newly_set_back(report);
        self.sequences = Some(report.sequences.len() + report.unlisted);
        let repaired = report.sequences.iter().filter(|sequence| sequence.outcome() == Some(Outcome::Repaired));
        let repaired: Vec<&Arc<SequenceReport>> = repaired.collect();
        for sequence in &repaired {
            self.record_repair(&sequence.name, LastRepair { at, cause: sequence.cause });
        }
        let ids = before.map_or(0, |before| ids_handed_out(before, report));
        let (repaired, failing) = (repaired.len() as u64, self.failing);
        self.day.count(at, |hour| {
            hour.ids = hour.ids.saturating_add(ids);
            hour.failing = hour.failing.max(failing);
            hour.repaired += repaired;
        });
        PassNews { began, set_back, ids, repaired }
    }

    /// The sequences that were set back since the pass before. While one is behind or cannot be read, it is not compared with
    /// the next value that it had, and is no news afterwards.
    fn newly_set_back<'a>(&mut self, report: &'a DatabaseReport) -> Vec<&'a SequenceReport> {
        let mut before = std::mem::take(&mut self.set_back);
        let mut news = Vec::new();
        for sequence in &report.sequences {
            let known = before.take(&*sequence.name);
            if sequence.set_back().is_some() {
                if known.is_none() {
                    news.push(sequence.as_ref());
                }
                self.set_back.insert(sequence.name.to_string());
            } else if sequence.verdict != Verdict::InSync {
                self.set_back.extend(known);
            }
        }
        news
    }

    /// Adds what earlier runs repaired, once; whether it did.
    pub fn restore(&mut self, repairs: &[EarlierRepair]) -> bool {
        if std::mem::replace(&mut self.restored, true) {
            return false;
        }
        for EarlierRepair { sequence, at, cause, .. } in repairs {
            self.day.count(*at, |hour| hour.repaired += 1);
            if self.last_repair(sequence).is_none() && self.repairs.len() < MOST_REPAIRS {
                self.repairs.insert(sequence.clone(), LastRepair { at: *at, cause: *cause });
            }
        }
        true
    }

    pub fn record_repair(&mut self, sequence: &str, repair: LastRepair) {
        if self.repairs.len() >= MOST_REPAIRS && !self.repairs.contains_key(sequence) {
            let oldest = self.repairs.iter().min_by(|(_, a), (_, b)| a.at.total_cmp(&b.at));
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                self.repairs.remove(&oldest);
            }
        }
        self.repairs.insert(sequence.to_owned(), repair);
    }
}

/// Values that were handed out between two passes. Values that a repair skipped, and steps back, do not count.
fn ids_handed_out(before: &DatabaseReport, report: &DatabaseReport) -> u64 {
    let same = before.sequences.len() == report.sequences.len()
        && before.sequences.iter().zip(&report.sequences).all(|(a, b)| Arc::ptr_eq(a, b) || a.name == b.name);
    if same {
        return before.sequences.iter().zip(&report.sequences).map(|(a, b)| step(a, b)).fold(0, u64::saturating_add);
    }
    let known: HashMap<&str, &SequenceReport> =
        before.sequences.iter().map(|sequence| (&*sequence.name, sequence.as_ref())).collect();
    let steps = report.sequences.iter().filter_map(|sequence| Some(step(known.get(&*sequence.name)?, sequence)));
    steps.fold(0, u64::saturating_add)
}

fn step(before: &SequenceReport, now: &SequenceReport) -> u64 {
    let (Some(from), Some(to), Some(limit)) = (before.next_value_after_pass(), now.next_value, now.limit) else {
        return 0;
    };
    let forward = if limit >= to { to > from } else { to < from };
    if forward { to.abs_diff(from) } else { 0 }
}

#[cfg(test)]
#[path = "observed_tests.rs"]
mod tests;
