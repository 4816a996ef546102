//! The databases: those with a problem as rows, the others as dots and a count.

use super::icons::icon;
use super::parts::{ago, badge, counted, label, number, prose};
use crate::db::budget::ServerConnections;
use crate::http::status::model::facts::DatabaseFacts;
use crate::http::status::page_level::PageLevel;
use crate::http::status::search_query::SearchQuery;
use crate::http::status::words::count;
use maud::{Markup, html};

/// Databases that are listed in a fold; more are listed on pages.
const FOLDED: usize = 50;
/// Names on a page of the list.
const NAMES: usize = 100;
/// Rows of databases with a problem.
const MOST_ROWS: usize = 100;
/// Dots in the map; for more databases the counts must do.
const MOST_DOTS: usize = 1000;
/// Dots in a line: of a few databases, and of many.
const DOTS: usize = 50;
const MANY_DOTS: usize = 100;
/// Pixels from one dot to the next.
const PITCH: usize = 9;

/// Nothing for one database: the headline says it all.
pub fn render(facts: &[DatabaseFacts<'_>], servers: &[ServerConnections], query: &SearchQuery, now: f64) -> Markup {
    let mut rows: Vec<&DatabaseFacts<'_>> = facts.iter().filter(|database| !is_quiet(database.level)).collect();
    rows.sort_by_key(|database| (database.level, std::cmp::Reverse(database.counts.failing)));
    let of = |level: PageLevel| facts.iter().filter(|database| database.level == level).collect::<Vec<_>>();
    html! {
        @if facts.len() > 1 {
            section #databases aria-labelledby="h-databases" data-live {
                div .head {
                    h2 #h-databases { "Databases" }
                    p { (prose(&count(facts.len() as u64, "database"))) "; " (number(of(PageLevel::Healthy).len())) " healthy" }
                }
                div .panel {
                    @if facts.len() <= MOST_DOTS { div .dots { (map(facts)) } }
                    @if !rows.is_empty() { (table(&rows, now)) }
                    @if !servers.is_empty() {
                        ul .servers { @for server in servers.iter().take(MOST_ROWS) { li { b { (label(&server.server)) } " " (connections(server)) } } }
                    }
                    @for level in [PageLevel::Starting, PageLevel::Healthy, PageLevel::Standby] { (folded(level, &of(level), query)) }
                }
            }
        }
    }
}

/// `3 of at most 4 connections`.
pub fn connections(server: &ServerConnections) -> Markup {
    html! { (server.open) " of at most " (count(u64::from(server.max), "connection")) }
}

fn is_quiet(level: PageLevel) -> bool {
    matches!(level, PageLevel::Starting | PageLevel::Healthy | PageLevel::Standby)
}

fn table(rows: &[&DatabaseFacts<'_>], now: f64) -> Markup {
    let columns = [
        ("Status", false),
        ("Database", false),
        ("Sequences", true),
        ("Failing", true),
        ("Soon", true),
        ("Decisions", true),
        ("Repaired 24 h", true),
        ("Sessions ended 24 h", true),
        ("Last check", false),
    ];
    html! {
        div .scroll tabindex="0" role="region" aria-label="Databases, table" {
            table .cards.dbs role="table" aria-label="Databases that need attention" {
                thead role="rowgroup" { tr role="row" {
                    @for (label, is_number) in columns { th role="columnheader" scope="col" .num[is_number] { (label) } }
                } }
                tbody role="rowgroup" { @for database in rows.iter().take(MOST_ROWS) { (row(database, now)) } }
            }
        }
        @if rows.len() > MOST_ROWS {
            p .pager { (rows.len() - MOST_ROWS) " more databases need attention; their cards and their sequences name them." }
        }
    }
}

fn row(database: &DatabaseFacts<'_>, now: f64) -> Markup {
    let known = |value: u64| database.trouble.is_none().then_some(value);
    let counts = database.counts;
    let day = |of: fn(&crate::state::HourCounts) -> u64| Some(database.state.observed.day.sum(now, of));
    let cell = |label: &'static str, value: Option<u64>, is_bad: bool| {
        html! { td .num role="cell" data-label=(label) { @if is_bad && value > Some(0) { b { (counted(value)) } } @else { (counted(value)) } } }
    };
    let link = SearchQuery { database: database.name.to_owned(), page: 1, ..SearchQuery::default() };
    html! {
        tr role="row" class=(database.level.class()) {
            td .state role="cell" { (badge(database.level)) }
            th .dbname role="rowheader" scope="row" { a .strong href=(link.link("sequences")) { (label(database.name)) } }
            (cell("Sequences", database.sequences, false))
            (cell("Failing", known(counts.failing), true))
            (cell("Soon", known(counts.soon), true))
            (cell("Decisions", known(counts.decision), true))
            (cell("Repaired 24 h", day(|hour| hour.repaired), false))
            (cell("Ended 24 h", day(|hour| hour.ended), false))
            td .nowrap role="cell" data-label="Last check" {
                @match database.state.last_success {
                    Some(at) if database.trouble.is_some() => { b { (ago(at, now)) } }
                    Some(at) => { (ago(at, now)) }
                    None => { b { "never" } }
                }
            }
        }
    }
}

/// Those without a problem: a count, and the names on demand.
fn folded(level: PageLevel, databases: &[&DatabaseFacts<'_>], query: &SearchQuery) -> Markup {
    let sequences: u64 = databases.iter().filter_map(|database| database.sequences).sum();
    let title = match level {
        PageLevel::Healthy => count(databases.len() as u64, "healthy database"),
        PageLevel::Starting => format!("{} in the first check", count(databases.len() as u64, "database")),
        _ => format!("{} led by another agent", count(databases.len() as u64, "database")),
    };
    let pages = databases.len().div_ceil(NAMES).max(1);
    let open = query.databases.filter(|_| level == PageLevel::Healthy || databases.len() > FOLDED);
    let page = open.unwrap_or(1).clamp(1, pages);
    let at = |page: usize| SearchQuery { databases: Some(page), ..query.clone() }.link("databases");
    html! {
        @if databases.is_empty() {
        } @else if databases.len() <= FOLDED {
            details .quiet-list id={ "fold-" (level.icon()) } open[open.is_some()] {
                summary { (icon("fold")) span { (title) } @if sequences > 0 { span .quiet { (number(sequences)) " sequences" } } }
                (names(databases))
            }
        } @else {
            div .quiet-list {
                p {
                    @if open.is_some() { (title) } @else { a #healthy-databases href=(at(1)) { (title) } }
                    @if sequences > 0 { " " span .quiet { (number(sequences)) " sequences" } }
                }
                @if open.is_some() {
                    (names(databases.get((page - 1) * NAMES..(page * NAMES).min(databases.len())).unwrap_or_default()))
                    nav .pager aria-label="Pages of healthy databases" {
                        span { ((page - 1) * NAMES + 1) " to " ((page * NAMES).min(databases.len())) " of " (number(databases.len())) }
                        span .end {
                            @if page > 1 { a href=(at(page - 1)) { "Previous" } }
                            @if page < pages { a href=(at(page + 1)) { "Next" } }
                        }
                    }
                }
            }
        }
    }
}

fn names(databases: &[&DatabaseFacts<'_>]) -> Markup {
    html! {
        ul .names {
            @for database in databases {
                li {
                    a href=(SearchQuery { database: database.name.to_owned(), page: 1, ..SearchQuery::default() }.link("sequences")) { (label(database.name)) }
                    @if let Some(sequences) = database.sequences { span .quiet { (number(sequences)) } }
                }
            }
        }
    }
}

/// One shape for each database, in the order of their names. All healthy ones are one path.
fn map(facts: &[DatabaseFacts<'_>]) -> Markup {
    let line = if facts.len() > 4 * DOTS { MANY_DOTS } else { DOTS };
    let columns = facts.len().min(line);
    let (width, height) = (columns * PITCH, facts.len().div_ceil(line) * PITCH);
    let paths: Vec<(PageLevel, String)> = [
        PageLevel::Healthy,
        PageLevel::Standby,
        PageLevel::Starting,
        PageLevel::Decision,
        PageLevel::Soon,
        PageLevel::Unknown,
        PageLevel::Failing,
    ]
    .into_iter()
    .map(|level| {
        let dots = facts.iter().enumerate().filter(|(_, database)| database.level == level);
        (level, dots.map(|(index, _)| shape(level, index % line * PITCH, index / line * PITCH)).collect())
    })
    .collect();
    let mut said: Vec<String> = Vec::new();
    for level in [PageLevel::Failing, PageLevel::Unknown, PageLevel::Soon, PageLevel::Decision, PageLevel::Healthy] {
        let number = facts.iter().filter(|database| database.level == level).count();
        if number > 0 {
            said.push(format!("{number} {}", level.word().to_lowercase()));
        }
    }
    let said = format!("{}: {}", count(facts.len() as u64, "database"), said.join(", "));
    html! {
        svg .map width=(width) height=(height) viewBox={ "-1 -1 " (width + 1) " " (height + 1) } role="img" aria-label=(said) {
            @for (level, outline) in &paths { @if !outline.is_empty() { path class=(level.icon()) d=(outline) {} } }
        }
    }
}

/// On seven pixels: squares for what is quiet, and the levels' shapes.
fn shape(level: PageLevel, x: usize, y: usize) -> String {
    match level {
        PageLevel::Failing => format!("M{} {y}h4l2 2v4l-2 2h-4l-2-2v-4z", x + 2),
        PageLevel::Unknown => format!("M{} {y}l4 4-4 4-4-4z", x + 4),
        PageLevel::Soon => format!("M{} {y}l4 8h-8z", x + 4),
        PageLevel::Decision => format!("M{x} {y}h8v8h-8zM{} {}v4h1v-4zM{} {}v4h1v-4z", x + 2, y + 2, x + 5, y + 2),
        PageLevel::Starting | PageLevel::Standby => format!("M{} {}h3v3h-3z", x + 2, y + 2),
        PageLevel::Healthy => format!("M{} {}h6v6h-6z", x + 1, y + 1),
    }
}
