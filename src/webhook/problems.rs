//! What is news for the receiver: compares what is wrong now with what it was told.

use crate::report::{SequenceReport, SessionReport, Status};
use crate::state::{DatabaseState, History, HistoryEvent};
use pgmedic_core::{Reason, ReasonKind};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a problem, or its end, or a repair is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    Database,
    Sequence,
    SessionStore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    Problem,
    Resolved,
    Repaired,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A repair or a sweep failed, no value is left, or the database cannot be checked.
    Critical,
    Warning,
    Info,
}

/// One piece of news. Its fields are those of the JSON form.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    pub event: EventKind,
    pub severity: Severity,
    pub database: String,
    pub about: About,
    /// The sequence's or the store's name; the database's again where it is about that.
    pub name: String,
    /// Of the reason, as in the JSON report, or the status in one word.
    pub kind: String,
    pub text: String,
    /// A complete command or statement.
    pub fix: Option<String>,
    /// The same for a problem, from its begin to its end, and for all agents: receivers may join events by it.
    pub key: String,
}

type Subject = (String, About, String);

/// What the receiver was told and is still true.
#[derive(Debug, Clone, Default)]
pub struct Told {
    problems: BTreeMap<Subject, Event>,
    /// When the last repair that was told happened, in seconds since 1970.
    repaired: f64,
}

impl Told {
    /// Nothing yet; repairs before this time are no news.
    pub fn since(time: f64) -> Self {
        Self { problems: BTreeMap::new(), repaired: time }
    }

    /// The news, and what the receiver knows when it has got them.
    pub fn news(
        &self,
        databases: &BTreeMap<String, Arc<DatabaseState>>,
        history: &History,
        repairs: bool,
    ) -> (Vec<Event>, Self) {
        let now = self.present(databases);
        let is_new = |event: &&Event| self.problems.get(&subject(event)).is_none_or(|told| told.kind != event.kind);
        let mut events: Vec<Event> = now.values().filter(is_new).cloned().collect();
        // A database that is no longer configured has no end of its problems.
        let over = |event: &&Event| !now.contains_key(&subject(event)) && databases.contains_key(&event.database);
        events.extend(self.problems.values().filter(over).map(|event| Event {
            event: EventKind::Resolved,
            severity: Severity::Info,
            fix: None,
            ..event.clone()
        }));
        let mut repaired = self.repaired;
        for entry in history.entries().take_while(|entry| entry.at > self.repaired) {
            let HistoryEvent::Repaired { sequence, to, lag, .. } = &entry.action else { continue };
            repaired = repaired.max(entry.at);
            if repairs {
                events.push(repair(&entry.database, sequence, *lag, *to));
            }
        }
        (events, Self { problems: now, repaired })
    }

    /// What is wrong now. Where nothing newer is known, what was told stays true.
    fn present(&self, databases: &BTreeMap<String, Arc<DatabaseState>>) -> BTreeMap<Subject, Event> {
        let mut now = BTreeMap::new();
        for (database, state) in databases {
            let told = self.problems.iter().filter(|(subject, _)| subject.0 == *database);
            if let Some(why) = &state.last_error {
                let reason = Reason::new(ReasonKind::Unreachable, why.clone());
                let problem =
                    problem(database, About::Database, database, Severity::Critical, "not_checked", Some(&reason));
                now.insert(subject(&problem), Event { kind: "not_checked".to_owned(), ..problem });
            }
            let Some(report) = &state.report else {
                let told = told.filter(|(subject, _)| subject.1 != About::Database);
                now.extend(told.map(|(subject, event)| (subject.clone(), event.clone())));
                continue;
            };
            let sequences = report.sequences.iter().filter(|sequence| sequence.needs_a_look());
            let stores = state.sweeps.stores.values();
            let problems = sequences
                .map(|sequence| of_sequence(database, sequence))
                .chain(stores.filter_map(|store| of_store(database, store)));
            now.extend(problems.map(|problem| (subject(&problem), problem)));
        }
        now
    }
}

fn subject(event: &Event) -> Subject {
    (event.database.clone(), event.about, event.name.clone())
}

fn of_sequence(database: &str, sequence: &SequenceReport) -> Event {
    let status = Status::of(sequence);
    let severity = match status {
        _ if sequence.nearly_used_up => Severity::Critical,
        Status::Failed | Status::Exhausted => Severity::Critical,
        _ => Severity::Warning,
    };
    let reason = sequence.repair.as_ref().and_then(|repair| repair.reason.as_ref()).or(sequence.reason.as_deref());
    problem(database, About::Sequence, &sequence.name, severity, status.word(), reason)
}

fn of_store(database: &str, store: &SessionReport) -> Option<Event> {
    let (reason, status, severity) = match (&store.error, &store.held) {
        (Some(error), _) => (error, "failed", Severity::Critical),
        (None, Some(held)) => (held, "held", Severity::Warning),
        (None, None) => return None,
    };
    Some(problem(database, About::SessionStore, &store.name, severity, status, Some(reason)))
}

fn problem(
    database: &str,
    about: About,
    name: &str,
    severity: Severity,
    status: &str,
    reason: Option<&Reason>,
) -> Event {
    let kind = reason.and_then(|reason| serde_json::to_value(reason.kind).ok());
    let kind = kind.and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_else(|| status.replace(' ', "_"));
    Event {
        event: EventKind::Problem,
        severity,
        database: database.to_owned(),
        about,
        name: name.to_owned(),
        text: reason.map_or_else(|| status.to_owned(), |reason| format!("{status}: {}", reason.text)),
        fix: reason.and_then(|reason| reason.fix.as_ref()).map(|fix| fix.as_str().to_owned()),
        key: format!("pgmedic/{database}/{name}"),
        kind,
    }
}

fn repair(database: &str, sequence: &str, lag: Option<u128>, to: Option<i64>) -> Event {
    let lag = lag.map_or_else(String::new, |lag| format!(" by {lag}"));
    let to = to.map_or_else(String::new, |to| format!(" to {to}"));
    Event {
        event: EventKind::Repaired,
        severity: Severity::Info,
        database: database.to_owned(),
        about: About::Sequence,
        name: sequence.to_owned(),
        kind: "repaired".to_owned(),
        text: format!("was behind{lag}, and was moved{to}"),
        fix: None,
        key: format!("pgmedic/{database}/{sequence}"),
    }
}

#[cfg(test)]
#[path = "problems_tests.rs"]
mod tests;
