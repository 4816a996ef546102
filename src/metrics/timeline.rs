//! What was mended and ended since the agent started, as far as there is room.

use crate::report::{Cause, DatabaseReport, Method, Outcome, SessionReport};
use std::collections::VecDeque;

/// More than a page shows well. Some hundred bytes each.
const KEPT: usize = 100;

/// One thing that was done.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// In seconds since 1970.
    pub at: f64,
    pub database: String,
    pub deed: Deed,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    Repaired {
        sequence: String,
        method: Option<Method>,
        cause: Option<Cause>,
        gap: Option<u128>,
        from: Option<i64>,
        to: Option<i64>,
    },
    /// By the login path, as `pgmedic.events` tells.
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
pub struct Timeline {
    entries: VecDeque<Entry>,
    earlier: u64,
}

impl Timeline {
    /// Newest first.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().rev()
    }

    /// How many more there were before those that are kept.
    pub fn earlier(&self) -> u64 {
        self.earlier
    }

    pub fn add(&mut self, at: f64, database: &str, deed: Deed) {
        if self.entries.len() == KEPT {
            self.entries.pop_front();
            self.earlier += 1;
        }
        self.entries.push_back(Entry { at, database: database.to_owned(), deed });
    }

    /// What a pass repaired.
    pub fn note(&mut self, at: f64, report: &DatabaseReport) {
        for sequence in &report.sequences {
            let Some(repair) = sequence.repair.as_ref().filter(|repair| repair.outcome == Outcome::Repaired) else {
                continue;
            };
            let deed = Deed::Repaired {
                sequence: sequence.name.clone(),
                method: repair.method,
                cause: sequence.cause,
                gap: sequence.gap,
                from: sequence.next_value,
                to: repair.next_value,
            };
            self.add(at, &report.name, deed);
        }
    }

    /// What a sweep ended.
    pub fn note_sweep(&mut self, at: f64, database: &str, reports: &[SessionReport]) {
        for report in reports.iter().filter(|report| report.expired + report.superseded > 0) {
            let (expired, superseded) = (report.expired, report.superseded);
            self.add(at, database, Deed::Ended { store: report.name.clone(), expired, superseded });
        }
    }

    /// Forgets databases that are not looked after any more.
    pub fn retain(&mut self, configured: impl Fn(&str) -> bool) {
        self.entries.retain(|entry| configured(&entry.database));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(number: u64) -> Deed {
        Deed::Ended { store: "logins".to_owned(), expired: number, superseded: 0 }
    }

    #[test]
    fn the_newest_are_kept_and_the_others_counted() {
        let mut timeline = Timeline::default();
        for number in 1..=KEPT as u64 + 7 {
            timeline.add(0.0, "app", ended(number));
        }
        let kept: Vec<&Deed> = timeline.entries().map(|entry| &entry.deed).collect();
        assert_eq!((kept.len(), kept[0], kept[KEPT - 1]), (KEPT, &ended(KEPT as u64 + 7), &ended(8)));
        assert_eq!(timeline.earlier(), 7);
    }

    #[test]
    fn a_sweep_that_ended_nothing_is_no_news() {
        let mut timeline = Timeline::default();
        let report = |expired, superseded| SessionReport { expired, superseded, ..Default::default() };
        timeline.note_sweep(0.0, "app", &[report(0, 0), report(3, 0), report(0, 2)]);
        assert_eq!(timeline.entries().count(), 2);
    }
}
