//! What the agent last saw of each database, what it did lately, and the result of the last reload.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | [`AgentState`]: all databases, a revision that changes with each change |
//! | `database.rs` | [`DatabaseState`]: one database |
//! | `observed.rs` | what is remembered of a database: since when something fails, the last repairs, `day.rs` |
//! | `day.rs` | counts of each of the last 24 hours |
//! | `servers.rs` | the servers of the configuration, and the connections to them |
//! | `history.rs` | the last repairs, sweeps and failures |
//!
//! The agent's publisher writes it. Metrics and HTTP read it.

mod database;
mod day;
mod history;
mod observed;
mod servers;

pub use database::{DatabaseState, SessionSweepState};
pub use day::{DayCounts, HOURS, HourCounts};
pub use history::{EarlierRepair, History, HistoryEntry, HistoryEvent};
pub use observed::{LastRepair, Observed};
pub use servers::{ConfiguredServers, NamedServer};

use crate::clock;
use crate::db::budget::ServerConnections;
use crate::report::{DatabaseReport, SessionReport};
use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;
use tokio::sync::watch;

/// The names of the configured databases, and of the session stores of each.
pub type Configured<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// The result of reading the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Reload {
    /// Whether it was accepted when it was last read.
    pub accepted: bool,
    /// When one was last accepted, at the start or later, in seconds since 1970.
    pub accepted_at: f64,
}

/// All databases, the history and the configuration's reload.
#[derive(Debug)]
pub struct AgentState {
    dry_run: bool,
    /// Shared with what is rendered at the moment.
    databases: Mutex<BTreeMap<String, Arc<DatabaseState>>>,
    history: Mutex<History>,
    /// Of all databases together.
    day: Mutex<DayCounts>,
    /// In seconds since 1970.
    started: f64,
    /// Increases with every change. Begins with the time in milliseconds, so that a restart does not repeat a number.
    revision: watch::Sender<u64>,
    reload: Mutex<Reload>,
    servers: Mutex<ConfiguredServers>,
    /// Whether any database ever responded.
    reached: AtomicBool,
}

impl AgentState {
    /// Nothing is known yet. `dry_run` says that the agent changes nothing.
    pub fn new(dry_run: bool) -> Self {
        let started = now();
        Self {
            dry_run,
            databases: Mutex::default(),
            history: Mutex::default(),
            day: Mutex::default(),
            started,
            revision: watch::Sender::new((started * 1000.0) as u64),
            servers: Mutex::default(),
            reload: Mutex::new(Reload { accepted: true, accepted_at: started }),
            reached: AtomicBool::new(false),
        }
    }

    /// Changes what is known of a database.
    pub fn update(&self, database: &str, change: impl FnOnce(&mut DatabaseState)) {
        let mut databases = lock(&self.databases);
        let state = Arc::make_mut(databases.entry(database.to_owned()).or_default());
        let before = state.summary();
        change(state);
        let changed = state.summary() != before;
        let (failed, fails) = (state.failing_since.is_some(), state.last_error.clone());
        match &fails {
            Some(_) if !failed => state.failing_since = Some(now()),
            None => state.failing_since = None,
            Some(_) => {}
        }
        // A leader has a connection, although its first pass may last.
        if state.up == Some(true) || state.leader || state.replica {
            self.reached.store(true, Ordering::Relaxed);
        }
        drop(databases);
        if let (Some(why), false) = (fails, failed) {
            lock(&self.history).add(now(), database, HistoryEvent::NotChecked { why });
        }
        if changed {
            self.bump_revision();
        }
    }

    /// A pass was completed just now. Returns the names of the sequences that were set back since the one before.
    pub fn record_pass(&self, database: &str, report: Arc<DatabaseReport>) -> HashSet<String> {
        let now = now();
        let mut set_back = HashSet::new();
        // One change, so that no reader sees a report of a database that is marked as down.
        self.update(database, |state| {
            let news = Arc::make_mut(&mut state.observed).record_pass(now, state.report.as_deref(), &report);
            lock(&self.history).record_pass(now, &report, &news.began, &news.set_back);
            set_back = news.set_back.iter().map(|sequence| sequence.name.to_string()).collect();
            lock(&self.day).count(now, |hour| {
                hour.ids = hour.ids.saturating_add(news.ids);
                hour.repaired += news.repaired;
            });
            state.up = Some(true);
            state.last_success = Some(now);
            state.report = Some(report);
            state.last_error = None;
        });
        let failing = lock(&self.databases).values().map(|state| state.observed.failing).sum();
        lock(&self.day).count(now, |hour| hour.failing = hour.failing.max(failing));
        set_back
    }

    /// A pass was due just now, and nothing was done in the database since the last one: its report is still true.
    pub fn record_unchanged(&self, database: &str) {
        let now = now();
        self.update(database, |state| {
            state.up = Some(true);
            state.last_success = Some(now);
            state.last_error = None;
        });
    }

    /// These stores were swept just now, or could not be.
    pub fn record_sweep(&self, database: &str, reports: Vec<SessionReport>) {
        let now = now();
        lock(&self.history).record_sweep(now, database, &reports);
        let ended = |report: &SessionReport| report.expired + report.superseded;
        lock(&self.day).count(now, |hour| hour.ended += reports.iter().map(ended).sum::<u64>());
        self.update(database, |state| {
            let sweeps = &mut state.sweeps;
            for report in &reports {
                let day = Arc::make_mut(sweeps.ended.entry(report.name.clone()).or_default());
                day.count(now, |hour| hour.ended += ended(report));
                if report.error.is_none() {
                    sweeps.swept_at.insert(report.name.clone(), now);
                }
            }
            Arc::make_mut(&mut state.observed)
                .day
                .count(now, |hour| hour.ended += reports.iter().map(ended).sum::<u64>());
            sweeps.stores.extend(reports.into_iter().map(|report| (report.name.clone(), report)));
            if sweeps.stores.values().all(|report| report.error.is_none()) {
                sweeps.last_success = Some(now);
            }
        });
        self.bump_revision();
    }

    /// The login path made repairs inline.
    pub fn record_inline_repairs(&self, database: &str, outcome: &'static str, repairs: u64) {
        if repairs > 0 {
            lock(&self.history).add(now(), database, HistoryEvent::Inline { outcome, repairs });
            self.bump_revision();
        }
    }

    /// What earlier runs repaired in the last 24 hours, newest first. Taken once: what came later was recorded as it came.
    pub fn restore_repairs(&self, database: &str, repairs: Vec<EarlierRepair>) {
        let mut is_news = false;
        self.update(database, |state| {
            let observed = Arc::make_mut(&mut state.observed);
            is_news = observed.restore(&repairs);
        });
        if !is_news {
            return;
        }
        for repair in &repairs {
            lock(&self.day).count(repair.at, |hour| hour.repaired += 1);
        }
        lock(&self.history).add_earlier(database, repairs);
        self.bump_revision();
    }

    /// The configuration was read just now.
    pub fn set_reloaded(&self, accepted: bool) {
        let mut reload = lock(&self.reload);
        reload.accepted = accepted;
        if accepted {
            reload.accepted_at = now();
        }
    }

    /// Forgets databases and session stores that are not `configured` any more.
    pub fn retain(&self, configured: &Configured<'_>) {
        let mut databases = lock(&self.databases);
        databases.retain(|name, _| configured.contains_key(name.as_str()));
        for (name, state) in databases.iter_mut() {
            let state = Arc::make_mut(state);
            match configured.get(name.as_str()) {
                Some(stores) if !stores.is_empty() => {
                    state.sweeps.stores.retain(|store, _| stores.contains(&store.as_str()));
                    state.sweeps.swept_at.retain(|store, _| stores.contains(&store.as_str()));
                    state.sweeps.ended.retain(|store, _| stores.contains(&store.as_str()));
                }
                _ => state.sweeps = SessionSweepState::default(),
            }
        }
        drop(databases);
        lock(&self.history).retain(|database| configured.contains_key(database));
        self.bump_revision();
    }

    /// Forgets a database that is no more.
    pub fn forget(&self, gone: &str) {
        lock(&self.databases).remove(gone);
        lock(&self.history).retain(|database| database != gone);
        self.bump_revision();
    }

    fn bump_revision(&self) {
        self.revision.send_modify(|revision| *revision += 1);
    }

    /// Whether the agent changes nothing.
    pub fn dry_run(&self) -> bool {
        self.dry_run
    }

    pub fn databases(&self) -> BTreeMap<String, Arc<DatabaseState>> {
        lock(&self.databases).clone()
    }

    /// The last repairs and sweeps.
    pub fn history(&self) -> History {
        lock(&self.history).clone()
    }

    /// What happened in each of the last 24 hours, in all databases.
    pub fn day(&self) -> DayCounts {
        lock(&self.day).clone()
    }

    /// When the agent started, in seconds since 1970.
    pub fn started(&self) -> f64 {
        self.started
    }

    /// A number that increases with every change of what the pages show.
    pub fn revision(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    pub fn reload(&self) -> Reload {
        *lock(&self.reload)
    }

    /// Takes over the servers of the present configuration.
    pub fn set_servers(&self, servers: ConfiguredServers) {
        *lock(&self.servers) = servers;
    }

    /// The servers that were reached, and the connections to them.
    pub fn servers(&self) -> Vec<ServerConnections> {
        lock(&self.servers).budget.servers()
    }

    /// The servers that are configured as a whole.
    pub fn named_servers(&self) -> Vec<NamedServer> {
        lock(&self.servers).named()
    }

    /// Whether a database ever responded, of this configuration or an earlier one: an agent that is ready stays ready.
    pub fn ready(&self) -> bool {
        self.reached.load(Ordering::Relaxed)
    }
}

/// Every change under these locks is complete, also when a thread panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Seconds since 1970, as Prometheus counts them.
pub fn now() -> f64 {
    clock::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests;
