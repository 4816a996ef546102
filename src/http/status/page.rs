//! The page as a whole.

use super::assets::Links;
use super::search_query::SearchQuery;
use super::summary::{DatabaseSummary, Health, count};
use super::{attention, database, history, rows, time};
use crate::metrics::Metrics;
use crate::state::{DatabaseState, now};
use maud::{DOCTYPE, Markup, html};
use std::collections::BTreeMap;

/// Elements with `data-live` are what the script replaces when there is news; the search stays as it is typed.
pub fn render(metrics: &Metrics, question: &SearchQuery) -> Markup {
    let board = metrics.board();
    // Before anything is read: what changes meanwhile is news.
    let revision = *board.revision().borrow();
    let (stations, now, links) = (board.databases(), now(), Links::new());
    let (mood, headline) = headline(&stations, now);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (mood.icon()) " " (headline) " – pgmedic" }
                link rel="icon" type="image/svg+xml" href=(links.icon);
                link rel="stylesheet" href=(links.stylesheet);
                script src=(links.script) defer {}
            }
            body data-revision=(revision) {
                a .skip href="#main" { "Skip to the content" }
                header {
                    p .brand { strong { "pgmedic" } " " (env!("CARGO_PKG_VERSION")) @if metrics.dry_run() { " " span .badge.plain { span aria-hidden="true" { "○" } " dry run: nothing is changed" } } }
                    p #as-of-line data-live { "As of " (time::as_of(now)) " " span #live { a #reload href="" { "Reload" } } }
                }
                p #stale .badge.bad role="alert" hidden {}
                p #said .skip role="status" {}
                main #main tabindex="-1" {
                    h1 #headline class=(mood.class()) data-live { span aria-hidden="true" { (mood.icon()) } " " (headline) }
                    @if !board.reload().accepted {
                        p .badge.warn { span aria-hidden="true" { "!" } " The configuration was refused when it was last read; the one before is in force. The log says why." }
                    }
                    section #databases data-live {
                        h2 { "Databases" }
                        div .grid { @for (name, station) in worst_first(&stations, now) { (database::render(name, station, now)) } }
                    }
                    section #attention data-live { (attention::render(&stations)) }
                    section #sequences {
                        h2 { "Sequences" }
                        (rows::form(question, &stations))
                        div #rows data-live { (rows::table(question, &stations)) }
                    }
                    section #timeline data-live {
                        h2 { "Recent activity" }
                        (history::render(&board.history(), board.started(), now))
                    }
                }
                footer { p {
                    "This page only shows; nothing on it changes anything. The same for programs: "
                    a href="metrics" { "metrics" } ", " a href="api/v1/reports" { "reports" } "."
                } }
            }
        }
    }
}

/// Where there are many, nobody should have to look for what is not well.
fn worst_first(stations: &BTreeMap<String, DatabaseState>, now: f64) -> Vec<(&String, &DatabaseState)> {
    let mut sorted: Vec<_> = stations.iter().collect();
    sorted.sort_by_key(|(_, station)| std::cmp::Reverse(DatabaseSummary::of(station, now).mood));
    sorted
}

/// Of all databases together.
fn headline(stations: &BTreeMap<String, DatabaseState>, now: f64) -> (Health, String) {
    let moods: Vec<Health> = stations.values().map(|station| DatabaseSummary::of(station, now).mood).collect();
    let of = |wanted: Health| moods.iter().filter(|mood| **mood == wanted).count() as u64;
    let all = moods.len() as u64;
    let some = |number: u64| if number == all { String::new() } else { format!("{} of ", number) };
    // Well, where somebody looked; what is another agent's business makes nothing worse.
    match moods.iter().max() {
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
