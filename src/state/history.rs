//! The last repairs, sweeps and failures since the agent started.

use crate::report::{Cause, DatabaseReport, Outcome, SequenceReport, SessionReport, Verdict};
use pgmedic_core::sequence::HoldReason;
use std::collections::VecDeque;

/// Entries that are kept, of some hundred bytes each.
const CAPACITY: usize = 500;

const HOUR: f64 = 3600.0;

/// One event; sweeps of one store in the same hour are one.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEntry {
    /// In seconds since 1970.
    pub at: f64,
    pub database: String,
    pub action: HistoryEvent,
}

#[derive(Debug, Clone, PartialEq)]
pub enum HistoryEvent {
    Repaired {
        sequence: String,
        cause: Option<Cause>,
        lag: Option<u128>,
        from: Option<i64>,
        to: Option<i64>,
        /// Who was behind the drift, as far as the server told.
        who: Option<String>,
    },
    /// Repairs by the login path, from `pgmedic.repair_log`.
    Inline {
        outcome: &'static str,
        repairs: u64,
    },
    /// Inserts began to fail.
    Failing {
        sequence: String,
        lag: Option<u128>,
        exhausted: bool,
        held_by: Option<HoldReason>,
        cause: Option<Cause>,
        who: Option<String>,
    },
    /// A sequence was set back, and no id is in its way.
    SetBack {
        sequence: String,
        to: Option<i64>,
        why: String,
    },
    /// Passes began to fail.
    NotChecked {
        why: String,
    },
    Ended {
        store: String,
        sweeps: u64,
        expired: u64,
        superseded: u64,
    },
}

impl HistoryEvent {
    /// The one sequence that it is about, if there is one.
    pub fn sequence(&self) -> Option<&str> {
        match self {
            Self::Repaired { sequence, .. } | Self::Failing { sequence, .. } | Self::SetBack { sequence, .. } => {
                Some(sequence)
            }
            Self::Inline { .. } | Self::NotChecked { .. } | Self::Ended { .. } => None,
        }
    }
}

/// A repair that an earlier run of an agent made.
#[derive(Debug, Clone, PartialEq)]
pub struct EarlierRepair {
    pub sequence: String,
    /// In seconds since 1970.
    pub at: f64,
    pub cause: Option<Cause>,
    pub from: Option<i64>,
    pub to: Option<i64>,
    pub who: Option<String>,
}

/// The newest entries, and how many older ones were dropped.
#[derive(Debug, Clone, Default)]
pub struct History {
    entries: VecDeque<HistoryEntry>,
    dropped: u64,
}

impl History {
    /// Newest first.
    pub fn entries(&self) -> impl Iterator<Item = &HistoryEntry> {
        self.entries.iter().rev()
    }

    /// How many older entries were dropped.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    pub fn add(&mut self, at: f64, database: &str, action: HistoryEvent) {
        if self.entries.len() == CAPACITY {
            self.entries.pop_front();
            self.dropped += 1;
        }
        self.entries.push_back(HistoryEntry { at, database: database.to_owned(), action });
    }

    /// Adds what was repaired before all that is known, while there is room. `repairs` are newest first.
    pub fn add_earlier(&mut self, database: &str, repairs: Vec<EarlierRepair>) {
        for EarlierRepair { sequence, at, cause, from, to, who } in repairs {
            if self.entries.len() == CAPACITY {
                self.dropped += 1;
                continue;
            }
            let action = HistoryEvent::Repaired { sequence, cause, lag: None, from, to, who };
            self.entries.push_front(HistoryEntry { at, database: database.to_owned(), action });
        }
    }

    /// Adds what a pass repaired, the sequences whose inserts fail since then, and those that were set back since then.
    pub fn record_pass(
        &mut self,
        at: f64,
        report: &DatabaseReport,
        failing: &[&SequenceReport],
        set_back: &[&SequenceReport],
    ) {
        for sequence in set_back {
            let why = sequence.set_back().map_or_else(String::new, |reason| reason.text.clone());
            let (sequence, to) = (sequence.name.to_string(), sequence.next_value);
            self.add(at, &report.name, HistoryEvent::SetBack { sequence, to, why });
        }
        for sequence in failing {
            let action = HistoryEvent::Failing {
                sequence: sequence.name.to_string(),
                lag: sequence.lag,
                exhausted: sequence.verdict == Verdict::Exhausted,
                held_by: sequence.repair.as_ref().and_then(|repair| repair.held_by),
                cause: sequence.cause,
                who: sequence.who(),
            };
            self.add(at, &report.name, action);
        }
        for sequence in &report.sequences {
            let Some(repair) = sequence.repair.as_ref().filter(|repair| repair.outcome == Outcome::Repaired) else {
                continue;
            };
            let action = HistoryEvent::Repaired {
                sequence: sequence.name.to_string(),
                cause: sequence.cause,
                lag: sequence.lag,
                from: sequence.next_value,
                to: repair.next_value,
                who: sequence.who(),
            };
            self.add(at, &report.name, action);
        }
    }

    /// Adds what a sweep ended.
    pub fn record_sweep(&mut self, at: f64, database: &str, reports: &[SessionReport]) {
        for report in reports.iter().filter(|report| report.expired + report.superseded > 0) {
            let same_hour =
                self.entries.iter_mut().rev().take_while(|entry| (entry.at / HOUR) as u64 == (at / HOUR) as u64);
            let mut same_hour = same_hour.filter(|entry| entry.database == database);
            let known = same_hour.find_map(|entry| match &mut entry.action {
                HistoryEvent::Ended { store, sweeps, expired, superseded } if *store == report.name => {
                    entry.at = at;
                    Some((sweeps, expired, superseded))
                }
                _ => None,
            });
            if let Some((sweeps, expired, superseded)) = known {
                *sweeps += 1;
                *expired += report.expired;
                *superseded += report.superseded;
                continue;
            }
            let (expired, superseded) = (report.expired, report.superseded);
            self.add(at, database, HistoryEvent::Ended { store: report.name.clone(), sweeps: 1, expired, superseded });
        }
    }

    /// Forgets databases that are not configured any more.
    pub fn retain(&mut self, configured: impl Fn(&str) -> bool) {
        self.entries.retain(|entry| configured(&entry.database));
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
