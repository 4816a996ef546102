//! Prometheus metrics of the agent.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | what the agent's publisher counts |
//! | `counters.rs` | the numbers that are counted |
//! | `figures.rs` | the gauges of one database, computed from `crate::state` at each scrape |
//! | `scrape.rs` | one scrape: all figures as they were at one moment |
//! | `families/` | every family: its name, what it says, where its values come from; a scrape's text |
//! | `exposition.rs` | one family, as the prometheus crate writes it |
//! | `textfile.rs` | the gauges of one run, for node_exporter |

mod counters;
mod exposition;
mod families;
mod figures;
mod scrape;
mod textfile;

pub use counters::{SEQUENCES, SESSIONS};
pub use scrape::Scrape;
pub use textfile::{replace as replace_textfile, textfile};

use crate::report::{Cause, DatabaseLabel, DatabaseReport, Outcome, SequenceReport, SessionReport};
use crate::state::{AgentState, Configured};
use counters::Counters;
use figures::DatabaseFigures;
use pgmedic_core::sequence::Method;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is counted, and the state that the gauges are made from.
#[derive(Debug)]
pub struct Metrics {
    state: Arc<AgentState>,
    counters: Mutex<Counters>,
    /// Sequences, by database, whose drift was counted and still lasts.
    drifting: Mutex<HashMap<String, HashSet<String>>>,
}

impl Metrics {
    /// # Errors
    ///
    /// When the bounds of a histogram do not increase: never, or at every start.
    pub fn new(state: &Arc<AgentState>) -> Result<Self, prometheus::Error> {
        let counters = Mutex::new(Counters::new()?);
        Ok(Self { state: Arc::clone(state), counters, drifting: Mutex::default() })
    }

    /// Makes the series of a database exist from zero.
    pub fn init_database(&self, label: &DatabaseLabel) {
        let mut counters = self.counters();
        let database = counters.of(label);
        database.label = label.clone();
        database.pass(SEQUENCES);
        counters.pass_duration(SEQUENCES);
        for method in [Method::Advance, Method::Leap] {
            counters.repair_duration(Some(method));
        }
    }

    /// Makes the series of a database's session stores exist from zero.
    pub fn init_stores<'a>(&self, database: &str, stores: impl Iterator<Item = &'a str>) {
        let mut counters = self.counters();
        let database = counters.of(database);
        database.pass(SESSIONS);
        for store in stores {
            database.store(store);
        }
        counters.pass_duration(SESSIONS);
    }

    /// Removes the series of databases and session stores that are not `configured` any more.
    pub fn retain(&self, configured: &Configured<'_>) {
        self.counters().retain(|name, database| {
            let Some(stores) = configured.get(name) else { return false };
            database.stores.retain(|store, _| stores.contains(&store.as_str()));
            if stores.is_empty() {
                database.sessions = None;
            }
            true
        });
        self.drifting().retain(|database, _| configured.contains_key(database.as_str()));
    }

    /// Removes the series of a database.
    pub fn forget(&self, gone: &str) {
        self.counters().retain(|name, _| name != gone);
        self.drifting().remove(gone);
    }

    fn counters(&self) -> MutexGuard<'_, Counters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn drifting(&self) -> MutexGuard<'_, HashMap<String, HashSet<String>>> {
        self.drifting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a finished pass.
    pub fn count(&self, report: &DatabaseReport) {
        let mut drifting = self.drifting();
        let before = drifting.remove(report.name.as_str()).unwrap_or_default();
        let mut counters = self.counters();
        count_pass(&mut counters, &report.name, SEQUENCES, report.error.is_some());
        counters.pass_duration(SEQUENCES).observe(report.duration_seconds);
        for sequence in &report.sequences {
            count_repair(&mut counters, &report.name, sequence, before.contains(&*sequence.name));
        }
        drop(counters);
        // A pass that was not completed does not show which drift is over.
        let mut now = if report.error.is_none() { HashSet::new() } else { before };
        // Of any verdict: one that was set back and is in sync, or that a rule says to leave, is drift that lasts too.
        let lasting = |sequence: &&Arc<SequenceReport>| {
            sequence.cause.is_some() && (sequence.outcome() != Some(Outcome::Repaired) || sequence.held_by().is_some())
        };
        now.extend(report.sequences.iter().filter(lasting).map(|sequence| sequence.name.to_string()));
        if !now.is_empty() {
            drifting.insert(report.name.to_string(), now);
        }
    }

    /// Counts a pass that ended without a report.
    pub fn count_failed_pass(&self, database: &str) {
        count_pass(&mut self.counters(), database, SEQUENCES, true);
    }

    /// Counts a pass that had nothing to look at.
    pub fn count_unchanged(&self, database: &str) {
        count_pass(&mut self.counters(), database, SEQUENCES, false);
    }

    /// Counts a finished sweep of some of a database's stores.
    pub fn count_sweep(&self, database: &str, reports: &[SessionReport], seconds: f64) {
        let mut counters = self.counters();
        count_pass(&mut counters, database, SESSIONS, reports.iter().any(|report| report.error.is_some()));
        counters.pass_duration(SESSIONS).observe(seconds);
        let database = counters.of(database);
        reports.iter().for_each(|report| database.count_store(report));
    }

    /// Counts repairs that the login path made inline.
    pub fn count_inline(&self, database: &str, outcome: &'static str, repairs: u64) {
        self.counters().of(database).count_inline(outcome, repairs);
    }

    /// Counts a post to the webhook.
    pub fn count_webhook(&self, sent: bool) {
        self.counters().count_webhook(sent);
    }

    /// Counts a pass that was due and not made, because one is `running` or this agent is standby.
    pub fn count_skipped(&self, database: &str, pass: &str, reason: &str) {
        self.counters().of(database).pass(pass).count_skipped(reason);
    }

    /// What a scrape shows at this moment.
    pub fn scrape(&self) -> Scrape {
        let databases = self.state.databases();
        Scrape {
            dry_run: self.state.dry_run(),
            reload: self.state.reload(),
            servers: self.state.servers(),
            databases: databases.iter().map(|(name, state)| DatabaseFigures::of(name, state)).collect(),
            counters: self.counters().clone(),
        }
    }
}

fn count_pass(counters: &mut Counters, database: &str, pass: &str, failed: bool) {
    let pass = counters.of(database).pass(pass);
    pass.runs += 1;
    pass.failures += u64::from(failed);
}

/// Drift that lasts since an earlier pass is not counted again.
fn count_repair(counters: &mut Counters, database: &str, sequence: &SequenceReport, lasting: bool) {
    if let Some(cause) = sequence.cause
        && !lasting
    {
        counters.of(database).count_drift(cause);
    }
    let Some(repair) = &sequence.repair else { return };
    let cause = sequence.cause.unwrap_or(Cause::Unknown);
    counters.of(database).count_repair(repair.method, repair.outcome, cause);
    if matches!(repair.outcome, Outcome::Repaired | Outcome::Failed) {
        counters.repair_duration(repair.method).observe(repair.duration_seconds);
    }
}
