//! What is shown instead of numbers: by a standby, and by an agent that starts.

use super::icons::icon;
use super::parts::label;
use crate::http::status::model::PageLinks;
use crate::http::status::model::facts::DatabaseFacts;
use crate::http::status::time::format_duration;
use maud::{Markup, html};

pub fn standby(facts: &[DatabaseFacts<'_>], links: &PageLinks) -> Markup {
    let interval = facts.iter().map(|database| database.state.interval).fold(0.0, f64::max);
    html! {
        section #standby aria-label="Leader" data-live {
            p .panel.calm {
                b { "Another agent has the numbers." }
                " A standby checks nothing itself, so this page cannot say whether inserts work. It takes over within "
                (format_duration(interval)) " when the leader stops."
            }
            @if !links.agents.is_empty() {
                p .links.agents {
                    @for agent in &links.agents { a href=(agent.url) { "Open the page of " (label(&agent.name)) } " " }
                }
            }
        }
    }
}

/// The steps until the first result, where one database is configured.
pub fn starting(facts: &[DatabaseFacts<'_>]) -> Markup {
    let [database] = facts else { return html! {} };
    let state = database.state;
    let is_connected = state.up == Some(true) || state.leader;
    let step = |is_done: bool, is_running: bool, title: Markup, text: Markup| {
        let (class, name) = match (is_done, is_running) {
            (true, _) => ("healthy", "healthy"),
            (false, true) => ("decision", "starting"),
            (false, false) => ("idle", "standby"),
        };
        html! { li class=(class) { (icon(name)) div { b { (title) } div .quiet { (text) } } } }
    };
    html! {
        section #starting aria-labelledby="h-starting" data-live {
            div .head { h2 #h-starting { "Starting" } }
            ol .panel.steps {
                (step(true, false, html! { "Configuration read" }, html! { "The settings were accepted." }))
                (step(is_connected, true, html! { "Connect to " (label(database.name)) }, html! {
                    @if is_connected { "The server answers." } @else { "Waiting for the server." }
                }))
                (step(false, is_connected, html! { "First check of " (label(database.name)) }, html! { "Reads the sequences and the tables that they feed." }))
                (step(false, false, html! { "Watch" }, html! { "Every " (format_duration(state.interval)) " from then on, and at once on NOTIFY pgmedic." }))
            }
        }
    }
}
