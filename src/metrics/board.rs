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
    /// Whether any database could ever be reached.
    reached: AtomicBool,
}

impl Default for Board {
    fn default() -> Self {
        Self { stations: Mutex::default(), reloaded: AtomicBool::new(true), reached: AtomicBool::new(false) }
    }
}

impl Board {
    /// Changes what is known of a database.
    pub fn update(&self, database: &str, change: impl FnOnce(&mut Station)) {
        let mut stations = self.stations.lock().unwrap_or_else(PoisonError::into_inner);
        let station = stations.entry(database.to_owned()).or_default();
        change(station);
        // Who leads has a connection, though its first pass may last.
        if station.up == Some(true) || station.leader {
            self.reached.store(true, Ordering::Relaxed);
        }
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

    /// Whether a database was ever reached, of this configuration or one before: once ready, ready for good.
    pub fn ready(&self) -> bool {
        self.reached.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_begins_with_the_first_connection_and_outlives_it() {
        let board = Board::default();
        board.update("app", |station| station.interval = 1.0);
        board.update("app", |station| station.up = Some(false));
        assert!(!board.ready());
        // A standby's database: no pass of ours was ever completed.
        board.update("app", |station| station.up = Some(true));
        board.update("app", |station| station.up = Some(false));
        assert!(board.ready());
        board.retain(&["another"]);
        assert!(board.ready());
    }

    #[test]
    fn a_leader_is_ready_before_its_first_pass_is_over() {
        let board = Board::default();
        board.update("app", |station| station.leader = true);
        assert!(board.ready());
    }
}
