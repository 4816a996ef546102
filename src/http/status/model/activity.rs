//! The recent activity, by hour, newest first.

use crate::http::status::line::Line;
use crate::http::status::time;
use crate::http::status::words::{count, list, sentence};
use crate::report::{Cause, escape_control};
use crate::state::{HistoryEntry, HistoryEvent};
use std::collections::BTreeSet;

const HOUR: f64 = 3600.0;
/// Events on the page; the log has all.
const MOST_EVENTS: usize = 150;
/// So many repairs in one database at the same moment are one event, as after a restore.
const MANY: usize = 4;

/// The events of one hour.
#[derive(Debug, PartialEq)]
pub struct HourGroup {
    /// When it begins, in seconds since 1970.
    pub at: f64,
    pub label: String,
    pub summary: String,
    pub events: Vec<Event>,
}

#[derive(Debug, PartialEq)]
pub struct Event {
    pub at: f64,
    pub icon: &'static str,
    pub class: &'static str,
    pub line: Line,
    pub why: Option<String>,
}

/// By hour. `several` says whether the entries are of more than one database.
pub fn groups<'a>(entries: impl Iterator<Item = &'a HistoryEntry>, several: bool, now: f64) -> Vec<HourGroup> {
    let mut entries: Vec<&HistoryEntry> = entries.collect();
    // The sweeps of an hour are one entry that moves on with each of them.
    entries.sort_by(|a, b| b.at.total_cmp(&a.at));
    let mut groups = Vec::new();
    let mut left = MOST_EVENTS;
    for hour in entries.chunk_by(|a, b| (a.at / HOUR).floor() == (b.at / HOUR).floor()) {
        let Some(newest) = hour.first().filter(|_| left > 0) else { break };
        let at = (newest.at / HOUR).floor() * HOUR;
        let mut events = Vec::new();
        for same in hour.chunk_by(|a, b| is_same_moment(a, b)) {
            match same {
                [one, rest @ ..] if rest.len() + 1 >= MANY => events.push(many(one, same.len(), several)),
                _ => events.extend(same.iter().map(|entry| event(entry, several))),
            }
        }
        events.truncate(left);
        left -= events.len();
        groups.push(HourGroup { at, label: time::hour(at, now), summary: summary(hour), events });
    }
    groups
}

fn is_same_moment(a: &HistoryEntry, b: &HistoryEntry) -> bool {
    match (&a.action, &b.action) {
        (HistoryEvent::Repaired { who, .. }, HistoryEvent::Repaired { who: other, .. }) => {
            who == other && a.database == b.database && a.at == b.at
        }
        _ => false,
    }
}

fn many(first: &HistoryEntry, number: usize, several: bool) -> Event {
    let place = if several { format!(" in {}", escape_control(&first.database)) } else { String::new() };
    let (cause, who) = match &first.action {
        HistoryEvent::Repaired { cause, who, .. } => (*cause, who.as_deref()),
        _ => (None, None),
    };
    Event {
        at: first.at,
        icon: "repaired",
        class: "healthy",
        line: Line::new(format!("{number} sequences{place} moved forward")),
        why: Some(why(cause, who)),
    }
}

fn event(entry: &HistoryEntry, several: bool) -> Event {
    let place = if several { format!(" in {}", escape_control(&entry.database)) } else { String::new() };
    let (icon, class, line, why) = match &entry.action {
        HistoryEvent::Repaired { sequence, cause, from, to, who, .. } => {
            let moved = match (from, to) {
                (Some(from), Some(to)) => format!("{place} moved from {from} to {to}"),
                _ => format!("{place} moved forward"),
            };
            let line = Line::default().name(sequence).text(moved);
            ("repaired", "healthy", line, Some(why(*cause, who.as_deref())))
        }
        HistoryEvent::Failing { sequence, lag, exhausted, held_by, cause, who } => {
            let mut text = match (exhausted, lag) {
                (true, _) => format!("{place} ran out of values"),
                (false, Some(lag)) => format!("{place} fell behind by {lag}"),
                (false, None) => format!("{place} fell behind"),
            };
            if let Some(guard) = held_by {
                text += &format!("; repair held: {}", guard.word().replace('_', " "));
            }
            let why = (!exhausted).then(|| why(*cause, who.as_deref()));
            ("failing", "failing", Line::default().name(sequence).text(text), why)
        }
        HistoryEvent::SetBack { sequence, to, why } => {
            let to = to.map_or_else(String::new, |to| format!(" to {to}"));
            let line = Line::default().name(sequence).text(format!("{place} was set back{to}; no id is in its way"));
            ("decision", "decision", line, Some(sentence(why)))
        }
        HistoryEvent::NotChecked { why } => {
            let line = Line::default().strong(escape_control(&entry.database)).text(" could not be checked");
            ("unknown", "unknown", line, Some(sentence(why)))
        }
        HistoryEvent::Inline { outcome, repairs } => {
            let held = *outcome == "held";
            let text = if held {
                format!("The login path held {}{place}", count(*repairs, "inline repair"))
            } else {
                format!("The login path made {}{place}", count(*repairs, "inline repair"))
            };
            (
                if held { "decision" } else { "repaired" },
                if held { "decision" } else { "healthy" },
                Line::new(text),
                None,
            )
        }
        HistoryEvent::Ended { store, sweeps, expired, superseded } => {
            let text = format!("{} ended {} in ", count(*sweeps, "sweep"), count(expired + superseded, "session"));
            let line = Line::new(text).name(store).text(place);
            ("ended", "healthy", line, Some(format!("Expired {expired}, replaced by a newer login {superseded}.")))
        }
    };
    Event { at: entry.at, icon, class, line, why }
}

/// The cause, and who was behind it.
fn why(cause: Option<Cause>, who: Option<&str>) -> String {
    let cause = cause_text(cause);
    who.map_or_else(|| cause.to_owned(), |who| format!("{cause} {}", sentence(who)))
}

fn cause_text(cause: Option<Cause>) -> &'static str {
    match cause {
        Some(Cause::Rewound) => "Rewound: the sequence itself was moved back.",
        Some(Cause::IdsInserted) => "Ids inserted: rows came with ids at or past the next value.",
        Some(Cause::Unknown) | None => "Cause unknown: it was behind when it was first seen.",
    }
}

/// `2 sequences fell behind, 3 repairs of 1 sequence, 212 sessions ended`.
fn summary(hour: &[&HistoryEntry]) -> String {
    let (mut behind, mut exhausted, mut set_back, mut unchecked) = (0, 0, 0, 0);
    let (mut repairs, mut inline, mut ended) = (0, 0, 0);
    let mut repaired: BTreeSet<(&str, &str)> = BTreeSet::new();
    for entry in hour {
        match &entry.action {
            HistoryEvent::Repaired { sequence, .. } => {
                repairs += 1;
                repaired.insert((&entry.database, sequence));
            }
            HistoryEvent::Failing { exhausted: true, .. } => exhausted += 1,
            HistoryEvent::Failing { .. } => behind += 1,
            HistoryEvent::SetBack { .. } => set_back += 1,
            HistoryEvent::NotChecked { .. } => unchecked += 1,
            HistoryEvent::Inline { repairs, .. } => inline += repairs,
            HistoryEvent::Ended { expired, superseded, .. } => ended += expired + superseded,
        }
    }
    let mut parts = Vec::new();
    let mut add = |number: u64, text: String| {
        if number > 0 {
            parts.push(text);
        }
    };
    add(behind, format!("{} fell behind", count(behind, "sequence")));
    add(exhausted, format!("{} ran out", count(exhausted, "sequence")));
    add(set_back, format!("{} set back", count(set_back, "sequence")));
    add(unchecked, format!("{} could not be checked", count(unchecked, "database")));
    let sequences = count(repaired.len() as u64, "sequence");
    let repair = count(repairs, "repair");
    add(repairs, if repairs > 1 { format!("{repair} of {sequences}") } else { repair });
    add(inline, count(inline, "inline repair"));
    add(ended, format!("{} ended", count(ended, "session")));
    if parts.len() > 2 { parts.join(", ") } else { list(&parts).replace(" and ", ", ") }
}

#[cfg(test)]
#[path = "activity_tests.rs"]
mod tests;
