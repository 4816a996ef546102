//! Connection URLs, wherever they are kept.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::{bare, file};
use super::either;
use super::input::{CANARY, bytes};
use crate::proptest_config::cases;

/// With a password, put well or badly.
fn url() -> impl Strategy<Value = String> {
    let mostly = |good: &[&'static str], bad: &[&'static str]| prop_oneof![4 => select(good.to_vec()), 1 => select(bad.to_vec())];
    let scheme =
        mostly(&["postgres://", "postgresql://"], &["postgres:", "POSTGRES://", "mysql://", "://", "postgres:///"]);
    let odd = || prop_oneof![4 => "[a-z0-9%:!é*'+&=\\\\-]{0,4}", 1 => "[a-z0-9:/?#@\\[\\]%+, \t\0]{0,4}"];
    let host = mostly(&["h", "h:5432", "[::1]", "%2frun", "ü"], &["h:0", "h:x", "[::1", "a,b", "", "h:99999"]);
    let path = mostly(&["/d", "/", "", "/a%20b"], &["/%ff", "/%00", "/a%0ab", "/a/b", "/a%3a%2f%2fb", "//", "/%1b"]);
    let parameters = vec![
        "sslmode=require",
        "sslmode=hunter2",
        "port=1",
        "port=hunter2",
        "host=/run",
        "user=u%00",
        "password=hunter2",
        "p%61ssword=hunter2",
        "options[geqo]=off",
        "options[a%00]=off",
        "pasword=hunter2",
        "hunter2",
        "application_name=a%00b",
        "dbname=%0a",
        "",
    ];
    let parameters = vec(select(parameters), 0..3).prop_map(|parameters| parameters.join("&"));
    (scheme, odd(), odd(), host, path, parameters).prop_map(|(scheme, before, after, host, path, parameters)| {
        format!("{scheme}u:{before}{CANARY}{after}@{host}{path}?{parameters}")
    })
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn any_url_in_a_variable(url in url()) {
        if let Some(said) = either(&bare().variable("DATABASE_URL", &url))? {
            prop_assert!(said.starts_with("DATABASE_URL: "), "{said}");
        }
    }

    #[test]
    fn any_url_in_the_file(url in url()) {
        let text = format!("[[databases]]\nurl = {}", toml::Value::String(url));
        if let Some(said) = either(&file(&text))? {
            prop_assert!(said.contains("pgmedic.toml:2:7: databases[0].url: "), "{said}");
        }
    }

    #[test]
    fn any_url_in_a_separate_file(url in url(), end in "[\r\n ]{0,3}") {
        let scene = file("[[databases]]\nurl_file = 'secret'").beside("secret", &(url + &end));
        if let Some(said) = either(&scene)? {
            prop_assert!(said.contains("pgmedic.toml:2:12: databases[0].url_file: "), "{said}");
            prop_assert!(said.contains("/secret: found ") || said.contains("expected a `name` for it"), "{said}");
        }
    }

    #[test]
    fn any_bytes_in_a_separate_file(bytes in bytes()) {
        let scene = file("[[databases]]\nurl_file = 'secret'");
        std::fs::write(scene.path("secret"), bytes).unwrap();
        if let Some(said) = either(&scene)? {
            prop_assert!(said.contains("/secret: "), "{said}");
        }
    }

    /// In the startup message, each value ends with a zero byte.
    #[test]
    fn no_part_of_an_accepted_url_holds_a_zero_byte(url in url()) {
        if let Ok(settings) = bare().variable("DATABASE_URL", &url).load() {
            let options = settings.databases[0].connect_options().unwrap();
            // Debug shows a backslash as two.
            let sent = format!("{options:?}").replace("\\\\", "");
            prop_assert!(!sent.contains("\\0"));
            prop_assert!(!settings.databases[0].name.contains(char::is_control));
        }
    }
}
