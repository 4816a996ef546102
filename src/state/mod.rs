//! The state of affairs of each database, as the agent last saw it.

mod history;

pub use history::{History, HistoryEntry, HistoryEvent};

use crate::clock;
use crate::report::{DatabaseReport, SessionReport};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;
use tokio::sync::watch;

/// The names of the databases, and of the session stores of each.
pub type Configured<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// One database.
#[derive(Debug, Clone, Default)]
pub struct DatabaseState {
    /// None until it was tried.
    pub up: Option<bool>,
    pub leader: bool,
    /// The longest between two passes that follow each other, by the schedule, in seconds.
    pub interval: f64,
    /// When a pass was last completed, in seconds since 1970.
    pub last_success: Option<f64>,
    /// Of the last completed pass while leading: what another agent sees is not ours to tell.
    pub report: Option<Arc<DatabaseReport>>,
    /// Why it could not be looked after at the last try.
    pub last_error: Option<String>,
    pub sweeps: SessionSweepState,
}

/// What is known of a database's session stores.
#[derive(Debug, Clone, Default)]
pub struct SessionSweepState {
    /// The same between two sweeps, of the store where it is shortest; none where there are no stores.
    pub interval: Option<f64>,
    /// When a sweep was last completed and no store's last one had failed, in seconds since 1970.
    pub last_success: Option<f64>,
    /// The last report of each store while leading.
    pub stores: BTreeMap<String, SessionReport>,
}

impl DatabaseState {
    /// Whatever of it is news when it changes.
    fn summary(&self) -> (Option<bool>, bool, Option<f64>, bool, Option<String>, usize) {
        let (reported, stores) = (self.report.is_some(), self.sweeps.stores.len());
        (self.up, self.leader, self.last_success, reported, self.last_error.clone(), stores)
    }
}

/// What came of reading the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Reload {
    /// Whether it was accepted when it was last read.
    pub accepted: bool,
    /// When one was last accepted, in seconds since 1970: that of the start is.
    pub accepted_at: f64,
}

/// All databases, and the configuration.
#[derive(Debug)]
pub struct AgentState {
    stations: Mutex<BTreeMap<String, DatabaseState>>,
    timeline: Mutex<History>,
    /// In seconds since 1970.
    started: f64,
    /// Another number whenever there is news. Begins with the time, so that it tells one start from the next.
    revision: watch::Sender<u64>,
    reload: Mutex<Reload>,
    /// Whether any database could ever be reached.
    reached: AtomicBool,
}

impl Default for AgentState {
    fn default() -> Self {
        let started = now();
        Self {
            stations: Mutex::default(),
            timeline: Mutex::default(),
            started,
            revision: watch::Sender::new((started * 1000.0) as u64),
            reload: Mutex::new(Reload { accepted: true, accepted_at: started }),
            reached: AtomicBool::new(false),
        }
    }
}

impl AgentState {
    /// Changes what is known of a database.
    pub fn update(&self, database: &str, change: impl FnOnce(&mut DatabaseState)) {
        let mut stations = self.stations.lock().unwrap_or_else(PoisonError::into_inner);
        let station = stations.entry(database.to_owned()).or_default();
        let before = station.summary();
        change(station);
        let news = station.summary() != before;
        // Who leads has a connection, though its first pass may last.
        if station.up == Some(true) || station.leader {
            self.reached.store(true, Ordering::Relaxed);
        }
        drop(stations);
        if news {
            self.bump_revision();
        }
    }

    /// A pass was completed just now.
    pub fn record_pass(&self, database: &str, report: Arc<DatabaseReport>) {
        let now = now();
        self.timeline(|timeline| timeline.record_pass(now, &report));
        self.update(database, |station| {
            // In one change: nobody is to see a report of a database that is said to be down.
            station.up = Some(true);
            station.last_success = Some(now);
            station.report = Some(report);
            station.last_error = None;
        });
    }

    /// These stores were swept just now, or could not be.
    pub fn record_sweep(&self, database: &str, reports: Vec<SessionReport>) {
        let now = now();
        self.timeline(|timeline| timeline.record_sweep(now, database, &reports));
        self.update(database, |station| {
            let sweeps = &mut station.sweeps;
            sweeps.stores.extend(reports.into_iter().map(|report| (report.name.clone(), report)));
            if sweeps.stores.values().all(|report| report.error.is_none()) {
                sweeps.last_success = Some(now);
            }
        });
        self.bump_revision();
    }

    /// The login path made repairs by itself.
    pub fn record_inline_repairs(&self, database: &str, outcome: &'static str, repairs: u64) {
        if repairs > 0 {
            self.timeline(|timeline| timeline.add(now(), database, HistoryEvent::Inline { outcome, repairs }));
            self.bump_revision();
        }
    }

    fn timeline<T>(&self, act: impl FnOnce(&mut History) -> T) -> T {
        act(&mut self.timeline.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn bump_revision(&self) {
        self.revision.send_modify(|revision| *revision += 1);
    }

    /// What was done since the start.
    pub fn history(&self) -> History {
        self.timeline(|timeline| timeline.clone())
    }

    /// When the agent started, in seconds since 1970.
    pub fn started(&self) -> f64 {
        self.started
    }

    /// Changes whenever there is news.
    pub fn revision(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    /// Forgets what is not `configured` any more.
    pub fn retain(&self, configured: &Configured<'_>) {
        let mut stations = self.stations.lock().unwrap_or_else(PoisonError::into_inner);
        stations.retain(|name, _| configured.contains_key(name.as_str()));
        for (name, station) in stations.iter_mut() {
            match configured.get(name.as_str()) {
                Some(stores) if !stores.is_empty() => {
                    station.sweeps.stores.retain(|store, _| stores.contains(&store.as_str()));
                }
                _ => station.sweeps = SessionSweepState::default(),
            }
        }
        drop(stations);
        self.timeline(|timeline| timeline.retain(|database| configured.contains_key(database)));
        self.bump_revision();
    }

    pub fn databases(&self) -> BTreeMap<String, DatabaseState> {
        self.stations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The configuration was read just now.
    pub fn set_reloaded(&self, accepted: bool) {
        let mut reload = self.reload.lock().unwrap_or_else(PoisonError::into_inner);
        reload.accepted = accepted;
        if accepted {
            reload.accepted_at = now();
        }
    }

    pub fn reload(&self) -> Reload {
        *self.reload.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a database was ever reached, of this configuration or one before: once ready, ready for good.
    pub fn ready(&self) -> bool {
        self.reached.load(Ordering::Relaxed)
    }
}

/// In seconds since 1970, as Prometheus counts.
pub fn now() -> f64 {
    clock::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use crate::state::*;

    #[test]
    fn readiness_begins_with_the_first_connection_and_outlives_it() {
        let board = AgentState::default();
        board.update("app", |station| station.interval = 1.0);
        board.update("app", |station| station.up = Some(false));
        assert!(!board.ready());
        // A standby's database: no pass of ours was ever completed.
        board.update("app", |station| station.up = Some(true));
        board.update("app", |station| station.up = Some(false));
        assert!(board.ready());
        board.retain(&[("another", Vec::new())].into());
        assert!(board.ready());
    }

    #[test]
    fn a_leader_is_ready_before_its_first_pass_is_over() {
        let board = AgentState::default();
        board.update("app", |station| station.leader = true);
        assert!(board.ready());
    }

    #[test]
    fn a_database_that_was_looked_at_is_up() {
        let board = AgentState::default();
        board.update("app", |station| station.up = Some(false));
        board.record_pass("app", Arc::default());
        assert_eq!(board.databases()["app"].up, Some(true));
    }

    #[test]
    fn news_is_what_changes_what_is_known() {
        let board = AgentState::default();
        let mut told = board.revision();
        let mut news = |act: &dyn Fn(&AgentState)| {
            act(&board);
            let news = told.has_changed().unwrap();
            told.mark_unchanged();
            news
        };
        assert!(news(&|board| board.update("app", |station| station.up = Some(true))));
        assert!(!news(&|board| board.update("app", |station| station.up = Some(true))));
        assert!(news(&|board| board.update("app", |station| station.leader = true)));
        assert!(news(&|board| board.record_pass("app", Arc::default())));
        assert!(news(&|board| board.record_sweep("app", Vec::new())));
        assert!(!news(&|board| board.record_inline_repairs("app", "repaired", 0)));
        assert!(news(&|board| board.record_inline_repairs("app", "repaired", 1)));
    }

    #[test]
    fn a_configuration_that_is_refused_leaves_the_time_of_the_one_that_stays() {
        let board = AgentState::default();
        assert_eq!((board.reload().accepted, board.reload().accepted_at), (true, board.started()));
        board.set_reloaded(false);
        assert_eq!((board.reload().accepted, board.reload().accepted_at), (false, board.started()));
        board.set_reloaded(true);
        assert!(board.reload().accepted && board.reload().accepted_at >= board.started());
    }

    #[test]
    fn a_sweep_is_a_success_when_no_store_is_left_with_a_failure() {
        let board = AgentState::default();
        let swept = |name: &str, error: Option<&str>| {
            let report = SessionReport { name: name.to_owned(), error: error.map(str::to_owned), ..Default::default() };
            board.record_sweep("app", vec![report]);
            board.databases()["app"].sweeps.last_success
        };
        assert_eq!(swept("a", Some("gone")), None);
        assert_eq!(swept("b", None), None);
        assert!(swept("a", None).is_some());
    }
}
