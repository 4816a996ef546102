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
    assert!(text.starts_with("*Problem* in app: public.&lt;!channel&gt; held: too many values\n> pgmedic"), "{text}");
    let many = rendered(WebhookFormat::Slack, &vec![event("public.a"); 100]);
    assert!(many["text"].as_str().unwrap().ends_with("and 80 more"));
}
