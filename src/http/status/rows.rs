//! The search over all sequences, and its results, page by page.

use super::bar::{bar, percent};
use super::search_query::{SearchQuery, StatusFilter};
use super::summary::thousands;
use crate::report::{SequenceReport, Status, escape_control};
use crate::state::DatabaseState;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Rows on a page.
const ROWS: usize = 25;
/// A range that lasts longer needs no word about it: ten years.
const SHOWN_DAYS: f64 = 3650.0;
/// Columns shown of a sequence that feeds many.
const FEEDS: usize = 3;

type Row<'a> = (&'a str, &'a SequenceReport);

pub fn form(query: &SearchQuery, databases: &BTreeMap<String, DatabaseState>) -> Markup {
    html! {
        form #search method="get" action="./#sequences" role="search" {
            p { label for="q" { "Name or column" } input #q type="search" name="q" value=(query.text) autocomplete="off"; }
            @if databases.len() > 1 {
                p {
                    label for="database" { "Database" }
                    select #database name="database" {
                        option value="" { "all" }
                        @for name in databases.keys() {
                            option value=(name) selected[*name == query.database] { (escape_control(name)) }
                        }
                    }
                }
            }
            p {
                label for="status" { "Status" }
                select #status name="status" {
                    @for which in StatusFilter::offered() {
                        option value=(which.value()) selected[which == query.which] { (which.label()) }
                    }
                }
            }
            p { button type="submit" { "Search" } @if !query.is_unfiltered() { " " a href="./#sequences" { "Show all" } } }
        }
    }
}

pub fn table(query: &SearchQuery, databases: &BTreeMap<String, DatabaseState>) -> Markup {
    let rows = search(query, databases);
    let pages = rows.len().div_ceil(ROWS).max(1);
    let page = query.page.min(pages);
    let first = (page - 1) * ROWS;
    let shown = rows.iter().skip(first).take(ROWS);
    let several = databases.len() > 1;
    html! {
        p #found {
            @match (rows.len(), query.is_unfiltered()) {
                (0, true) => { "No sequence is known at the moment." }
                (0, false) => { "No sequence matches." }
                (1, _) => { "1 sequence" }
                (all, _) if pages == 1 => { (thousands(all)) " sequences" }
                (all, _) => { (thousands(first + 1)) " to " (thousands((first + ROWS).min(all))) " of " (thousands(all)) " sequences" }
            }
        }
        @if !rows.is_empty() {
            table role="table" aria-label="Sequences" {
                thead role="rowgroup" { tr role="row" {
                    @for (name, class) in [("Status", ""), ("Sequence", ""), ("Used", ""), ("Next value", "number"), ("Max id", "number"), ("Limit", "number")] {
                        th role="columnheader" scope="col" class=[(!class.is_empty()).then_some(class)] { (name) }
                    }
                } }
                tbody role="rowgroup" { @for row in shown { (of_row(row, several)) } }
            }
            @if pages > 1 {
                nav .pages aria-label="Pages of sequences" {
                    @if page > 1 { a #first href=(query.link(1)) { "First" } a #previous rel="prev" href=(query.link(page - 1)) { "Previous" } }
                    span { "Page " (thousands(page)) " of " (thousands(pages)) }
                    @if page < pages { a #next rel="next" href=(query.link(page + 1)) { "Next" } a #last href=(query.link(pages)) { "Last" } }
                }
            }
        }
    }
}

fn of_row((database, sequence): &Row<'_>, several: bool) -> Markup {
    let next = sequence.repair.as_ref().and_then(|repair| repair.next_value).or(sequence.next_value);
    let number = |label: &'static str, value: Option<i64>| {
        html! {
            td .number role="cell" data-label=(label) { @match value { Some(value) => (thousands(value)), None => "–" } }
        }
    };
    let more = sequence.feeds.len().saturating_sub(FEEDS);
    html! {
        tr role="row" {
            td role="cell" { (badge(sequence)) }
            td role="cell" {
                bdi .name { (escape_control(&sequence.name)) }
                @if several { span .where { " in " bdi { (escape_control(database)) } } }
                @for feed in sequence.feeds.iter().take(FEEDS) { span .feed { "feeds " bdi { (escape_control(&feed.column)) } } }
                @if more > 0 { span .feed { "and " (thousands(more)) " more" } }
            }
            td .used role="cell" data-label="Used" {
                @match sequence.used_after_pass() {
                    Some(used) => { span { (percent(used)) } (bar(sequence)) }
                    None => { "–" }
                }
                @if let Some(days) = sequence.days_left.filter(|days| *days < SHOWN_DAYS) {
                    span .feed { (format!("{days:.0} days left at the present pace")) }
                }
            }
            (number("Next value", next))
            (number("Max id", sequence.max_id))
            (number("Limit", sequence.limit))
        }
    }
}

/// The status as icon and word.
pub fn badge(sequence: &SequenceReport) -> Markup {
    let (class, icon, word) = match Status::of(sequence) {
        _ if sequence.is_only_running_out() => ("warn", "◔", "running out"),
        status @ (Status::Failed | Status::Exhausted) => ("bad", "✕", status.word()),
        status @ (Status::Held | Status::Behind) => ("warn", "!", status.word()),
        status @ Status::Unreadable => ("warn", "?", status.word()),
        status @ Status::RunningOut => ("warn", "◔", status.word()),
        status @ Status::Repaired => ("good", "↻", status.word()),
        status @ Status::InSync => ("good", "✓", status.word()),
        status @ (Status::Unsupported | Status::Unlinked) => ("plain", "○", status.word()),
    };
    html! { span class={ "badge " (class) } { span aria-hidden="true" { (icon) } " " (word) } }
}

/// Worst first, then by used ratio, then by name.
fn search<'a>(query: &SearchQuery, databases: &'a BTreeMap<String, DatabaseState>) -> Vec<Row<'a>> {
    let words: Vec<String> = query.text.to_lowercase().split_whitespace().map(ToOwned::to_owned).collect();
    let matches_text = |sequence: &SequenceReport| {
        if words.is_empty() {
            return true;
        }
        let names = std::iter::once(&sequence.name).chain(sequence.feeds.iter().map(|feed| &feed.column));
        let names: Vec<String> = names.map(|name| escape_control(name).to_lowercase()).collect();
        words.iter().all(|word| names.iter().any(|name| name.contains(word)))
    };
    let matches_status = |sequence: &SequenceReport| match query.which {
        StatusFilter::All => true,
        StatusFilter::Attention => sequence.needs_a_look(),
        StatusFilter::Status(status) => Status::of(sequence) == status,
    };
    let mut rows: Vec<Row<'a>> = databases
        .iter()
        .filter(|(name, _)| query.database.is_empty() || **name == query.database)
        .flat_map(|(name, state)| {
            let sequences = state.report.iter().flat_map(|report| &report.sequences);
            sequences.map(|sequence| (name.as_str(), sequence.as_ref()))
        })
        .filter(|(_, sequence)| matches_status(sequence) && matches_text(sequence))
        .collect();
    let rank = |sequence: &SequenceReport| (!sequence.needs_a_look(), Status::of(sequence));
    let used =
        |sequence: &SequenceReport| if sequence.running_out { sequence.used_ratio.unwrap_or_default() } else { 0.0 };
    rows.sort_by(|(a, x), (b, y)| {
        let worse = rank(x).cmp(&rank(y)).then_with(|| used(y).total_cmp(&used(x)));
        worse.then_with(|| x.name.cmp(&y.name)).then_with(|| a.cmp(b))
    });
    rows
}
