//! The last repairs and sweeps since the agent started.

use crate::report::{Cause, DatabaseReport, Outcome, SessionReport};
use pgmedic_core::sequence::Method;
use std::collections::VecDeque;

/// Entries that are kept, of some hundred bytes each.
const CAPACITY: usize = 100;

/// One repair, or one sweep that ended sessions.
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
        method: Option<Method>,
        cause: Option<Cause>,
        lag: Option<u128>,
        from: Option<i64>,
        to: Option<i64>,
    },
    /// Repairs by the login path, from `pgmedic.repair_log`.
    Inline {
        outcome: &'static str,
        repairs: u64,
    },
    Ended {
        store: String,
        expired: u64,
        superseded: u64,
    },
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

    /// Adds what a pass repaired.
    pub fn record_pass(&mut self, at: f64, report: &DatabaseReport) {
        for sequence in &report.sequences {
            let Some(repair) = sequence.repair.as_ref().filter(|repair| repair.outcome == Outcome::Repaired) else {
                continue;
            };
            let action = HistoryEvent::Repaired {
                sequence: sequence.name.clone(),
                method: repair.method,
                cause: sequence.cause,
                lag: sequence.lag,
                from: sequence.next_value,
                to: repair.next_value,
            };
            self.add(at, &report.name, action);
        }
    }

    /// Adds what a sweep ended.
    pub fn record_sweep(&mut self, at: f64, database: &str, reports: &[SessionReport]) {
        for report in reports.iter().filter(|report| report.expired + report.superseded > 0) {
            let (expired, superseded) = (report.expired, report.superseded);
            self.add(at, database, HistoryEvent::Ended { store: report.name.clone(), expired, superseded });
        }
    }

    /// Forgets databases that are not configured any more.
    pub fn retain(&mut self, configured: impl Fn(&str) -> bool) {
        self.entries.retain(|entry| configured(&entry.database));
    }
}

#[cfg(test)]
mod tests {
    use crate::state::history::*;

    fn ended(number: u64) -> HistoryEvent {
        HistoryEvent::Ended { store: "logins".to_owned(), expired: number, superseded: 0 }
    }

    #[test]
    fn the_newest_are_kept_and_the_others_counted() {
        let mut history = History::default();
        for number in 1..=CAPACITY as u64 + 7 {
            history.add(0.0, "app", ended(number));
        }
        let kept: Vec<&HistoryEvent> = history.entries().map(|entry| &entry.action).collect();
        assert_eq!((kept.len(), kept[0], kept[CAPACITY - 1]), (CAPACITY, &ended(CAPACITY as u64 + 7), &ended(8)));
        assert_eq!(history.dropped(), 7);
    }

    #[test]
    fn a_sweep_that_ended_nothing_is_no_entry() {
        let mut history = History::default();
        let report = |expired, superseded| SessionReport { expired, superseded, ..Default::default() };
        history.record_sweep(0.0, "app", &[report(0, 0), report(3, 0), report(0, 2)]);
        assert_eq!(history.entries().count(), 2);
    }
}
