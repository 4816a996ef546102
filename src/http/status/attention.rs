//! The sequences and session stores that a person has to act upon, with the reasons and the command that fixes them.

use super::bar::percent;
use super::rows::badge;
use super::search_query::{SearchQuery, StatusFilter};
use super::summary::thousands;
use crate::report::{SequenceReport, SessionReport, Status, Verdict, escape_control};
use crate::state::DatabaseState;
use maud::{Markup, html};
use pgmedic_core::shell_quote;
use std::collections::BTreeMap;

/// Most cards of each kind; a link to the search shows the others.
const SHOWN: usize = 20;

pub fn render(databases: &BTreeMap<String, DatabaseState>) -> Markup {
    let mut sequences: Vec<(&str, &SequenceReport)> = Vec::new();
    let mut stores: Vec<(&str, &SessionReport)> = Vec::new();
    for (database, state) in databases {
        let reports = state.report.iter().flat_map(|report| &report.sequences).map(AsRef::as_ref);
        sequences
            .extend(reports.filter(|sequence| sequence.needs_a_look()).map(|sequence| (database.as_str(), sequence)));
        let reports = state.sweeps.stores.values().filter(|store| store.attention().next().is_some());
        stores.extend(reports.map(|store| (database.as_str(), store)));
    }
    sequences.sort_by_key(|(_, sequence)| (Status::of(sequence), std::cmp::Reverse(sequence.lag)));
    let more = sequences.len().saturating_sub(SHOWN);
    html! {
        @if !sequences.is_empty() || !stores.is_empty() {
            h2 { "Needs attention" }
            ul .cards {
                @for (database, sequence) in sequences.iter().take(SHOWN) { li { (of_sequence(database, sequence)) } }
                @for (database, store) in stores.iter().take(SHOWN) { li { (of_store(database, store)) } }
            }
            @if more > 0 {
                p { a #more href=(SearchQuery { which: StatusFilter::Attention, ..SearchQuery::default() }.link(1)) {
                    (thousands(more)) " more that need attention"
                } }
            }
        }
    }
}

fn of_sequence(database: &str, sequence: &SequenceReport) -> Markup {
    let status = Status::of(sequence);
    let fix = match status {
        // It is only watched, so a run that repairs it is the fix.
        Status::Behind => Some(format!("pgmedic --once --database {}", shell_quote(database))),
        _ => sequence.reasons().find_map(|reason| reason.fix.as_ref()).map(|fix| fix.as_str().to_owned()),
    };
    let texts: Vec<&str> = sequence.reasons().map(|reason| reason.text.as_str()).collect();
    html! {
        p .what { (badge(sequence)) " " bdi .name { (escape_control(&sequence.name)) } " in " bdi { (escape_control(database)) } }
        p { (numbers_sentence(sequence)) }
        @if !texts.is_empty() { (reason_paragraph(&texts.join("; "))) }
        @if let Some(command) = fix { (command_block(&command)) }
    }
}

fn of_store(database: &str, store: &SessionReport) -> Markup {
    let (class, icon, word) = if store.error.is_some() { ("bad", "✕", "failed") } else { ("warn", "!", "held") };
    let texts: Vec<&str> = store.attention().map(|reason| reason.text.as_str()).collect();
    let fix = store.attention().find_map(|reason| reason.fix.as_ref());
    html! {
        p .what {
            span class={ "badge " (class) } { span aria-hidden="true" { (icon) } " " (word) }
            " session store " bdi .name { (escape_control(&store.name)) } " in " bdi { (escape_control(database)) }
        }
        (reason_paragraph(&texts.join("; ")))
        @if let Some(command) = fix { (command_block(command.as_str())) }
    }
}

/// Keeps each option of a command in the text on one line.
fn reason_paragraph(reason: &str) -> Markup {
    html! {
        p {
            "Why:"
            @for word in escape_control(reason).split(' ') {
                " "
                @if word.starts_with("--") { span .whole { (word) } } @else { (word) }
            }
            "."
        }
    }
}

fn command_block(command: &str) -> Markup {
    html! { p .fix { span { "Fix" } " " code { (escape_control(command)) } } }
}

/// What is wrong, in numbers.
fn numbers_sentence(sequence: &SequenceReport) -> String {
    if let (Some(far), Some(next)) = (sequence.far_ids, sequence.next_value) {
        return format!(
            "No insert fails yet: it hands out {} next, and the first id in its way is {}.",
            thousands(next),
            thousands(far.from)
        );
    }
    if let (Some(lag @ 1..), Some(next), Some(max_id)) = (sequence.lag, sequence.next_value, sequence.max_id) {
        let values = if lag == 1 { "1 value".to_owned() } else { format!("{} values", thousands(lag)) };
        return format!(
            "{values} behind: it hands out {} next, and ids go {} to {}. An insert fails whenever its id is taken.",
            thousands(next),
            if max_id < next { "down" } else { "up" },
            thousands(max_id)
        );
    }
    match (sequence.verdict, sequence.used_ratio, sequence.limit) {
        (Verdict::Unreadable, ..) => "Whether it is behind is not known.".to_owned(),
        (Verdict::Exhausted, ..) => "Inserts fail: it has no value left.".to_owned(),
        (_, Some(used), Some(limit)) => format!(
            "{} of its range is used, and inserts fail past {}. Widen the column or the sequence in time.",
            percent(used),
            thousands(limit)
        ),
        _ => String::new(),
    }
}
