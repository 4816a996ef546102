//! The session stores.

use super::icons::icon;
use super::parts::{ago, counted, label, name};
use crate::http::status::model::facts::DatabaseFacts;
use crate::http::status::time::format_duration;
use crate::report::{SessionReport, escape_control};
use maud::{Markup, html};

/// Stores on the page; those that need attention have a card too.
const MOST: usize = 50;

/// Nothing where no store is configured.
pub fn render(facts: &[DatabaseFacts<'_>], now: f64) -> Markup {
    let mut stores: Vec<(&DatabaseFacts<'_>, &SessionReport)> = facts
        .iter()
        .flat_map(|database| database.state.sweeps.stores.values().map(move |store| (database, store)))
        .collect();
    stores.sort_by_key(|(_, store)| store.attention().next().is_none());
    let interval = facts.iter().filter_map(|database| database.state.sweeps.interval).reduce(f64::min);
    html! {
        @if !stores.is_empty() {
            section #sessions aria-labelledby="h-sessions" data-live {
                div .head {
                    h2 #h-sessions { "Session stores" }
                    @if let Some(interval) = interval { p { "Swept every " (format_duration(interval)) "; expired sessions end with the next sweep" } }
                }
                div .panel {
                    div .scroll tabindex="0" role="region" aria-label="Session stores, table" {
                        table .cards.stores role="table" aria-label="Session stores" {
                            thead role="rowgroup" { tr role="row" {
                                th role="columnheader" scope="col" { "Store" }
                                th .num role="columnheader" scope="col" { "Live" }
                                th .num role="columnheader" scope="col" { "Expired" }
                                th .num role="columnheader" scope="col" { "Ended 24 h" }
                                th role="columnheader" scope="col" { "Last sweep" }
                            } }
                            tbody role="rowgroup" { @for (database, store) in stores.iter().take(MOST) { (row(database, store, facts.len() > 1, now)) } }
                        }
                    }
                    @if stores.len() > MOST { p .pager { (stores.len() - MOST) " more stores" } }
                }
            }
        }
    }
}

fn row(database: &DatabaseFacts<'_>, store: &SessionReport, several: bool, now: f64) -> Markup {
    let ended = database.state.sweeps.ended.get(&store.name).map(|day| day.sum(now, |hour| hour.ended));
    let swept = database.state.sweeps.swept_at.get(&store.name);
    html! {
        tr role="row" class={ @if store.error.is_some() { "unknown" } @else if store.held.is_some() { "decision" } } {
            th .full role="rowheader" scope="row" {
                (name(&store.name)) @if several { " " span .quiet.small { (label(database.name)) } }
                @for warning in &store.warnings { span .warning { (escape_control(&warning.to_string())) } }
            }
            td .num role="cell" data-label="Live" { (counted(store.live)) }
            td .num role="cell" data-label="Expired" { (counted(store.stale)) }
            td .num role="cell" data-label="Ended 24 h" { (counted(ended.or(Some(0)))) }
            td .nowrap.full role="cell" {
                @let (class, word) = match (&store.error, &store.held) {
                    (Some(_), _) => ("unknown", "Failed"),
                    (None, Some(_)) => ("decision", "Held"),
                    (None, None) => ("healthy", "Swept"),
                };
                span class={ "badge " (class) @if class == "healthy" { " plain" } } {
                    (icon(class)) span .word { (word) } @if let Some(at) = swept { (ago(*at, now)) }
                }
            }
        }
    }
}
