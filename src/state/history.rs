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
            Self::Repaired { sequence, .. } | Self::Failing { sequence, .. } => Some(sequence),
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

    /// Adds what a pass repaired, and the sequences whose inserts fail since then.
    pub fn record_pass(&mut self, at: f64, report: &DatabaseReport, failing: &[&SequenceReport]) {
        for sequence in failing {
            let action = HistoryEvent::Failing {
                sequence: sequence.name.clone(),
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
                sequence: sequence.name.clone(),
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
mod tests {
    use crate::state::history::*;

    fn ended(number: u64) -> HistoryEvent {
        HistoryEvent::Ended { store: "logins".to_owned(), sweeps: 1, expired: number, superseded: 0 }
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
    fn what_an_earlier_run_repaired_goes_before_all_that_is_known() {
        let mut history = History::default();
        history.add(50.0, "app", ended(1));
        let repair = |at| EarlierRepair { sequence: "s".to_owned(), at, cause: None, from: None, to: None, who: None };
        history.add_earlier("app", [40.0, 30.0].map(repair).into());
        assert_eq!(history.entries().map(|entry| entry.at).collect::<Vec<_>>(), [50.0, 40.0, 30.0]);
        history.add_earlier("app", (0..CAPACITY).map(|n| repair(n as f64)).collect());
        assert_eq!((history.entries().count(), history.dropped()), (CAPACITY, 3));
    }

    #[test]
    fn a_sweep_that_ended_nothing_is_no_entry() {
        let mut history = History::default();
        let report = |expired, superseded| SessionReport { expired, superseded, ..Default::default() };
        history.record_sweep(0.0, "app", &[report(0, 0)]);
        assert_eq!(history.entries().count(), 0);
    }

    #[test]
    fn the_sweeps_of_a_store_in_one_hour_are_one_entry() {
        let mut history = History::default();
        let report = |expired, superseded| SessionReport { expired, superseded, ..Default::default() };
        for (at, database) in [(3600.0, "app"), (3700.0, "app"), (3700.0, "shop"), (7200.0, "app")] {
            history.record_sweep(at, database, &[report(3, 1)]);
        }
        let entries: Vec<_> = history.entries().cloned().collect();
        assert_eq!(entries.len(), 3);
        let sum = HistoryEvent::Ended { store: String::new(), sweeps: 2, expired: 6, superseded: 2 };
        assert_eq!((&entries[2].action, entries[2].at), (&sum, 3700.0));
    }
}
