//! The page as a whole.

use super::assets::Links;
use super::search_query::SearchQuery;
use super::summary::{DatabaseSummary, Health, count};
use super::{attention, database, history, rows, time};
use crate::db::budget::ServerConnections;
use crate::report::escape_control;
use crate::state::{AgentState, DatabaseState, now};
use maud::{DOCTYPE, Markup, html};
use std::collections::BTreeMap;

/// The script replaces elements with `data-live` after a change; the search form is not one of them.
pub fn render(state: &AgentState, query: &SearchQuery) -> Markup {
    // Read first, so that a change during the rendering is announced to the page.
    let revision = *state.revision().borrow();
    let (databases, now, links) = (state.databases(), now(), Links::new());
    let (health, headline) = headline(&databases, now);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (health.icon()) " " (headline) " – pgmedic" }
                link rel="icon" type="image/svg+xml" href=(links.icon);
                link rel="stylesheet" href=(links.stylesheet);
                script src=(links.script) defer {}
            }
            body data-revision=(revision) {
                a .skip href="#main" { "Skip to the content" }
                header {
                    p .brand { strong { "pgmedic" } " " (env!("CARGO_PKG_VERSION")) @if state.dry_run() { " " span .badge.plain { span aria-hidden="true" { "○" } " dry run: nothing is changed" } } }
                    p #as-of-line data-live { "As of " (time::as_of(now)) " " span #live { a #reload href="" { "Reload" } } }
                }
                p #stale .badge.bad role="alert" hidden {}
                p #said .skip role="status" {}
                main #main tabindex="-1" {
                    h1 #headline class=(health.class()) data-live { span aria-hidden="true" { (health.icon()) } " " (headline) }
                    @if !state.reload().accepted {
                        p .badge.warn { span aria-hidden="true" { "!" } " The configuration was refused when it was last read; the one before is in force. The log says why." }
                    }
                    section #databases data-live {
                        h2 { "Databases" }
                        @for ServerConnections { server, open, max, .. } in state.servers() {
                            p .quiet { "Server " bdi { (escape_control(&server)) } ": " (open) " of at most " (count(u64::from(max), "connection")) }
                        }
                        div .grid { @for (name, database) in worst_first(&databases, now) { (database::render(name, database, now)) } }
                    }
                    section #attention data-live { (attention::render(&databases)) }
                    section #sequences {
                        h2 { "Sequences" }
                        (rows::form(query, &databases))
                        div #rows data-live { (rows::table(query, &databases)) }
                    }
                    section #timeline data-live {
                        h2 { "Recent activity" }
                        (history::render(&state.history(), state.started(), now))
                    }
                }
                footer { p {
                    "This page changes nothing. The same for programs: "
                    a href="metrics" { "metrics" } ", " a href="api/v1/reports" { "reports" } "."
                } }
            }
        }
    }
}

/// The databases that need attention come first.
fn worst_first(databases: &BTreeMap<String, DatabaseState>, now: f64) -> Vec<(&String, &DatabaseState)> {
    let mut sorted: Vec<_> = databases.iter().collect();
    sorted.sort_by_key(|(_, database)| std::cmp::Reverse(DatabaseSummary::of(database, now).health));
    sorted
}

/// Of all databases together.
fn headline(databases: &BTreeMap<String, DatabaseState>, now: f64) -> (Health, String) {
    let healths: Vec<Health> = databases.values().map(|database| DatabaseSummary::of(database, now).health).collect();
    let of = |wanted: Health| healths.iter().filter(|health| **health == wanted).count() as u64;
    let all = healths.len() as u64;
    let some = |number: u64| if number == all { String::new() } else { format!("{} of ", number) };
    // Healthy where this agent leads at least one database; standby databases do not make it worse.
    match healths.iter().max() {
        Some(worst @ (Health::Unreachable | Health::NotMonitored)) => {
            let number = of(Health::Unreachable) + of(Health::NotMonitored);
            let verb = if number == 1 { "is" } else { "are" };
            (*worst, format!("{}{} {verb} not monitored", some(number), count(all, "database")))
        }
        Some(Health::Attention) => {
            let number = of(Health::Attention);
            let verb = if number == 1 { "needs" } else { "need" };
            (Health::Attention, format!("{}{} {verb} attention", some(number), count(all, "database")))
        }
        Some(Health::Unknown) => (Health::Unknown, "The first look is under way".to_owned()),
        Some(Health::Healthy | Health::Idle) if of(Health::Healthy) > 0 => {
            (Health::Healthy, "All sequences healthy".to_owned())
        }
        Some(Health::Healthy | Health::Idle) => (Health::Idle, "Standby".to_owned()),
        None => (Health::Unknown, "No database is configured".to_owned()),
    }
}
