//! The servers as rows of the table of databases. Below each: its databases with a problem, and the others as a count.

use super::database_rows::{COLUMNS, FOLDED, connections, folded, head, is_open, row};
use super::dots::map;
use super::parts::{ago, label, stable_id, styled_badge};
use crate::http::status::model::servers::ServerGroup;
use crate::http::status::page_level::PageLevel;
use crate::http::status::search_query::SearchQuery;
use crate::http::status::words::count;
use maud::{Markup, html};

/// Servers that have rows. The worst come first where there are more.
const MOST_SERVERS: usize = 100;
/// Rows of databases with a problem, over all servers.
const MOST_ROWS: usize = 100;
/// Dots of one server; for more databases the counts must do.
const MOST_DOTS: usize = 250;
/// Dots in a line.
const DOTS: usize = 42;

pub fn table(mut groups: Vec<ServerGroup<'_>>, query: &SearchQuery, now: f64) -> Markup {
    let more = groups.len().saturating_sub(MOST_SERVERS);
    if more > 0 {
        groups.sort_by_key(ServerGroup::level);
        groups.truncate(MOST_SERVERS);
    }
    let mut left = MOST_ROWS;
    let mut taken = |number: usize| {
        let shown = number.min(left);
        left -= shown;
        shown
    };
    html! {
        div .scroll tabindex="0" role="region" aria-label="Servers and databases, table" {
            table .cards.dbs role="table" aria-label="Servers and databases" {
                (head())
                @for group in &groups {
                    @let attention = group.attention();
                    @let shown = taken(attention.len());
                    tbody role="rowgroup" {
                        (server_row(group, query, now))
                        @for database in attention.iter().take(shown) { (row(database, now)) }
                        @if shown < attention.len() {
                            (wide(html! { p .quiet { (attention.len() - shown) " more databases need attention; their cards and their sequences name them." } }))
                        }
                        @for level in [PageLevel::Starting, PageLevel::Healthy, PageLevel::Standby] {
                            @let databases = group.at(level);
                            // The server's row leads to a long list of healthy ones.
                            @let is_there = level != PageLevel::Healthy || databases.len() <= FOLDED || is_open(query, group.name);
                            @if is_there && !databases.is_empty() { (wide(folded(level, &databases, group.name, query))) }
                        }
                    }
                }
            }
        }
        @if more > 0 { p .pager { (count(more as u64, "more server")) ", not worse than these." } }
    }
}

fn wide(content: Markup) -> Markup {
    html! { tr .rest role="row" { td .full role="cell" colspan=(COLUMNS.len()) { (content) } } }
}

fn server_row(group: &ServerGroup<'_>, query: &SearchQuery, now: f64) -> Markup {
    html! {
        tr .server role="row" {
            th .full role="rowheader" scope="rowgroup" colspan="2" {
                @match group.name {
                    Some(name) => {
                        a .strong href=(SearchQuery::of_server(name).link("sequences")) { (label(name)) }
                        @if let Some(known) = group.connections { " " span .quiet.small { (label(&known.server)) } }
                    }
                    None => { b { "Other databases" } }
                }
            }
            td .count.nowrap role="cell" { (state(group, query)) }
            td .full.dots role="cell" colspan="4" { @if group.databases.len() <= MOST_DOTS { (map(&group.databases, DOTS)) } }
            td .full.small.quiet.meta role="cell" { (about(group)) }
            td .small.quiet.nowrap.when role="cell" {
                @match group.least_recent_check() { Some(at) => { (ago(at, now)) } None => { "–" } }
            }
        }
    }
}

/// `21 of 22 healthy`, with a link to their list where they are not folded below.
fn state(group: &ServerGroup<'_>, query: &SearchQuery) -> Markup {
    let all = group.databases.len();
    match group.level() {
        level @ (PageLevel::Starting | PageLevel::Standby) => {
            styled_badge(level.class(), level.icon(), level.word(), true)
        }
        _ => {
            let healthy = group.at(PageLevel::Healthy).len();
            let (class, icon) = if healthy > 0 { ("healthy", "healthy") } else { ("idle", "standby") };
            let badge = styled_badge(class, icon, &format!("{healthy} of {all} healthy"), true);
            let server = group.name.unwrap_or_default();
            let list = SearchQuery { server: server.to_owned(), databases: Some(1), ..query.clone() };
            html! { @if healthy > FOLDED { a id=(stable_id("healthy", server)) href=(list.link("databases")) { (badge) } } @else { (badge) } }
        }
    }
}

/// `PostgreSQL 17.5 · primary · 3 of at most 4 connections`.
fn about(group: &ServerGroup<'_>) -> Markup {
    // Databases that are configured one by one may be of several servers.
    if group.name.is_none() {
        return html! {};
    }
    let version = group.version().map(|version| html! { "PostgreSQL " (label(version)) });
    let role = group.is_replica().map(|is_replica| html! { (if is_replica { "replica" } else { "primary" }) });
    let parts: Vec<Markup> = version.into_iter().chain(role).chain(group.connections.map(connections)).collect();
    html! { @for (index, part) in parts.iter().enumerate() { @if index > 0 { " · " } (part) } }
}

#[cfg(test)]
#[path = "servers_tests.rs"]
mod tests;
