//! One database: its sentence, its leader, its session stores.

use super::summary::{DatabaseSummary, Health, count, thousands};
use super::time::{ago, format_duration};
use crate::report::{SessionReport, escape_control};
use crate::state::DatabaseState;
use maud::{Markup, html};

pub fn render(name: &str, database: &DatabaseState, now: f64) -> Markup {
    let DatabaseSummary { health, text, checked } = DatabaseSummary::of(database, now);
    // An error may end with a question mark.
    let asks = text.ends_with('?');
    html! {
        section .card {
            h3 { (badge(health)) " " bdi { (escape_control(name)) } }
            p .sentence {
                (text)
                @match checked {
                    Some(at) => { (if asks { " Last" } else { "; last" }) " checked " (ago(at, now)) "." }
                    None if health >= Health::NotMonitored => {
                        (if asks { " Never" } else { "; never" }) " checked since this agent started."
                    }
                    None if asks => {}
                    None => { "." }
                }
            }
            p .quiet {
                @match (database.leader, database.up) {
                    (true, _) => { "This agent leads" }
                    (false, Some(true)) if database.replica => { "A replica: observed only" }
                    (false, Some(true)) => { "Another agent leads" }
                    (false, _) => { "This agent does not lead" }
                }
                @if let Some(version) = database.report.as_ref().and_then(|report| report.server_version.as_deref()) {
                    " · PostgreSQL " (escape_control(version))
                }
                " · " span .whole { "a pass at least every " (format_duration(database.interval)) }
            }
            @if !database.sweeps.stores.is_empty() {
                h4 { "Session stores" }
                ul .stores { @for store in database.sweeps.stores.values() { li { (of_store(store)) } } }
            }
        }
    }
}

pub fn badge(health: Health) -> Markup {
    html! { span class={ "badge " (health.class()) } { span aria-hidden="true" { (health.icon()) } " " (health.word()) } }
}

fn of_store(store: &SessionReport) -> Markup {
    let (class, icon, word) = match (&store.error, &store.held, store.warnings.is_empty()) {
        (Some(_), _, _) => ("bad", "✕", "failed"),
        (None, Some(_), _) => ("warn", "!", "held"),
        (None, None, false) => ("plain", "○", "swept"),
        (None, None, true) => ("good", "✓", "swept"),
    };
    html! {
        span class={ "badge " (class) } { span aria-hidden="true" { (icon) } " " (word) }
        " " bdi .name { (escape_control(&store.name)) } " "
        @match (store.live, store.stale) {
            (Some(live), Some(stale)) => { (thousands(live)) " live, " (thousands(stale)) " over and not yet ended" }
            _ => { "not counted" }
        }
        @if store.expired + store.superseded > 0 {
            "; the last sweep ended " (count(store.expired + store.superseded, "session"))
        }
        @for warning in &store.warnings { span .feed { (escape_control(&warning.to_string())) } }
    }
}
