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
mod tests {
    use super::super::problems::{About, Severity};
    use super::*;
    use serde_json::Value;

    fn event(name: &str) -> Event {
        Event {
            event: EventKind::Problem,
            severity: Severity::Warning,
            database: "app".to_owned(),
            about: About::Sequence,
            name: name.to_owned(),
            kind: "far_ids".to_owned(),
            text: "held: too many values".to_owned(),
            fix: Some("pgmedic --once --approve public.a".to_owned()),
            key: format!("pgmedic/app/{name}"),
        }
    }

    fn rendered(format: WebhookFormat, events: &[Event]) -> Value {
        serde_json::from_str(&render(format, events, "db1", false)).unwrap()
    }

    #[test]
    fn a_program_gets_every_field_and_the_number_of_the_rest() {
        let message = rendered(WebhookFormat::Json, &vec![event("public.a"); MOST + 3]);
        assert_eq!(message["events"].as_array().unwrap().len(), MOST);
        assert_eq!((&message["more"], &message["schema"], &message["host"]), (&json!(3), &json!(1), &json!("db1")));
        let first = &message["events"][0];
        assert_eq!(
            (&first["event"], &first["about"], &first["severity"]),
            (&json!("problem"), &json!("sequence"), &json!("warning"))
        );
    }

    #[test]
    fn people_get_lines_in_which_a_name_is_no_mention() {
        let message = rendered(WebhookFormat::Slack, &[event("public.<!channel>")]);
        let text = message["text"].as_str().unwrap();
        assert!(
            text.starts_with("*Problem* in app: public.&lt;!channel&gt; held: too many values\n> pgmedic"),
            "{text}"
        );
        let many = rendered(WebhookFormat::Slack, &vec![event("public.a"); 100]);
        assert!(many["text"].as_str().unwrap().ends_with("and 80 more"));
    }
}
