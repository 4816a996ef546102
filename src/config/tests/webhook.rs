//! The `[webhook]` section.

use super::*;
use crate::config::WebhookFormat;

#[test]
fn without_a_url_nothing_is_posted() {
    assert!(file("").settings().webhook.is_none());
    assert!(file("[webhook]\nformat = \"slack\"").settings().webhook.is_none());
}

#[test]
fn a_url_is_enough_and_its_secret_is_shown_nowhere() {
    let settings = file("[webhook]\nurl = \"https://hooks.example/services/hunter2\"").settings();
    let webhook = settings.webhook.as_ref().unwrap();
    assert_eq!((webhook.format, webhook.repairs), (WebhookFormat::Json, true));
    assert!(!format!("{webhook:?}").contains("hunter2"));
    let shown = settings.redacted_toml();
    assert!(shown.contains("https://hooks.example/***") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_url_that_cannot_be_posted_to_is_refused_without_being_repeated() {
    for url in ["hunter2", "ftp://h/hunter2", "https://u:hunter2@h/", "https://", "postgres://u:hunter2@h/d"] {
        let error = file(&format!("[webhook]\nurl = \"{url}\"")).error();
        assert_says(&error, &["webhook.url: found a text that is no such URL, expected http://HOST/PATH"]);
        assert!(!error.contains("hunter2"), "{error}");
    }
    let both = file("[webhook]\nurl = \"https://h/\"\nurl_file = \"a\"").error();
    assert_says(&both, &["webhook", "exactly one of `url` and `url_file`"]);
    assert_says(&file("[webhook]\nurl_file = \"/no/such/file\"").error(), &["webhook.url_file", "/no/such/file: "]);
    assert_says(&file("[webhook]\nurl = \"https://h/\"\nformat = \"teams\"").error(), &["one of json, slack"]);
}

#[test]
fn a_format_is_checked_without_a_url_too_and_a_path_is_shown_whole() {
    assert_says(&file("[webhook]\nformat = \"teams\"").error(), &["one of json, slack"]);
    let scene = file("[webhook]\nurl_file = \"hook.url\"").beside("hook.url", "https://h/hunter2\n");
    let shown = scene.settings().redacted_toml();
    assert!(shown.contains(&format!("url_file = \"{}\"", scene.path("hook.url").display())), "{shown}");
}
