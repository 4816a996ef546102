//! Which of the configured rules for sequences apply to none: a misspelled pattern protects nothing.

use crate::config::{SequenceRule, Settings};
use crate::report::DatabaseReport;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The rules of one configuration, until every database has been looked at.
#[derive(Debug, Default)]
pub struct RuleUse(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    databases: BTreeSet<String>,
    unused: Vec<SequenceRule>,
}

impl RuleUse {
    /// Begins anew, with another configuration.
    pub fn restart(&self, settings: &Settings) {
        let databases = settings.databases.iter().map(|database| database.name.clone()).collect();
        let waiting = Waiting { databases, unused: settings.sequences.rules.clone() };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = waiting;
    }

    /// Takes note of a completed pass. After the first pass over the last of the databases, returns the rules that applied to no
    /// sequence of any; that is once.
    pub fn record(&self, database: &str, report: &DatabaseReport) -> Vec<SequenceRule> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting.databases.contains(database) {
            return Vec::new();
        }
        let applied = report.applied_rules();
        waiting.unused.retain(|rule| !applied.contains(rule.pattern.to_string().as_str()));
        waiting.databases.remove(database);
        if waiting.databases.is_empty() { std::mem::take(&mut waiting.unused) } else { Vec::new() }
    }
}
