//! What was done since the agent started, newest first.

use super::moment::ago;
use super::sentence::{count, grouped};
use crate::metrics::{Deed, Entry, Timeline};
use crate::report::{Cause, clean};
use maud::{Markup, html};

pub fn render(timeline: &Timeline, started: f64, now: f64) -> Markup {
    html! {
        ol .timeline {
            @for entry in timeline.entries() { li { (ago(entry.at, now)) " " span { (of_entry(entry)) } } }
            @if timeline.earlier() > 0 { li { (grouped(timeline.earlier())) " more before." } }
            li { (ago(started, now)) " " span { "This agent started." } }
        }
    }
}

fn of_entry(entry: &Entry) -> Markup {
    let database = html! { " in " bdi { (clean(&entry.database)) } };
    match &entry.deed {
        Deed::Repaired { sequence, method, cause, gap, from, to } => html! {
            span .badge.good { span aria-hidden="true" { "↻" } " repaired" }
            " " bdi .name { (clean(sequence)) } (database)
            @if let (Some(from), Some(to)) = (from, to) { ", from " (grouped(from)) " to " (grouped(to)) }
            @if let Some(gap) = gap { ", gap " (grouped(gap)) }
            @if let Some(method) = method { ", by " (method.word()) }
            ". " (because(*cause))
        },
        Deed::Inline { outcome, repairs } => html! {
            span .badge.(if *outcome == "held" { "warn" } else { "good" }) {
                span aria-hidden="true" { (if *outcome == "held" { "!" } else { "↻" }) } " " (outcome)
            }
            " inline by the login path: " (count(*repairs, "repair")) (database) "."
        },
        Deed::Ended { store, expired, superseded } => html! {
            span .badge.plain { span aria-hidden="true" { "−" } " ended" }
            " " (count(expired + superseded, "session")) " of " bdi .name { (clean(store)) } (database) ": "
            (grouped(expired)) " expired, " (grouped(superseded)) " superseded by newer ones."
        },
    }
}

fn because(cause: Option<Cause>) -> &'static str {
    match cause {
        Some(Cause::Rewound) => "Cause: the sequence was moved back.",
        Some(Cause::IdsInserted) => "Cause: ids were inserted past it.",
        Some(Cause::Unknown) | None => "Cause unknown: it was seen for the first time.",
    }
}
