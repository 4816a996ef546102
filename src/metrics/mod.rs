//! Prometheus metrics of the agent, in a registry of their own: counters that move, and gauges made from the last
//! reports whenever they are asked for, so that what is gone from the reports is gone from the metrics.

mod board;
mod gauges;

pub use board::{Board, Station};

use crate::report::{DatabaseReport, Outcome, SequenceReport, Verdict};
use gauges::Gauges;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, TextEncoder};
use std::collections::HashSet;
use std::sync::Arc;

/// The one pass that there is so far; the label tells passes apart.
pub const SEQUENCES: &str = "sequences";

const METHODS: [&str; 2] = ["advance", "leap"];
const NO_METHOD: &str = "none";
const OUTCOMES: [&str; 4] = ["repaired", "skipped", "held", "failed"];
const CAUSES: [&str; 3] = ["rewound", "ids_inserted", "unknown"];
const SKIPPED: [&str; 2] = ["running", "standby"];

/// From a hundredth of a second to a minute.
const PASS_BUCKETS: [f64; 9] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0];
/// From a third of a millisecond to ten seconds.
const REPAIR_BUCKETS: [f64; 9] = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0];

/// Everything that the agent counts.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    board: Arc<Board>,
    runs: IntCounterVec,
    failures: IntCounterVec,
    skipped: IntCounterVec,
    duration: HistogramVec,
    repairs: IntCounterVec,
    drift: IntCounterVec,
    repair_duration: HistogramVec,
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
        let board = Arc::new(Board::default());
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
                "Repairs of sequences that were behind, by what came of them.",
                &["database", "method", "outcome"],
            )?,
            drift: counter("drift_detected_total", "Sequences found behind, by why.", &["database", "cause"])?,
            repair_duration: histogram(
                "repair_duration_seconds",
                "How long a repair took.",
                "method",
                &REPAIR_BUCKETS,
            )?,
            board: Arc::clone(&board),
            registry: registry.clone(),
        };
        registry.register(Box::new(Gauges::new(board, dry_run)?))?;
        Ok(metrics)
    }

    /// What the gauges are made from.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// Makes the series of a database exist from zero.
    pub fn expect(&self, database: &str) {
        self.runs.with_label_values(&[database, SEQUENCES]);
        self.failures.with_label_values(&[database, SEQUENCES]);
        for reason in SKIPPED {
            self.skipped.with_label_values(&[database, SEQUENCES, reason]);
        }
        for (method, outcome) in METHODS.iter().flat_map(|method| OUTCOMES.map(|outcome| (*method, outcome))) {
            self.repairs.with_label_values(&[database, method, outcome]);
        }
        // Held before a method was chosen.
        self.repairs.with_label_values(&[database, NO_METHOD, "held"]);
        for cause in CAUSES {
            self.drift.with_label_values(&[database, cause]);
        }
        self.duration.with_label_values(&[SEQUENCES]);
        for method in METHODS {
            self.repair_duration.with_label_values(&[method]);
        }
    }

    /// Counts a finished pass.
    pub fn count(&self, report: &DatabaseReport) {
        let database = report.name.as_str();
        self.runs.with_label_values(&[database, SEQUENCES]).inc();
        self.duration.with_label_values(&[SEQUENCES]).observe(report.duration_seconds);
        if report.error.is_some() {
            self.failures.with_label_values(&[database, SEQUENCES]).inc();
        }
        let before = self.board.stations().remove(database).and_then(|station| station.report);
        let lasting: HashSet<&str> = before
            .iter()
            .flat_map(|before| &before.sequences)
            .filter(|sequence| sequence.verdict == Verdict::Behind && sequence.needs_attention())
            .map(|sequence| sequence.name.as_str())
            .collect();
        for sequence in &report.sequences {
            self.count_repair(database, sequence, lasting.contains(sequence.name.as_str()));
        }
    }

    /// Counts a pass that ended without a report.
    pub fn count_panic(&self, database: &str) {
        self.runs.with_label_values(&[database, SEQUENCES]).inc();
        self.failures.with_label_values(&[database, SEQUENCES]).inc();
    }

    /// Counts a pass that was due and not made, because one is `running` or this agent stands by.
    pub fn count_skipped(&self, database: &str, reason: &str) {
        self.skipped.with_label_values(&[database, SEQUENCES, reason]).inc();
    }

    /// Drift that was `lasting` already is no new drift.
    fn count_repair(&self, database: &str, sequence: &SequenceReport, lasting: bool) {
        if let Some(cause) = sequence.cause.filter(|_| !lasting) {
            self.drift.with_label_values(&[database, cause.word()]).inc();
        }
        let Some(repair) = &sequence.repair else { return };
        let method = repair.method.map_or(NO_METHOD, crate::report::Method::word);
        self.repairs.with_label_values(&[database, method, repair.outcome.word()]).inc();
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
fn process() -> Vec<prometheus::proto::MetricFamily> {
    use prometheus::core::Collector;
    prometheus::process_collector::ProcessCollector::for_self().collect()
}

#[cfg(not(target_os = "linux"))]
fn process() -> Vec<prometheus::proto::MetricFamily> {
    Vec::new()
}
