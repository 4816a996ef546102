//! The counters, as plain numbers: a database costs a few hundred bytes. Which series exist follows from them.

use super::exposition::FamilyText;
use crate::report::{Cause, DatabaseLabel, Outcome, SessionReport};
use pgmedic_core::sequence::Method;
use prometheus::{Histogram, HistogramOpts, HistogramVec};
use std::collections::BTreeMap;

/// The pass over sequences, as a label.
pub const SEQUENCES: &str = "sequences";
/// The pass over session stores, as a label.
pub const SESSIONS: &str = "sessions";

/// A repair that was held before a method was chosen has no method.
const METHODS: [Option<Method>; 3] = [Some(Method::Advance), Some(Method::Leap), None];
const OUTCOMES: [Outcome; 4] = [Outcome::Repaired, Outcome::Skipped, Outcome::Held, Outcome::Failed];
const CAUSES: [Cause; 3] = [Cause::Rewound, Cause::IdsInserted, Cause::Unknown];
const INLINE_OUTCOMES: [&str; 2] = ["repaired", "held"];
const SKIPPED: [&str; 2] = ["running", "standby"];
const WEBHOOK_OUTCOMES: [&str; 2] = ["sent", "failed"];

/// From a hundredth of a second to a minute.
const PASS_BUCKETS: [f64; 9] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0];
/// From a third of a millisecond to ten seconds.
const REPAIR_BUCKETS: [f64; 9] = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0];

/// All counters and histograms.
#[derive(Debug, Clone)]
pub struct Counters {
    /// By the whole names of the databases.
    databases: BTreeMap<String, DatabaseCounters>,
    /// By pass.
    pub pass_durations: HistogramVec,
    /// By method.
    pub repair_durations: HistogramVec,
    webhook: [u64; 2],
}

/// The counters of one database.
#[derive(Debug, Clone, Default)]
pub struct DatabaseCounters {
    pub label: DatabaseLabel,
    pub sequences: Option<PassCounters>,
    pub sessions: Option<PassCounters>,
    /// By cause.
    drift: [u64; 3],
    /// By method, outcome and cause.
    repairs: [[[u64; 3]; 4]; 3],
    /// By outcome.
    inline: [u64; 2],
    pub stores: BTreeMap<String, StoreCounters>,
}

/// The passes of one kind over a database.
#[derive(Debug, Clone, Copy, Default)]
pub struct PassCounters {
    pub runs: u64,
    pub failures: u64,
    /// By reason.
    skipped: [u64; 2],
}

/// The sessions of one store that were ended.
#[derive(Debug, Clone, Copy, Default)]
pub struct StoreCounters {
    pub expired: u64,
    pub superseded: u64,
}

impl Counters {
    /// # Errors
    ///
    /// When the bounds of a histogram do not increase: never, or at every start.
    pub fn new() -> Result<Self, prometheus::Error> {
        let histograms = |label: &str, bounds: &[f64]| {
            HistogramVec::new(HistogramOpts::new("seconds", "How long it took.").buckets(bounds.to_vec()), &[label])
        };
        Ok(Self {
            databases: BTreeMap::new(),
            pass_durations: histograms("pass", &PASS_BUCKETS)?,
            repair_durations: histograms("method", &REPAIR_BUCKETS)?,
            webhook: [0; 2],
        })
    }

    /// The counters of a database, which begin at zero.
    pub fn of(&mut self, database: &str) -> &mut DatabaseCounters {
        let fresh = || DatabaseCounters { label: database.into(), ..DatabaseCounters::default() };
        self.databases.entry(database.to_owned()).or_insert_with(fresh)
    }

    pub fn databases(&self) -> impl Iterator<Item = &DatabaseCounters> {
        self.databases.values()
    }

    /// Keeps the databases of which this says so.
    pub fn retain(&mut self, mut stays: impl FnMut(&str, &mut DatabaseCounters) -> bool) {
        self.databases.retain(|name, counters| stays(name, counters));
    }

    pub fn pass_duration(&self, pass: &str) -> Histogram {
        self.pass_durations.with_label_values(&[pass])
    }

    pub fn repair_duration(&self, method: Option<Method>) -> Histogram {
        self.repair_durations.with_label_values(&[method_word(method)])
    }

    pub fn count_webhook(&mut self, sent: bool) {
        let [yes, no] = &mut self.webhook;
        *(if sent { yes } else { no }) += 1;
    }

    pub fn write_webhook(&self, family: &mut FamilyText) {
        for (outcome, count) in WEBHOOK_OUTCOMES.iter().zip(self.webhook) {
            family.add(&[("outcome", outcome)], count as f64);
        }
    }
}

impl DatabaseCounters {
    /// The counters of a kind of pass, whose series exist from now on.
    pub fn pass(&mut self, pass: &str) -> &mut PassCounters {
        let place = if pass == SESSIONS { &mut self.sessions } else { &mut self.sequences };
        place.get_or_insert_default()
    }

    /// The kinds of passes that there are, as the label calls them.
    fn passes(&self) -> impl Iterator<Item = (&'static str, PassCounters)> {
        let sequences = self.sequences.map(|counters| (SEQUENCES, counters));
        sequences.into_iter().chain(self.sessions.map(|counters| (SESSIONS, counters)))
    }

    pub fn count_drift(&mut self, cause: Cause) {
        add(&mut self.drift, place(&CAUSES, &cause), 1);
    }

    pub fn count_repair(&mut self, method: Option<Method>, outcome: Outcome, cause: Cause) {
        let by_outcome = self.repairs.get_mut(place(&METHODS, &method));
        if let Some(by_cause) = by_outcome.and_then(|by_outcome| by_outcome.get_mut(place(&OUTCOMES, &outcome))) {
            add(by_cause, place(&CAUSES, &cause), 1);
        }
    }

    pub fn count_inline(&mut self, outcome: &str, repairs: u64) {
        add(&mut self.inline, place(&INLINE_OUTCOMES, &outcome), repairs);
    }

    pub fn count_store(&mut self, report: &SessionReport) {
        let store = self.store(&report.name);
        store.expired += report.expired;
        store.superseded += report.superseded;
    }

    pub fn store(&mut self, name: &str) -> &mut StoreCounters {
        self.stores.entry(name.to_owned()).or_default()
    }

    pub fn write_drift(&self, family: &mut FamilyText) {
        for (cause, count) in CAUSES.iter().zip(self.drift) {
            family.add_of(&self.label, &[("cause", cause.word())], count as f64);
        }
    }

    /// Of one of many databases, only what there was, and what nearly all repairs are.
    pub fn write_repairs(&self, family: &mut FamilyText) {
        for (method, by_outcome) in METHODS.into_iter().zip(&self.repairs) {
            for (outcome, by_cause) in OUTCOMES.into_iter().zip(by_outcome) {
                let is_expected = match (self.label.server(), method) {
                    (Some(_), _) => (method, outcome) == (Some(Method::Advance), Outcome::Repaired),
                    (None, Some(_)) => true,
                    (None, None) => outcome == Outcome::Held,
                };
                for (cause, count) in CAUSES.iter().zip(by_cause) {
                    if *count > 0 || is_expected {
                        let labels =
                            [("method", method_word(method)), ("outcome", outcome.word()), ("cause", cause.word())];
                        family.add_of(&self.label, &labels, *count as f64);
                    }
                }
            }
        }
    }

    pub fn write_inline(&self, family: &mut FamilyText) {
        for (outcome, count) in INLINE_OUTCOMES.iter().zip(self.inline) {
            family.add_of(&self.label, &[("outcome", outcome)], count as f64);
        }
    }

    pub fn write_passes(&self, family: &mut FamilyText, of: fn(&PassCounters) -> u64) {
        for (pass, counters) in self.passes() {
            family.add_of(&self.label, &[("pass", pass)], of(&counters) as f64);
        }
    }

    pub fn write_skipped(&self, family: &mut FamilyText) {
        for (pass, counters) in self.passes() {
            for (reason, count) in SKIPPED.iter().zip(counters.skipped) {
                family.add_of(&self.label, &[("pass", pass), ("reason", reason)], count as f64);
            }
        }
    }
}

impl PassCounters {
    pub fn count_skipped(&mut self, reason: &str) {
        add(&mut self.skipped, place(&SKIPPED, &reason), 1);
    }
}

fn method_word(method: Option<Method>) -> &'static str {
    method.map_or("none", Method::word)
}

fn place<T: PartialEq>(all: &[T], one: &T) -> usize {
    all.iter().position(|known| known == one).unwrap_or(all.len())
}

fn add(counts: &mut [u64], place: usize, number: u64) {
    if let Some(count) = counts.get_mut(place) {
        *count += number;
    }
}
