//! What is known of one database: its last report, the sweeps of its stores, and what is remembered of it.

use super::{DayCounts, Observed};
use crate::report::{DatabaseLabel, DatabaseReport, SessionReport};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One database.
#[derive(Debug, Clone, Default)]
pub struct DatabaseState {
    /// Its name, where it was discovered on a server.
    pub discovered: Option<DatabaseLabel>,
    /// Whether it responded at the last try; none before the first.
    pub up: Option<bool>,
    pub leader: bool,
    /// The server is a replica, on which every agent observes and none leads.
    pub replica: bool,
    /// The longest time between two consecutive ticks of the schedule, in seconds.
    pub interval: f64,
    /// When a pass was last completed, in seconds since 1970.
    pub last_success: Option<f64>,
    /// Of the last completed pass. None while another agent leads, because its results are not known here.
    pub report: Option<Arc<DatabaseReport>>,
    /// Why the last pass was not completed.
    pub last_error: Option<String>,
    /// When passes began to fail, in seconds since 1970; none while the last one was completed.
    pub failing_since: Option<f64>,
    pub sweeps: SessionSweepState,
    pub observed: Arc<Observed>,
}

/// The session stores of a database.
#[derive(Debug, Clone, Default)]
pub struct SessionSweepState {
    /// The longest time between two consecutive sweeps, of the store where it is shortest, in seconds; none where there
    /// are no stores.
    pub interval: Option<f64>,
    /// When a sweep was last completed while no store's last sweep had failed, in seconds since 1970.
    pub last_success: Option<f64>,
    /// The last report of each store; none while another agent leads.
    pub stores: BTreeMap<String, SessionReport>,
    /// When each store was last swept, in seconds since 1970.
    pub swept_at: BTreeMap<String, f64>,
    /// Sessions of each store that were ended in the last 24 hours.
    pub ended: BTreeMap<String, Arc<DayCounts>>,
}

impl DatabaseState {
    /// The parts whose change pages are told about.
    pub(super) fn summary(&self) -> (Option<bool>, bool, Option<f64>, bool, Option<String>, usize) {
        let (reported, stores) = (self.report.is_some(), self.sweeps.stores.len());
        (self.up, self.leader, self.last_success, reported, self.last_error.clone(), stores)
    }
}
