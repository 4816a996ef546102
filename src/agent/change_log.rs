//! What is logged of a database: changes, once each, never the same news at every pass.

use crate::report::{DatabaseReport, Outcome, SequenceReport, Verdict};
use pgmedic_core::{Reason, ReasonKind};
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
    /// What was logged last of each sequence that is not healthy.
    told: HashMap<String, News>,
}

impl DatabaseChangeLog {
    pub fn log_unreachable(&mut self, database: &str, reason: &str) {
        // Two reasons that take turns are no news each time.
        if self.down.len() < MOST_REASONS && self.down.insert(without_digits(reason)) {
            tracing::error!(database, "{database} cannot be looked after: {reason}");
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
            let role = if leads { "leads" } else { "stands by" };
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
            Ok(()) => tracing::info!(database, "NOTIFY pgmedic in {database} listening for NOTIFY pgmedic"),
            Err(reason) => tracing::warn!(
                database,
                "NOTIFY pgmedic in {database} is not heard, passes are made on schedule only: {reason}; \
                 sequences.listen_notify = false takes this as it is"
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
            let key = News::of(sequence);
            if repaired || self.told.get(&sequence.name) != Some(&key) {
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
                told.insert(sequence.name.clone(), key);
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

/// What tells one log line about a sequence from another, whatever numbers and names its text holds.
#[derive(Debug, PartialEq, Eq)]
struct News {
    verdict: Verdict,
    outcome: Option<Outcome>,
    reason: Option<ReasonKind>,
}

impl News {
    fn of(sequence: &SequenceReport) -> Self {
        let reason = match &sequence.repair {
            Some(repair) => &repair.reason,
            None => &sequence.reason,
        };
        let reason = reason.as_ref().map(|reason| reason.kind);
        Self { verdict: sequence.verdict, outcome: sequence.outcome(), reason }
    }
}

/// The log line about a sequence; none where there is nothing to say.
fn describe(sequence: &SequenceReport) -> Option<String> {
    let reason = |reason: &Option<Reason>| reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
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
