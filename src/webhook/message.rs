//! The body of a request: what the receiver's format makes of the events.

use super::problems::{Event, EventKind};
use crate::build_info::VERSION;
use crate::config::WebhookFormat;
use crate::report::escape_control;
use serde::Serialize;
use serde_json::json;

/// Events of one request. Further ones are counted: a receiver has limits, and a person too.
const MOST: usize = 50;
/// The same for a text that people read.
const MOST_LINES: usize = 20;
/// Version of the JSON form.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Message<'a> {
    schema: u32,
    source: &'static str,
    version: &'static str,
    host: &'a str,
    dry_run: bool,
    events: &'a [Event],
    /// Events that are not in the list.
    more: usize,
}

/// The body, as JSON.
pub fn render(format: WebhookFormat, events: &[Event], host: &str, dry_run: bool) -> String {
    match format {
        WebhookFormat::Json => {
            let (events, more) = (&events[..events.len().min(MOST)], events.len().saturating_sub(MOST));
            json!(Message { schema: SCHEMA, source: "pgmedic", version: VERSION, host, dry_run, events, more })
                .to_string()
        }
        WebhookFormat::Slack => {
            let mut lines: Vec<String> = events.iter().take(MOST_LINES).map(line).collect();
            if events.len() > MOST_LINES {
                lines.push(format!("and {} more", events.len() - MOST_LINES));
            }
            json!({ "text": lines.join("\n") }).to_string()
        }
    }
}

/// `*Problem* in app: public.orders_id_seq held: … Fix: …`
fn line(event: &Event) -> String {
    let word = match event.event {
        EventKind::Problem => "Problem",
        EventKind::Resolved => "Resolved",
        EventKind::Repaired => "Repaired",
    };
    let (database, name, text) = (escape(&event.database), escape(&event.name), escape(&event.text));
    let name = if event.name == event.database { String::new() } else { format!(" {name}") };
    let fix = event.fix.as_ref().map_or_else(String::new, |fix| format!("\n> {}", escape(fix)));
    format!("*{word}* in {database}:{name} {text}{fix}")
}

/// As Slack asks for, in its guide to formatting: a name must not become a link or a mention.
fn escape(text: &str) -> String {
    escape_control(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
