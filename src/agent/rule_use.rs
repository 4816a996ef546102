//! Which of the configured rules for sequences apply to none: a misspelled pattern protects nothing.

use crate::config::{SequenceRule, Settings};
use crate::report::DatabaseReport;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The rules of one configuration, until every database has been looked at.
#[derive(Debug, Default)]
pub struct RuleUse(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    databases: BTreeSet<String>,
    /// Servers whose databases are not known yet.
    servers: BTreeSet<String>,
    unused: Vec<SequenceRule>,
}

impl RuleUse {
    /// Begins anew, with another configuration.
    pub fn restart(&self, settings: &Settings) {
        let databases = settings.databases.iter().map(|database| database.name.to_string()).collect();
        let servers = settings.servers.iter().map(|server| server.name.clone()).collect();
        let waiting = Waiting { databases, servers, unused: settings.sequences.rules.clone() };
        *self.waiting() = waiting;
    }

    /// The databases of a server are known.
    pub fn discovered(&self, server: &str, databases: impl Iterator<Item = String>) {
        let mut waiting = self.waiting();
        if waiting.servers.remove(server) {
            waiting.databases.extend(databases);
        }
    }

    /// A database is no more.
    pub fn forget(&self, database: &str) {
        self.waiting().databases.remove(database);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of a completed pass. After the first pass over the last of the databases, returns the rules that applied to no
    /// sequence of any; that is once.
    pub fn record(&self, database: &str, report: &DatabaseReport) -> Vec<SequenceRule> {
        let mut waiting = self.waiting();
        if !waiting.databases.contains(database) {
            return Vec::new();
        }
        let applied = report.applied_rules();
        waiting.unused.retain(|rule| !applied.contains(rule.pattern.to_string().as_str()));
        waiting.databases.remove(database);
        if waiting.databases.is_empty() && waiting.servers.is_empty() {
            std::mem::take(&mut waiting.unused)
        } else {
            Vec::new()
        }
    }
}
