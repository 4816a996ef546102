//! The state of affairs of each database, as the agent last saw it.

use crate::report::DatabaseReport;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// One database.
#[derive(Debug, Clone, Default)]
pub struct Station {
    /// None until it was tried.
    pub up: Option<bool>,
    pub leader: bool,
    /// Between two passes, in seconds.
    pub interval: f64,
    /// When a pass was last completed, in seconds since 1970.
    pub last_success: Option<f64>,
    /// Of the last completed pass while leading: what another agent sees is not ours to tell.
    pub report: Option<Arc<DatabaseReport>>,
}

/// All databases, and the configuration.
#[derive(Debug)]
pub struct Board {
    stations: Mutex<BTreeMap<String, Station>>,
    reloaded: AtomicBool,
}

impl Default for Board {
    fn default() -> Self {
        Self { stations: Mutex::default(), reloaded: AtomicBool::new(true) }
    }
}

impl Board {
    /// Changes what is known of a database.
    pub fn update(&self, database: &str, change: impl FnOnce(&mut Station)) {
        let mut stations = self.stations.lock().unwrap_or_else(PoisonError::into_inner);
        change(stations.entry(database.to_owned()).or_default());
    }

    /// Keeps only these databases.
    pub fn retain(&self, databases: &[&str]) {
        let mut stations = self.stations.lock().unwrap_or_else(PoisonError::into_inner);
        stations.retain(|name, _| databases.contains(&name.as_str()));
    }

    pub fn stations(&self) -> BTreeMap<String, Station> {
        self.stations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the configuration was accepted when it was last read.
    pub fn set_reloaded(&self, accepted: bool) {
        self.reloaded.store(accepted, Ordering::Relaxed);
    }

    pub fn reloaded(&self) -> bool {
        self.reloaded.load(Ordering::Relaxed)
    }

    /// Every database has been tried at least once, and one connection was made.
    pub fn ready(&self) -> bool {
        let stations = self.stations.lock().unwrap_or_else(PoisonError::into_inner);
        stations.values().any(|station| station.up == Some(true) || station.last_success.is_some())
    }
}
