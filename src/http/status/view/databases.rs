//! The databases: those with a problem as rows, the others as dots and a count; by server, where whole servers are
//! configured.

use super::database_rows::{connections, folded, head, row};
use super::dots::map;
use super::parts::{label, number, prose};
use super::servers;
use crate::db::budget::ServerConnections;
use crate::http::status::model::Snapshot;
use crate::http::status::model::facts::DatabaseFacts;
use crate::http::status::model::servers::groups;
use crate::http::status::page_level::PageLevel;
use crate::http::status::search_query::SearchQuery;
use crate::http::status::words::count;
use crate::state::NamedServer;
use maud::{Markup, html};

/// Rows of databases with a problem.
const MOST_ROWS: usize = 100;
/// Dots in the map; for more databases the counts must do.
const MOST_DOTS: usize = 1000;
/// Dots in a line: of a few databases, and of many.
const DOTS: usize = 50;
const MANY_DOTS: usize = 100;

/// Nothing for one database: the headline says it all.
pub fn render(facts: &[DatabaseFacts<'_>], snapshot: &Snapshot, query: &SearchQuery) -> Markup {
    let groups = groups(facts, &snapshot.named_servers);
    let servers = groups.iter().filter(|group| group.name.is_some()).count() as u64;
    let all = count(facts.len() as u64, "database");
    let healthy = facts.iter().filter(|database| database.level == PageLevel::Healthy).count();
    html! {
        @if facts.len() > 1 {
            section #databases aria-labelledby="h-databases" data-live {
                div .head {
                    h2 #h-databases { (if servers > 0 { "Servers and databases" } else { "Databases" }) }
                    p {
                        (prose(&all)) @if servers > 0 { " on " (count(servers, "server")) }
                        // A standby knows nothing of that.
                        @if facts.iter().any(|database| database.level != PageLevel::Standby) { "; " (number(healthy)) " healthy" }
                    }
                }
                div .panel {
                    @if servers > 0 { (servers::table(groups, query, snapshot.now)) } @else { (one_by_one(facts, query, snapshot.now)) }
                    (addresses(&snapshot.servers, &snapshot.named_servers))
                }
            }
        }
    }
}

/// Without whole servers.
fn one_by_one(facts: &[DatabaseFacts<'_>], query: &SearchQuery, now: f64) -> Markup {
    let mut rows: Vec<&DatabaseFacts<'_>> = facts.iter().filter(|database| !database.is_quiet()).collect();
    rows.sort_by_key(|database| (database.level, std::cmp::Reverse(database.counts.failing)));
    let all: Vec<&DatabaseFacts<'_>> = facts.iter().collect();
    html! {
        @if all.len() <= MOST_DOTS { div .dots { (map(&all, if all.len() > 4 * DOTS { MANY_DOTS } else { DOTS })) } }
        @if !rows.is_empty() { (table(&rows, now)) }
        @for level in [PageLevel::Starting, PageLevel::Healthy, PageLevel::Standby] {
            @let databases: Vec<_> = all.iter().copied().filter(|database| database.level == level).collect();
            @if !databases.is_empty() { (folded(level, &databases, None, query)) }
        }
    }
}

/// The servers without a row, by their addresses.
fn addresses(servers: &[ServerConnections], named: &[NamedServer]) -> Markup {
    let has_row = |server: &&ServerConnections| !named.iter().any(|named| named.connections.as_ref() == Some(*server));
    let servers: Vec<_> = servers.iter().filter(has_row).take(MOST_ROWS).collect();
    html! {
        @if !servers.is_empty() {
            ul .servers { @for server in servers { li { b { (label(&server.server)) } " " (connections(server)) } } }
        }
    }
}

fn table(rows: &[&DatabaseFacts<'_>], now: f64) -> Markup {
    html! {
        div .scroll tabindex="0" role="region" aria-label="Databases, table" {
            table .cards.dbs role="table" aria-label="Databases that need attention" {
                (head())
                tbody role="rowgroup" { @for database in rows.iter().take(MOST_ROWS) { (row(database, now)) } }
            }
        }
        @if rows.len() > MOST_ROWS {
            p .pager { (rows.len() - MOST_ROWS) " more databases need attention; their cards and their sequences name them." }
        }
    }
}
