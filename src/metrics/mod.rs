//! Prometheus metrics of the agent.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | counters and histograms, which the agent's publisher moves |
//! | `series.rs` | which series of the counters exist |
//! | `gauges.rs` | gauges, computed from `crate::state` at each scrape: what is gone from the state is gone from the metrics |
//! | `session_stores.rs` | the counters and gauges of session stores |
//! | `servers.rs` | the label `server` of databases that were discovered |
//! | `textfile.rs` | the gauges of one run, for node_exporter |

mod gauges;
mod series;
mod servers;
mod session_stores;
mod textfile;

pub use textfile::{replace as replace_textfile, textfile};

use crate::report::{Cause, DatabaseLabel, DatabaseReport, Outcome, SequenceReport, SessionReport};
use crate::state::AgentState;
use gauges::Gauges;
use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, TextEncoder};
use session_stores::StoreCounters;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The pass over sequences, as a label.
pub const SEQUENCES: &str = "sequences";
/// The pass over session stores, as a label.
pub const SESSIONS: &str = "sessions";

const NO_METHOD: &str = "none";
const WEBHOOK_OUTCOMES: [&str; 2] = ["sent", "failed"];

/// From a hundredth of a second to a minute.
const PASS_BUCKETS: [f64; 9] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0];
/// From a third of a millisecond to ten seconds.
const REPAIR_BUCKETS: [f64; 9] = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0];

/// The registry, and the counters in it.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    runs: IntCounterVec,
    failures: IntCounterVec,
    skipped: IntCounterVec,
    duration: HistogramVec,
    repairs: IntCounterVec,
    drift: IntCounterVec,
    repair_duration: HistogramVec,
    inline: IntCounterVec,
    webhook: IntCounterVec,
    stores: StoreCounters,
    /// Sequences, by database, whose drift was counted and still lasts.
    drifting: Mutex<HashMap<String, HashSet<String>>>,
    /// Databases that were discovered on a server: their series get a label with its name.
    discovered: Mutex<HashMap<String, DatabaseLabel>>,
}

impl Metrics {
    /// # Errors
    ///
    /// When a metric is named twice or wrongly: never, or at every start.
    pub fn new(state: &Arc<AgentState>) -> Result<Self, prometheus::Error> {
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
        let metrics = Self {
            runs: counter("pass_runs_total", "Passes made.", &["database", "pass"])?,
            failures: counter("pass_failures_total", "Passes that were not completed.", &["database", "pass"])?,
            skipped: counter(
                "pass_skipped_total",
                "Passes that were due and not made.",
                &["database", "pass", "reason"],
            )?,
            duration: histogram("pass_duration_seconds", "How long a pass took.", "pass", &PASS_BUCKETS)?,
            repairs: counter(
                "repairs_total",
                "Repairs of sequences that were behind.",
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
                "Repairs by the login path, from pgmedic.repair_log where it is installed.",
                &["database", "outcome"],
            )?,
            webhook: counter(
                "webhook_posts_total",
                "Posts to the webhook, by outcome: sent, or failed after every retry.",
                &["outcome"],
            )?,
            stores: StoreCounters::new(&registry)?,
            drifting: Mutex::default(),
            discovered: Mutex::default(),
            registry: registry.clone(),
        };
        registry.register(Box::new(Gauges::new(Arc::clone(state))?))?;
        for outcome in WEBHOOK_OUTCOMES {
            metrics.webhook.with_label_values(&[outcome]);
        }
        Ok(metrics)
    }

    fn drifting(&self) -> MutexGuard<'_, HashMap<String, HashSet<String>>> {
        self.drifting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn discovered(&self) -> MutexGuard<'_, HashMap<String, DatabaseLabel>> {
        self.discovered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a finished pass.
    pub fn count(&self, report: &DatabaseReport) {
        let database = report.name.as_str();
        self.count_pass(database, SEQUENCES, report.error.is_some());
        self.duration.with_label_values(&[SEQUENCES]).observe(report.duration_seconds);
        let mut drifting = self.drifting();
        let before = drifting.entry(database.to_owned()).or_default();
        for sequence in &report.sequences {
            self.count_repair(database, sequence, before.contains(&sequence.name));
        }
        // A pass that was not completed does not show which drift is over.
        if report.error.is_none() {
            before.clear();
        }
        // Of any verdict: one that was set back and is in sync, or that a rule says to leave, is drift that lasts too.
        let lasting = |sequence: &&Arc<SequenceReport>| {
            sequence.cause.is_some() && (sequence.outcome() != Some(Outcome::Repaired) || sequence.held_by().is_some())
        };
        before.extend(report.sequences.iter().filter(lasting).map(|sequence| sequence.name.clone()));
    }

    /// Counts a pass that ended without a report.
    pub fn count_failed_pass(&self, database: &str) {
        self.count_pass(database, SEQUENCES, true);
    }

    /// Counts a pass that had nothing to look at.
    pub fn count_unchanged(&self, database: &str) {
        self.count_pass(database, SEQUENCES, false);
    }

    /// Counts a finished sweep of some of a database's stores.
    pub fn count_sweep(&self, database: &str, reports: &[SessionReport], seconds: f64) {
        self.count_pass(database, SESSIONS, reports.iter().any(|report| report.error.is_some()));
        self.duration.with_label_values(&[SESSIONS]).observe(seconds);
        reports.iter().for_each(|report| self.stores.count(database, report));
    }

    /// Counts repairs that the login path made inline.
    pub fn count_inline(&self, database: &str, outcome: &'static str, repairs: u64) {
        self.inline.with_label_values(&[database, outcome]).inc_by(repairs);
    }

    /// Counts a post to the webhook.
    pub fn count_webhook(&self, sent: bool) {
        let [yes, no] = WEBHOOK_OUTCOMES;
        self.webhook.with_label_values(&[if sent { yes } else { no }]).inc();
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

    /// Drift that lasts since an earlier pass is not counted again.
    fn count_repair(&self, database: &str, sequence: &SequenceReport, lasting: bool) {
        if let Some(cause) = sequence.cause
            && !lasting
        {
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

    /// All series. Those of a server's database have its own name as `database`, and beside it the server's.
    fn gather(&self) -> Vec<MetricFamily> {
        let mut families = self.registry.gather();
        let discovered = self.discovered();
        if !discovered.is_empty() {
            families.iter_mut().for_each(|family| servers::add_labels(family, &discovered));
        }
        families
    }

    /// The text format, version 0.0.4 (prometheus.io, Exposition formats).
    ///
    /// # Errors
    ///
    /// When a collector's families contradict each other.
    pub fn render(&self) -> Result<String, prometheus::Error> {
        let mut families = self.gather();
        families.extend(process());
        TextEncoder::new().encode_to_string(&families)
    }
}

/// `process_*`, under their standard names, which have no prefix.
#[cfg(target_os = "linux")]
fn process() -> Vec<MetricFamily> {
    prometheus::process_collector::ProcessCollector::for_self().collect()
}

#[cfg(not(target_os = "linux"))]
fn process() -> Vec<MetricFamily> {
    Vec::new()
}
