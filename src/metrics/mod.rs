//! Prometheus metrics of the agent, in a registry of their own: counters that move, and gauges made from the last
//! reports whenever they are asked for, so that what is gone from the reports is gone from the metrics.

mod gauges;
mod session_stores;

use crate::report::{Cause, DatabaseReport, Outcome, SequenceReport, SessionReport, Verdict};
use crate::state::{AgentState, Configured};
use gauges::Gauges;
use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, TextEncoder};
use session_stores::StoreCounters;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// The pass over sequences, as a label.
pub const SEQUENCES: &str = "sequences";
/// The pass over session stores, as a label.
pub const SESSIONS: &str = "sessions";

const METHODS: [&str; 2] = ["advance", "leap"];
const NO_METHOD: &str = "none";
const OUTCOMES: [&str; 4] = ["repaired", "skipped", "held", "failed"];
const CAUSES: [&str; 3] = ["rewound", "ids_inserted", "unknown"];
const INLINE_OUTCOMES: [&str; 2] = ["repaired", "held"];
const SKIPPED: [&str; 2] = ["running", "standby"];

/// From a hundredth of a second to a minute.
const PASS_BUCKETS: [f64; 9] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0];
/// From a third of a millisecond to ten seconds.
const REPAIR_BUCKETS: [f64; 9] = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0];

/// Everything that the agent counts.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    board: Arc<AgentState>,
    dry_run: bool,
    runs: IntCounterVec,
    failures: IntCounterVec,
    skipped: IntCounterVec,
    duration: HistogramVec,
    repairs: IntCounterVec,
    drift: IntCounterVec,
    repair_duration: HistogramVec,
    inline: IntCounterVec,
    stores: StoreCounters,
    /// Sequences, by database, whose drift was counted and lasts.
    drifting: Mutex<HashMap<String, HashSet<String>>>,
}

impl Metrics {
    /// # Errors
    ///
    /// When a metric is named twice or wrongly: never, or at every start.
    pub fn new(dry_run: bool) -> Result<Self, prometheus::Error> {
        let registry = Registry::new_custom(Some("pgmedic".to_owned()), None)?;
        let counter = |name: &str, help: &str, labels: &[&str]| -> Result<IntCounterVec, prometheus::Error> {
            let counter = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let histogram =
            |name: &str, help: &str, label: &str, buckets: &[f64]| -> Result<HistogramVec, prometheus::Error> {
                let histogram = HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), &[label])?;
                registry.register(Box::new(histogram.clone()))?;
                Ok(histogram)
            };
        let board = Arc::new(AgentState::default());
        let metrics = Self {
            runs: counter("pass_runs_total", "Passes that were made.", &["database", "pass"])?,
            failures: counter("pass_failures_total", "Passes that could not be completed.", &["database", "pass"])?,
            skipped: counter(
                "pass_skipped_total",
                "Passes that were due and not made.",
                &["database", "pass", "reason"],
            )?,
            duration: histogram("pass_duration_seconds", "How long a pass took.", "pass", &PASS_BUCKETS)?,
            repairs: counter(
                "repairs_total",
                "Repairs of sequences that were behind, by method, outcome and why they were behind.",
                &["database", "method", "outcome", "cause"],
            )?,
            drift: counter("drift_detected_total", "Sequences found behind, by why.", &["database", "cause"])?,
            repair_duration: histogram(
                "repair_duration_seconds",
                "How long a repair took.",
                "method",
                &REPAIR_BUCKETS,
            )?,
            inline: counter(
                "inline_repairs_total",
                "Repairs by the login path, where pgmedic.repair_log tells of them.",
                &["database", "outcome"],
            )?,
            stores: StoreCounters::new(&registry)?,
            drifting: Mutex::default(),
            board: Arc::clone(&board),
            dry_run,
            registry: registry.clone(),
        };
        registry.register(Box::new(Gauges::new(board, dry_run)?))?;
        Ok(metrics)
    }

    /// What the gauges are made from.
    pub fn board(&self) -> &AgentState {
        &self.board
    }

    /// Whether nothing is ever changed.
    pub fn dry_run(&self) -> bool {
        self.dry_run
    }

    /// Makes the series of a database exist from zero.
    pub fn init_database(&self, database: &str) {
        self.init_pass(database, SEQUENCES);
        for cause in CAUSES {
            self.drift.with_label_values(&[database, cause]);
            for (method, outcome) in METHODS.iter().flat_map(|method| OUTCOMES.map(|outcome| (*method, outcome))) {
                self.repairs.with_label_values(&[database, method, outcome, cause]);
            }
            // Held before a method was chosen.
            self.repairs.with_label_values(&[database, NO_METHOD, "held", cause]);
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

    /// Forgets what is not `configured` any more: databases, and their session stores.
    pub fn retain(&self, configured: &Configured<'_>) {
        self.board.retain(configured);
        let passes = [&self.runs, &self.failures, &self.skipped];
        let repairs = [&self.repairs, &self.drift, &self.inline];
        for counter in passes.into_iter().chain(repairs).chain(self.stores.all()) {
            for metric in counter.collect().iter().flat_map(MetricFamily::get_metric) {
                let labels: HashMap<&str, &str> =
                    metric.get_label().iter().map(|label| (label.name(), label.value())).collect();
                let stores = labels.get("database").and_then(|database| configured.get(database));
                let stays = stores.is_some_and(|stores| {
                    labels.get("store").is_none_or(|store| stores.contains(store))
                        && (labels.get("pass") != Some(&SESSIONS) || !stores.is_empty())
                });
                if !stays {
                    // It was there a moment ago.
                    let _ = counter.remove(&labels);
                }
            }
        }
        let mut drifting = self.drifting.lock().unwrap_or_else(PoisonError::into_inner);
        drifting.retain(|database, _| configured.contains_key(database.as_str()));
    }

    fn init_pass(&self, database: &str, pass: &str) {
        self.runs.with_label_values(&[database, pass]);
        self.failures.with_label_values(&[database, pass]);
        for reason in SKIPPED {
            self.skipped.with_label_values(&[database, pass, reason]);
        }
        self.duration.with_label_values(&[pass]);
    }

    /// Counts a finished pass.
    pub fn count(&self, report: &DatabaseReport) {
        let database = report.name.as_str();
        self.count_pass(database, SEQUENCES, report.error.is_some());
        self.duration.with_label_values(&[SEQUENCES]).observe(report.duration_seconds);
        let mut drifting = self.drifting.lock().unwrap_or_else(PoisonError::into_inner);
        let before = drifting.entry(database.to_owned()).or_default();
        for sequence in &report.sequences {
            self.count_repair(database, sequence, before.contains(&sequence.name));
        }
        // A pass that was not completed does not tell what is over.
        if report.error.is_none() {
            before.clear();
        }
        let left = |sequence: &&Arc<SequenceReport>| sequence.verdict == Verdict::Behind && sequence.needs_attention();
        before.extend(report.sequences.iter().filter(left).map(|sequence| sequence.name.clone()));
    }

    /// Counts a pass that ended without a report.
    pub fn count_panic(&self, database: &str) {
        self.count_pass(database, SEQUENCES, true);
    }

    /// Counts a finished sweep of some of a database's stores.
    pub fn count_sweep(&self, database: &str, reports: &[SessionReport], seconds: f64) {
        self.count_pass(database, SESSIONS, reports.iter().any(|report| report.error.is_some()));
        self.duration.with_label_values(&[SESSIONS]).observe(seconds);
        reports.iter().for_each(|report| self.stores.count(database, report));
    }

    /// Counts repairs that the login path made by itself.
    pub fn count_inline(&self, database: &str, outcome: &'static str, repairs: u64) {
        self.board.record_inline_repairs(database, outcome, repairs);
        self.inline.with_label_values(&[database, outcome]).inc_by(repairs);
    }

    fn count_pass(&self, database: &str, pass: &str, failed: bool) {
        self.runs.with_label_values(&[database, pass]).inc();
        if failed {
            self.failures.with_label_values(&[database, pass]).inc();
        }
    }

    /// Counts a pass that was due and not made, because one is `running` or this agent is standby.
    pub fn count_skipped(&self, database: &str, pass: &str, reason: &str) {
        self.skipped.with_label_values(&[database, pass, reason]).inc();
    }

    /// Drift that was `lasting` already is no new drift.
    fn count_repair(&self, database: &str, sequence: &SequenceReport, lasting: bool) {
        if let Some(cause) = sequence.cause.filter(|_| !lasting) {
            self.drift.with_label_values(&[database, cause.word()]).inc();
        }
        let Some(repair) = &sequence.repair else { return };
        let method = repair.method.map_or(NO_METHOD, pgmedic_core::sequence::Method::word);
        let cause = sequence.cause.unwrap_or(Cause::Unknown).word();
        self.repairs.with_label_values(&[database, method, repair.outcome.word(), cause]).inc();
        if matches!(repair.outcome, Outcome::Repaired | Outcome::Failed) {
            self.repair_duration.with_label_values(&[method]).observe(repair.duration_seconds);
        }
    }

    /// The text format, version 0.0.4 (prometheus.io, Exposition formats).
    ///
    /// # Errors
    ///
    /// When a collector's families contradict each other.
    pub fn render(&self) -> Result<String, prometheus::Error> {
        let mut families = self.registry.gather();
        families.extend(process());
        TextEncoder::new().encode_to_string(&families)
    }
}

/// `process_*`, under their standard names: without our prefix.
#[cfg(target_os = "linux")]
fn process() -> Vec<MetricFamily> {
    prometheus::process_collector::ProcessCollector::for_self().collect()
}

#[cfg(not(target_os = "linux"))]
fn process() -> Vec<MetricFamily> {
    Vec::new()
}
