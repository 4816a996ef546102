//! Which series exist: those of every configured database and session store, from zero, until it is configured no more.

use super::{Metrics, NO_METHOD, SEQUENCES, SESSIONS};
use crate::report::DatabaseLabel;
use crate::state::Configured;
use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use std::collections::HashMap;

const METHODS: [&str; 2] = ["advance", "leap"];
const OUTCOMES: [&str; 4] = ["repaired", "skipped", "held", "failed"];
/// The method and the outcome of nearly all repairs.
const COMMON: (&str, &str) = ("advance", "repaired");
const CAUSES: [&str; 3] = ["rewound", "ids_inserted", "unknown"];
const INLINE_OUTCOMES: [&str; 2] = ["repaired", "held"];
const SKIPPED: [&str; 2] = ["running", "standby"];

impl Metrics {
    /// Makes the series of a database exist from zero. Of a discovered one, which may be one of a thousand, only those of what
    /// is common.
    pub fn init_database(&self, label: &DatabaseLabel) {
        let database = label.as_str();
        let is_one_of_many = label.server().is_some();
        if is_one_of_many {
            self.discovered().insert(label.to_string(), label.clone());
        }
        self.init_pass(database, SEQUENCES);
        for cause in CAUSES {
            self.drift.with_label_values(&[database, cause]);
            for (method, outcome) in METHODS.iter().flat_map(|method| OUTCOMES.map(|outcome| (*method, outcome))) {
                if !is_one_of_many || (method, outcome) == COMMON {
                    self.repairs.with_label_values(&[database, method, outcome, cause]);
                }
            }
            if !is_one_of_many {
                // Held before a method was chosen.
                self.repairs.with_label_values(&[database, NO_METHOD, "held", cause]);
            }
        }
        for method in METHODS {
            self.repair_duration.with_label_values(&[method]);
        }
        for outcome in INLINE_OUTCOMES {
            self.inline.with_label_values(&[database, outcome]);
        }
    }

    /// Makes the series of a database's session stores exist from zero.
    pub fn init_stores<'a>(&self, database: &str, stores: impl Iterator<Item = &'a str>) {
        self.init_pass(database, SESSIONS);
        stores.for_each(|store| self.stores.init_store(database, store));
    }

    /// Removes the series of databases and session stores that are not `configured` any more.
    pub fn retain(&self, configured: &Configured<'_>) {
        self.remove_series(|labels| {
            let stores = labels.get("database").and_then(|database| configured.get(database));
            stores.is_some_and(|stores| {
                labels.get("store").is_none_or(|store| stores.contains(store))
                    && (labels.get("pass") != Some(&SESSIONS) || !stores.is_empty())
            })
        });
        self.drifting().retain(|database, _| configured.contains_key(database.as_str()));
        self.discovered().retain(|database, _| configured.contains_key(database.as_str()));
    }

    /// Removes the series of a database.
    pub fn forget(&self, gone: &str) {
        self.remove_series(|labels| labels.get("database") != Some(&gone));
        self.drifting().remove(gone);
        self.discovered().remove(gone);
    }

    /// Removes the series whose labels are not to stay.
    fn remove_series(&self, stays: impl Fn(&HashMap<&str, &str>) -> bool) {
        let passes = [&self.runs, &self.failures, &self.skipped];
        let repairs = [&self.repairs, &self.drift, &self.inline];
        for counter in passes.into_iter().chain(repairs).chain(self.stores.all()) {
            for metric in counter.collect().iter().flat_map(MetricFamily::get_metric) {
                let labels: HashMap<&str, &str> =
                    metric.get_label().iter().map(|label| (label.name(), label.value())).collect();
                if !stays(&labels) {
                    // It existed a moment ago.
                    let _ = counter.remove(&labels);
                }
            }
        }
    }

    fn init_pass(&self, database: &str, pass: &str) {
        self.runs.with_label_values(&[database, pass]);
        self.failures.with_label_values(&[database, pass]);
        for reason in SKIPPED {
            self.skipped.with_label_values(&[database, pass, reason]);
        }
        self.duration.with_label_values(&[pass]);
    }
}
