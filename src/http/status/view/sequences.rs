//! The table of sequences, with its filters and its search.

use super::icons::icon;
use super::parts::{ago, breakable, label, name, number, styled_badge};
use crate::http::status::model::facts::DatabaseFacts;
use crate::http::status::model::row::{Row, days_left};
use crate::http::status::model::sequences::{ROWS, Table, TableRow};
use crate::http::status::search_query::{Direction, Filter, SearchQuery, SortKey};
use crate::http::status::sequence_query::SequenceQuery;
use crate::http::status::time::minute;
use crate::http::status::words::{days, percent};
use crate::report::{Cause, SequenceReport, Verdict, escape_control};
use crate::state::LastRepair;
use maud::{Markup, html};

/// Columns shown of a sequence that feeds many.
const FEEDS: usize = 3;

pub fn render(table: &Table<'_>, query: &SearchQuery, facts: &[DatabaseFacts<'_>], calm: bool, now: f64) -> Markup {
    let several = facts.len() > 1;
    html! {
        section #sequences aria-labelledby="h-sequences" {
            div .head {
                h2 #h-sequences { "Sequences" }
                p { (if calm { "Closest to the limit first" } else { "Worst first" }) "; select a column to sort" }
            }
            div .panel {
                div .tools {
                    (chips(table, query))
                    (form(query, several))
                }
                div #rows data-live {
                    @if table.rows.is_empty() {
                        p .none-found { (if query.is_unfiltered() { "No sequence is known at the moment." } else { "No matching sequences." }) }
                    } @else { (rows(table, query, several, now)) }
                    (pager(table, query))
                }
            }
        }
    }
}

fn chips(table: &Table<'_>, query: &SearchQuery) -> Markup {
    let counts = &table.counts;
    html! {
        nav #chips .chips aria-label="Filter by status" data-live {
            @for filter in Filter::ALL {
                @let number_of = counts.of(filter);
                @if filter != Filter::NotJudged || number_of > 0 {
                    @let (class, icon_name, word) = chip(filter);
                    @let link = SearchQuery { filter, page: 1, ..query.clone() }.link("sequences");
                    a class={ "chip " (class) @if number_of == 0 { " none" } } href=(link) aria-current=[(filter == query.filter).then_some("true")] {
                        @if !icon_name.is_empty() { (icon(icon_name)) } (word) " " b { (number(number_of)) }
                    }
                }
            }
        }
    }
}

fn chip(filter: Filter) -> (&'static str, &'static str, &'static str) {
    match filter {
        Filter::All => ("all", "", "All"),
        Filter::Failing => ("failing", "failing", "Failing"),
        Filter::Soon => ("soon", "soon", "Soon"),
        Filter::Unknown => ("unknown", "unknown", "Unknown"),
        Filter::Decision => ("decision", "decision", "Decision"),
        Filter::Repaired => ("healthy", "repaired", "Repaired 24 h"),
        Filter::Healthy => ("healthy", "healthy", "Healthy"),
        Filter::NotJudged => ("idle", "standby", "Not judged"),
    }
}

fn form(query: &SearchQuery, several: bool) -> Markup {
    let (sorted, descending) = query.order();
    let sorts = [
        (SortKey::Status, "Worst first"),
        (SortKey::TimeLeft, "Least time left"),
        (SortKey::Used, "Most used"),
        (SortKey::Lag, "Largest lag"),
        (SortKey::Sequence, "Name"),
    ];
    html! {
        form #search .search method="get" action="./#sequences" role="search" {
            label .sr for="q" { "Search sequences, tables, columns" @if several { ", databases" } }
            input #q type="search" name="q" value=(query.text) placeholder=(if several { "Name, column, database" } else { "Name or column" }) autocomplete="off" spellcheck="false";
            @for (key, value) in [("database", &query.database), ("server", &query.server)] {
                @if several && !value.is_empty() { input type="hidden" name=(key) value=(value); }
            }
            @if query.filter != Filter::All { input type="hidden" name="status" value=(query.filter.value()); }
            label .sr for="sort" { "Sort by" }
            select #sort name="sort" {
                @for (key, label) in sorts { option value=(key.value()) selected[key == sorted] { (label) } }
                // A column without an entry keeps its order when a word is searched for.
                @if !sorts.iter().any(|(key, _)| *key == sorted) {
                    option value=(sorted.value()) selected { (heading(sorted)) }
                }
            }
            @if query.direction.is_some() { input type="hidden" name="dir" value=(if descending { "desc" } else { "asc" }); }
            button type="submit" { "Search" }
        }
        @if !query.is_unfiltered() {
            p .asked {
                @if !query.database.is_empty() { "Only in " b { (label(&query.database)) } ". " }
                @if !query.server.is_empty() { "Only on server " b { (label(&query.server)) } ". " }
                a #show-all href=(SearchQuery { page: 1, ..SearchQuery::default() }.link("sequences")) { "Show all" }
            }
        }
    }
}

fn heading(key: SortKey) -> &'static str {
    match key {
        SortKey::Status => "Status",
        SortKey::Sequence => "Sequence",
        SortKey::Database => "Database",
        SortKey::NextValue => "Next value",
        SortKey::MaxId => "Max id",
        SortKey::Lag => "Lag",
        SortKey::Used => "Used",
        SortKey::TimeLeft => "Time left",
        SortKey::LastRepair => "Last repair",
    }
}

fn rows(table: &Table<'_>, query: &SearchQuery, several: bool, now: f64) -> Markup {
    html! {
        div .scroll tabindex="0" role="region" aria-label="Sequences, table" {
            table .cards.seqs role="table" aria-label="Sequences" {
                thead role="rowgroup" { tr role="row" {
                    (sortable(SortKey::Status, query, false))
                    (sortable(SortKey::Sequence, query, false))
                    th .feeds role="columnheader" scope="col" { "Feeds" }
                    @if several { (sortable(SortKey::Database, query, false)) }
                    (sortable(SortKey::NextValue, query, true))
                    (sortable(SortKey::MaxId, query, true))
                    (sortable(SortKey::Lag, query, true))
                    (sortable(SortKey::Used, query, true))
                    @if table.has_time_left { (sortable(SortKey::TimeLeft, query, true)) }
                    (sortable(SortKey::LastRepair, query, false))
                } }
                tbody role="rowgroup" {
                    @for line in &table.rows {
                        @match line {
                            TableRow::Sequence(row) => { (sequence_row(row, table.has_time_left, several, now)) }
                            TableRow::Database(name, sequences, since) => { (database_row(name, *sequences, *since, table.has_time_left, several)) }
                        }
                    }
                }
            }
        }
    }
}

fn sortable(key: SortKey, query: &SearchQuery, is_number: bool) -> Markup {
    let (sorted, descending) = query.order();
    let is_sorted = sorted == key;
    let class = match key {
        SortKey::LastRepair => "rep",
        _ if is_number => "num",
        _ => "",
    };
    let direction = if descending { Direction::Descending } else { Direction::Ascending };
    let (word, arrow) = match direction {
        Direction::Descending => ("descending", " ↓"),
        Direction::Ascending => ("ascending", " ↑"),
    };
    html! {
        th class=[(!class.is_empty()).then_some(class)] role="columnheader" scope="col" aria-sort=[is_sorted.then_some(word)] {
            a id={ "sort-" (key.value()) } href=(query.sorted_by(key).link("sequences")) {
                (heading(key)) @if is_sorted { span aria-hidden="true" { (arrow) } }
            }
        }
    }
}

fn sequence_row(row: &Row<'_>, has_time_left: bool, several: bool, now: f64) -> Markup {
    let sequence = row.sequence;
    let is_quiet = row.state.is_quiet();
    let value = |number_of: Option<i64>| html! { @match number_of { Some(value) => { (number(value)) } None => { span .quiet { (missing(sequence)) } } } };
    html! {
        tr role="row" class={ "seq" @if !is_quiet { " " (row.state.class()) } } {
            td .state role="cell" { (styled_badge(row.state.class(), row.state.icon(), row.state.word(), is_quiet)) }
            th .full role="rowheader" scope="row" { a href=(SequenceQuery::link(row.database, &sequence.name)) { (name(&sequence.name)) } }
            td .feeds role="cell" data-label="Feeds" { (feeds(sequence)) }
            @if several { td .db role="cell" {
                a href=(SearchQuery { database: row.database.to_owned(), page: 1, ..SearchQuery::default() }.link("sequences")) { (label(row.database)) }
            } }
            td .num role="cell" data-label="Next value" { (value(sequence.next_value_after_pass())) }
            td .num.max role="cell" data-label="Max id" { (value(sequence.max_id)) }
            td .num.lagc role="cell" data-label="Lag" {
                @match row.lag() {
                    Some(0) => { span .zero { "0" } }
                    Some(lag) => { b .lag { (number(lag)) } }
                    None => { span .quiet { (missing(sequence)) } }
                }
            }
            td .num role="cell" data-label="Used" { (used(sequence)) }
            @if has_time_left {
                td .num role="cell" data-label="Time left" { @match days_left(sequence) {
                    Some(left) if left <= 0.0 => { b { "none" } }
                    Some(left) => { (days(left)) }
                    None => { span .quiet { "–" } }
                } }
            }
            td .nowrap.rep role="cell" data-label="Last repair" {
                (last_repair(row.last_repair, now))
            }
        }
    }
}

/// When it was repaired, and the cause.
pub fn last_repair(repair: Option<LastRepair>, now: f64) -> Markup {
    html! {
        @match repair {
            Some(repair) => { (ago(repair.at, now)) @if let Some(cause) = repair.cause.and_then(cause) { span .quiet { " · " (cause) } } }
            None => { span .quiet { "–" } }
        }
    }
}

/// `?` for what was not read, `–` for what does not exist.
pub fn missing(sequence: &SequenceReport) -> &'static str {
    if sequence.verdict == Verdict::Unreadable { "?" } else { "–" }
}

fn cause(cause: Cause) -> Option<&'static str> {
    match cause {
        Cause::Rewound => Some("rewound"),
        Cause::IdsInserted => Some("ids inserted"),
        Cause::Unknown => None,
    }
}

fn feeds(sequence: &SequenceReport) -> Markup {
    let more = sequence.feeds.len().saturating_sub(FEEDS);
    html! {
        @for (index, feed) in sequence.feeds.iter().take(FEEDS).enumerate() {
            @if index > 0 { ", " }
            bdi { (breakable(&escape_control(&feed.column))) }
            @if feed.followed.is_some() { " (followed)" }
        }
        @if more > 0 { ", and " (more) " more" }
    }
}

/// The share, and from 1% on a bar.
fn used(sequence: &SequenceReport) -> Markup {
    let Some(ratio) = sequence.used_ratio else { return html! { span .quiet { (missing(sequence)) } } };
    let class = match ratio {
        ratio if ratio >= 1.0 => "used failing",
        _ if sequence.running_out => "used soon",
        _ => "used",
    };
    html! {
        @if ratio < 0.01 { span .quiet { (percent(ratio)) } } @else {
            span class=(class) {
                span { (percent(ratio)) }
                svg viewBox="0 0 56 8" preserveAspectRatio="none" aria-hidden="true" {
                    rect width="56" height="8" rx="2" {}
                    rect .fill width=(format!("{:.1}", (ratio * 56.0).clamp(1.0, 56.0))) height="8" rx="2" {}
                }
            }
        }
    }
}

fn database_row(database: &str, sequences: u64, since: Option<f64>, has_time_left: bool, several: bool) -> Markup {
    let unknown = |label: &'static str| html! { td .num role="cell" data-label=(label) { span .quiet { "?" } } };
    html! {
        tr role="row" class="seq unknown" {
            td .state role="cell" { (styled_badge("unknown", "unknown", "Unknown", false)) }
            th .full role="rowheader" scope="row" { b { (label(database)) ": " (number(sequences)) " sequences" } }
            td .feeds role="cell" data-label="Feeds" { "not checked" @if let Some(at) = since { " since " (minute(at)) } }
            @if several { td .db role="cell" { (label(database)) } }
            (unknown("Next value")) (unknown("Max id")) (unknown("Lag")) (unknown("Used"))
            @if has_time_left { (unknown("Time left")) }
            td .rep role="cell" data-label="Last repair" { span .quiet { "?" } }
        }
    }
}

fn pager(table: &Table<'_>, query: &SearchQuery) -> Markup {
    let last = (table.first + ROWS - 1).min(table.found);
    let at = |page: usize| SearchQuery { page, ..query.clone() }.link("sequences");
    html! {
        @if table.found > 0 {
            nav .pager aria-label="Pages of sequences" {
                span #found { (table.first) " to " (number(last)) " of " (number(table.found)) }
                @if table.pages > 1 {
                    span .end {
                        @if table.page > 1 { a #first href=(at(1)) { "First" } a #previous rel="prev" href=(at(table.page - 1)) { "Previous" } }
                        @if table.page < table.pages { a #next rel="next" href=(at(table.page + 1)) { "Next" } a #last href=(at(table.pages)) { "Last" } }
                    }
                }
            }
        }
    }
}
