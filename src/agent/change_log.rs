//! What is logged of a database: changes, once each, never the same news at every pass.

use crate::report::{DatabaseReport, Outcome, SequenceReport, Verdict};
use std::collections::{HashMap, HashSet};

/// Told of one outage; should each reason be a new one, the log is not to fill up.
const MOST_REASONS: usize = 16;

/// The last news of one database.
#[derive(Debug, Default)]
pub struct DatabaseChangeLog {
    /// The gist of why it could not be looked after, each reason since it last could.
    down: HashSet<String>,
    leads: Option<bool>,
    /// Whether it listens, and if not, why.
    listens: Option<Result<(), String>>,
    /// The gist of what was said last of each sequence that is not well.
    told: HashMap<String, String>,
}

impl DatabaseChangeLog {
    pub fn log_unreachable(&mut self, database: &str, reason: &str) {
        // Two reasons that take turns are no news each time.
        if self.down.len() < MOST_REASONS && self.down.insert(without_digits(reason)) {
            tracing::error!(database, "{database} cannot be monitored: {reason}");
        }
    }

    pub fn log_recovered(&mut self, database: &str) {
        if !self.down.is_empty() {
            self.down.clear();
            tracing::info!(database, "{database} is back");
        }
    }

    pub fn log_leadership(&mut self, database: &str, leads: bool) {
        if self.leads.replace(leads) != Some(leads) {
            let role = if leads { "leads" } else { "is standby" };
            tracing::info!(database, "this agent {role} on {database}");
        }
    }

    /// `because` says why it does not.
    pub fn log_listening(&mut self, database: &str, because: Option<String>) {
        let news = because.map_or(Ok(()), Err);
        if self.listens.as_ref() == Some(&news) {
            return;
        }
        match &news {
            Ok(()) => tracing::info!(database, "listening for NOTIFY pgmedic in {database}"),
            Err(reason) => tracing::warn!(
                database,
                "cannot LISTEN in {database}, so passes run on schedule only: {reason}; to accept this, set \
                 sequences.listen_notify = false"
            ),
        }
        self.listens = Some(news);
    }

    /// Info when something was repaired, warn when it was held or cannot be judged, error when it failed.
    pub fn log_report(&mut self, report: &DatabaseReport) {
        let database = report.name.as_str();
        let mut told = HashMap::new();
        for sequence in &report.sequences {
            let news = describe(sequence);
            let Some(news) = news else { continue };
            let repaired = sequence.outcome() == Some(Outcome::Repaired);
            let gist = without_digits(&news);
            if repaired || self.told.get(&sequence.name) != Some(&gist) {
                let name = sequence.name.as_str();
                match sequence.outcome() {
                    Some(Outcome::Repaired | Outcome::Skipped) => {
                        tracing::info!(database, sequence = name, "{name} {news}")
                    }
                    Some(Outcome::Failed) => tracing::error!(database, sequence = name, "{name} {news}"),
                    _ => tracing::warn!(database, sequence = name, "{name} {news}"),
                }
            }
            if !repaired {
                told.insert(sequence.name.clone(), gist);
            }
        }
        tracing::debug!(database, sequences = report.sequences.len(), "{database} was looked at");
        self.told = told;
    }
}

/// What makes news: with other numbers it is still the same.
pub fn without_digits(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// What is worth saying of a sequence, if anything.
fn describe(sequence: &SequenceReport) -> Option<String> {
    let reason = |reason: &Option<String>| reason.as_deref().map_or_else(String::new, |reason| format!(": {reason}"));
    let repair = sequence.repair.as_ref();
    match (sequence.verdict, repair.map(|repair| repair.outcome)) {
        (_, Some(Outcome::Repaired)) => {
            let cause = sequence.cause.map_or("unknown", crate::report::Cause::word);
            let to = repair.and_then(|repair| repair.next_value).map_or_else(String::new, |next| format!(" to {next}"));
            Some(format!("was {} behind (cause: {cause}) and was moved{to}", sequence.lag.unwrap_or(0)))
        }
        (_, Some(outcome)) => Some(format!("is behind, {}{}", outcome.word(), reason(&repair?.reason))),
        (Verdict::Exhausted | Verdict::Unreadable, None) => {
            Some(format!("is {}{}", sequence.verdict.as_str(), reason(&sequence.reason)))
        }
        _ => None,
    }
}
