//! The recent activity, newest first.

use super::summary::{count, thousands};
use super::time::ago;
use crate::report::{Cause, escape_control};
use crate::state::{History, HistoryEntry, HistoryEvent};
use maud::{Markup, html};

pub fn render(history: &History, started: f64, now: f64) -> Markup {
    html! {
        ol .timeline {
            @for entry in history.entries() { li { (ago(entry.at, now)) " " span { (of_entry(entry)) } } }
            @if history.dropped() > 0 { li { (thousands(history.dropped())) " earlier entries." } }
            li { (ago(started, now)) " " span { "This agent started." } }
        }
    }
}

fn of_entry(entry: &HistoryEntry) -> Markup {
    let database = html! { " in " bdi { (escape_control(&entry.database)) } };
    match &entry.action {
        HistoryEvent::Repaired { sequence, method, cause, lag, from, to } => html! {
            span .badge.good { span aria-hidden="true" { "↻" } " repaired" }
            " " bdi .name { (escape_control(sequence)) } (database)
            @if let (Some(from), Some(to)) = (from, to) { ", from " (thousands(from)) " to " (thousands(to)) }
            @if let Some(lag) = lag { ", lag " (thousands(lag)) }
            @if let Some(method) = method { ", by " (method.word()) }
            ". " (cause_text(*cause))
        },
        HistoryEvent::Inline { outcome, repairs } => html! {
            span .badge.(if *outcome == "held" { "warn" } else { "good" }) {
                span aria-hidden="true" { (if *outcome == "held" { "!" } else { "↻" }) } " " (outcome)
            }
            " inline by the login path: " (count(*repairs, "repair")) (database) "."
        },
        HistoryEvent::Ended { store, expired, superseded } => html! {
            span .badge.plain { span aria-hidden="true" { "−" } " ended" }
            " " (count(expired + superseded, "session")) " of " bdi .name { (escape_control(store)) } (database) ": "
            (thousands(expired)) " expired, " (thousands(superseded)) " superseded by newer ones."
        },
    }
}

fn cause_text(cause: Option<Cause>) -> &'static str {
    match cause {
        Some(Cause::Rewound) => "Cause: the sequence was moved back.",
        Some(Cause::IdsInserted) => "Cause: ids were inserted past it.",
        Some(Cause::Unknown) | None => "Cause unknown: it was seen for the first time.",
    }
}
