//! What was repaired and ended since the agent started, as far as there is room.

use crate::report::{Cause, DatabaseReport, Outcome, SessionReport};
use pgmedic_core::sequence::Method;
use std::collections::VecDeque;

/// More than a page shows well. Some hundred bytes each.
const CAPACITY: usize = 100;

/// One thing that was done.
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
    /// By the login path, as `pgmedic.repair_log` tells.
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

/// The last of them, and how many there were.
#[derive(Debug, Clone, Default)]
pub struct History {
    entries: VecDeque<HistoryEntry>,
    earlier: u64,
}

impl History {
    /// Newest first.
    pub fn entries(&self) -> impl Iterator<Item = &HistoryEntry> {
        self.entries.iter().rev()
    }

    /// How many more there were before those that are kept.
    pub fn dropped(&self) -> u64 {
        self.earlier
    }

    pub fn add(&mut self, at: f64, database: &str, action: HistoryEvent) {
        if self.entries.len() == CAPACITY {
            self.entries.pop_front();
            self.earlier += 1;
        }
        self.entries.push_back(HistoryEntry { at, database: database.to_owned(), action });
    }

    /// What a pass repaired.
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

    /// What a sweep ended.
    pub fn record_sweep(&mut self, at: f64, database: &str, reports: &[SessionReport]) {
        for report in reports.iter().filter(|report| report.expired + report.superseded > 0) {
            let (expired, superseded) = (report.expired, report.superseded);
            self.add(at, database, HistoryEvent::Ended { store: report.name.clone(), expired, superseded });
        }
    }

    /// Forgets databases that are not looked after any more.
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
        let mut timeline = History::default();
        for number in 1..=CAPACITY as u64 + 7 {
            timeline.add(0.0, "app", ended(number));
        }
        let kept: Vec<&HistoryEvent> = timeline.entries().map(|entry| &entry.action).collect();
        assert_eq!((kept.len(), kept[0], kept[CAPACITY - 1]), (CAPACITY, &ended(CAPACITY as u64 + 7), &ended(8)));
        assert_eq!(timeline.dropped(), 7);
    }

    #[test]
    fn a_sweep_that_ended_nothing_is_no_news() {
        let mut timeline = History::default();
        let report = |expired, superseded| SessionReport { expired, superseded, ..Default::default() };
        timeline.record_sweep(0.0, "app", &[report(0, 0), report(3, 0), report(0, 2)]);
        assert_eq!(timeline.entries().count(), 2);
    }
}
