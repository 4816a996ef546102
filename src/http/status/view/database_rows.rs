//! What the tables of databases are made of: their head, the row of a database that needs attention, and the line of those
//! that need none.

use super::icons::icon;
use super::parts::{ago, badge, counted, label, number, stable_id};
use crate::db::budget::ServerConnections;
use crate::http::status::model::facts::DatabaseFacts;
use crate::http::status::page_level::PageLevel;
use crate::http::status::search_query::SearchQuery;
use crate::http::status::words::count;
use maud::{Markup, html};

/// Databases that are listed in a fold; more are listed on pages.
pub const FOLDED: usize = 50;
/// Names on a page of the list.
const NAMES: usize = 100;
/// The columns, and whether they are numbers.
pub const COLUMNS: [(&str, bool); 9] = [
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

/// The head of the table.
pub fn head() -> Markup {
    html! {
        thead role="rowgroup" { tr role="row" {
            @for (label, is_number) in COLUMNS { th role="columnheader" scope="col" .num[is_number] { (label) } }
        } }
    }
}

/// `3 of at most 4 connections`.
pub fn connections(server: &ServerConnections) -> Markup {
    html! { (server.open) " of at most " (count(u64::from(server.max), "connection")) }
}

pub fn row(database: &DatabaseFacts<'_>, now: f64) -> Markup {
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
            th .dbname role="rowheader" scope="row" { a .strong href=(link.link("sequences")) { (label(database.own_name())) } }
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

/// Whether the list of healthy databases of this server, or of those without one, is asked for.
pub fn is_open(query: &SearchQuery, server: Option<&str>) -> bool {
    query.databases.is_some() && query.server == server.unwrap_or_default()
}

/// Those of a server without a problem, at least one: a count, and the names on demand.
pub fn folded(level: PageLevel, databases: &[&DatabaseFacts<'_>], server: Option<&str>, query: &SearchQuery) -> Markup {
    let sequences: u64 = databases.iter().filter_map(|database| database.sequences).sum();
    let title = match level {
        PageLevel::Healthy => count(databases.len() as u64, "healthy database"),
        PageLevel::Starting => format!("{} in the first check", count(databases.len() as u64, "database")),
        _ => format!("{} led by another agent", count(databases.len() as u64, "database")),
    };
    let pages = databases.len().div_ceil(NAMES).max(1);
    let server = server.unwrap_or_default();
    let is_asked_for = is_open(query, Some(server)) && (level == PageLevel::Healthy || databases.len() > FOLDED);
    let open = query.databases.filter(|_| is_asked_for);
    let page = open.unwrap_or(1).clamp(1, pages);
    let at = |page: usize| {
        SearchQuery { databases: Some(page), server: server.to_owned(), ..query.clone() }.link("databases")
    };
    let id = stable_id("fold", &format!("{server} {}", level.icon()));
    html! {
        @if databases.len() <= FOLDED {
            details .quiet-list id=(id) open[open.is_some()] {
                summary { (icon("fold")) span { (title) } @if sequences > 0 { span .quiet { (number(sequences)) " sequences" } } }
                (names(databases))
            }
        } @else {
            div .quiet-list {
                p {
                    @if open.is_some() { (title) } @else { a id=(id) href=(at(1)) { (title) } }
                    @if sequences > 0 { " " span .quiet { (number(sequences)) " sequences" } }
                }
                @if open.is_some() {
                    (names(databases.get((page - 1) * NAMES..(page * NAMES).min(databases.len())).unwrap_or_default()))
                    nav .pager aria-label="Pages of databases" {
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
                    a href=(SearchQuery { database: database.name.to_owned(), page: 1, ..SearchQuery::default() }.link("sequences")) { (label(database.own_name())) }
                    @if let Some(sequences) = database.sequences { span .quiet { (number(sequences)) } }
                }
            }
        }
    }
}
