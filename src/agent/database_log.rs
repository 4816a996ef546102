//! The log of one worker about one database: what is news is logged, what lasts is not repeated.

use super::change_log::ChangeLog;
use super::news::{Fact, describe, describe_set_back};
use crate::report::{DatabaseLabel, DatabaseReport, Outcome, SessionReport};
use pgmedic_core::Reason;
use std::collections::HashSet;
use tracing::Level;

/// What the log has facts about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    Unreachable,
    Leadership,
    IgnoredHolder,
    Listening,
    RepairLog,
    Sequence(String),
    Store(String),
}

/// The facts about one database that were logged last.
#[derive(Debug)]
pub struct DatabaseLog {
    database: DatabaseLabel,
    logged: ChangeLog<Subject>,
}

impl DatabaseLog {
    pub fn new(database: &DatabaseLabel) -> Self {
        Self { database: database.clone(), logged: ChangeLog::default() }
    }

    /// Replaces the one fact about `subject`, and says whether it is news.
    pub fn is_news(&mut self, subject: Subject, fact: String) -> bool {
        !self.logged.replace(subject, [fact]).is_empty()
    }

    /// Adds a fact to those about `subject`, and says whether it is news.
    pub fn add(&mut self, subject: Subject, fact: String) -> bool {
        self.logged.add(subject, fact)
    }

    /// Forgets the facts about `subject`.
    pub fn forget(&mut self, subject: &Subject) {
        self.logged.remove(subject);
    }

    /// The database can be monitored again.
    pub fn recovered(&mut self) {
        let database = self.database.as_str();
        if self.logged.remove(&Subject::Unreachable) {
            tracing::info!(database, "{database} is back");
        }
    }

    /// Info when something was repaired, warn when it was held or cannot be judged, error when it failed. `set_back` names the
    /// sequences that were set back since the pass before: they are warned of.
    pub fn sequences(&mut self, report: &DatabaseReport, set_back: &HashSet<String>) {
        let mut named = HashSet::new();
        for sequence in &report.sequences {
            let subject = Subject::Sequence(sequence.name.to_string());
            if set_back.contains(&*sequence.name)
                && let Some(fact) = describe_set_back(sequence)
            {
                self.write(&subject, &fact);
            }
            let Some(fact) = describe(sequence) else { continue };
            if sequence.outcome() == Some(Outcome::Repaired) {
                // Each repair is news.
                self.logged.remove(&subject);
            }
            self.log(subject, vec![fact]);
            named.insert(&*sequence.name);
        }
        self.logged.retain(|subject| match subject {
            Subject::Sequence(name) => named.contains(name.as_str()),
            _ => true,
        });
        let database = self.database.as_str();
        tracing::debug!(database, sequences = report.sequences.len(), "{database}: a pass was completed");
    }

    /// Info when sessions were ended, warn when a sweep was held or could work better, error when it failed.
    pub fn store(&mut self, report: &SessionReport) {
        let (database, store) = (self.database.as_str(), report.name.as_str());
        let (expired, superseded) = (report.expired, report.superseded);
        if expired + superseded > 0 {
            tracing::info!(database, store, expired, superseded, "sessions of {store} were ended");
        }
        let fact = |level, what: String, reason: &Reason| {
            let text = format!("{what}: {reason}");
            Fact { level, kind: format!("{what}: {:?}", reason.kind), text }
        };
        let error = report.error.iter().map(|why| fact(Level::ERROR, format!("{store} cannot be swept"), why));
        let held = report.held.iter().map(|why| fact(Level::WARN, format!("the sweep of {store} is held"), why));
        let warnings = report.warnings.iter().map(|why| fact(Level::WARN, store.to_owned(), why));
        let facts = error.chain(held).chain(warnings).collect();
        self.log(Subject::Store(store.to_owned()), facts);
    }

    /// Logs those of the facts about `subject` that are news.
    pub fn log(&mut self, subject: Subject, facts: Vec<Fact>) {
        let news = self.logged.replace(subject.clone(), facts.iter().map(|fact| fact.kind.clone()));
        facts.iter().filter(|fact| news.contains(&fact.kind)).for_each(|fact| self.write(&subject, fact));
    }

    fn write(&self, subject: &Subject, Fact { level, text, .. }: &Fact) {
        let database = self.database.as_str();
        let (sequence, store) = match subject {
            Subject::Sequence(name) => (Some(name.as_str()), None),
            Subject::Store(name) => (None, Some(name.as_str())),
            _ => (None, None),
        };
        match *level {
            Level::ERROR => tracing::error!(database, sequence, store, "{text}"),
            Level::WARN => tracing::warn!(database, sequence, store, "{text}"),
            _ => tracing::info!(database, sequence, store, "{text}"),
        }
    }
}
