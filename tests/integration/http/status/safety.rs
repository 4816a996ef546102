//! Names that would be more than names, and what browsers are told.

use super::super::{Client, agent, asked, is_well, status};
use super::{EVERY_SECOND, html, links, says};
use crate::support::{Agent, Database};
use std::fs;

/// A header's value.
fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let (head, _) = answer.split_once("\r\n\r\n")?;
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn request(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Connection: close\r\n\r\n")
}

/// Nothing in it runs or looks otherwise than by the page's own two files.
#[track_caller]
fn is_harmless(html: &str) {
    let lower = html.to_lowercase();
    assert_eq!(lower.matches("<script").count(), 1, "{html}");
    assert!(lower.contains("<script src=\"assets/status.js?"), "{html}");
    for never in ["<style", "style=", "javascript:", "<img", "<iframe", "<object", "http-equiv", "data:"] {
        assert!(!lower.contains(never), "{never} in {html}");
    }
    for tag in lower.split('<').skip(1).filter_map(|piece| piece.split('>').next()) {
        let without_values: String = tag.split('"').step_by(2).collect();
        assert!(!without_values.contains(" on"), "a handler in <{tag}>");
    }
    assert!(!html.contains(['\u{202e}', '\u{2066}', '\u{7}']), "{html}");
}

#[tokio::test]
async fn every_name_from_a_database_or_a_query_is_only_text() {
    let mut database = Database::new().await;
    let tables =
        ["<script>alert(1)</script>", "a\" onload=\"alert(1)", "&lt;b&gt; ' `", "evil\u{202e}\u{2066}txt\u{7}"];
    for table in tables {
        let quoted = table.replace('"', "\"\"");
        database.sql(&format!("CREATE TABLE \"{quoted}\" (\"<img src=x>\" serial PRIMARY KEY)")).await;
        // One that is behind and held, one that is repaired and told of.
        database
            .sql(&format!("INSERT INTO \"{quoted}\" VALUES ({})", if table.len() > 15 { 2_000_000_000 } else { 9 }))
            .await;
    }
    database.sql("CREATE TABLE logins (ends timestamptz)").await;
    let store = "[[sessions]]\nname = \"<script>s\"\ntable = \"public.logins\"\nexpires_at = \"ends\"\n\
                 encoding = \"timestamptz\"\nschedule = \"* * * * * *\"\n";
    let config = database.config(&format!("{EVERY_SECOND}{store}[http]\nlisten = \"127.0.0.1:0\"\n"));
    let named = fs::read_to_string(config.path()).unwrap();
    let named = named.replace(&format!("name = \"{}\"", database.name), "name = '\"><script>d'");
    fs::write(config.path(), named).unwrap();
    let agent = Agent::run(config, &[]);
    let page = says(&agent, &["Needs attention", "moved from", "\"><script>d", "<script>s"]);
    assert!(page.contains("public.\"<script>alert(1)</script>_<img src=x>_seq\""), "{page}");
    assert!(page.contains("public.\"<script>alert(1)</script>\".\"<img src=x>\""), "{page}");
    assert!(page.contains("evil\\u{202e}\\u{2066}txt\\u{7}"), "{page}");
    let queries =
        ["q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "q=%E2%80%AE%07x", "status=%3Cscript%3E", "page=%3Cb%3E"];
    let more = ["database=%22%3E%3Cscript%3Ed", "q=a%22+onload%3D%22alert(1)"];
    for query in [""].into_iter().chain(queries).chain(more) {
        is_harmless(&html(&agent, &format!("/?{query}")));
    }
    let pages = links(&html(&agent, "/"), "sequence?");
    assert!(pages.len() > 4, "{pages:?}");
    for page in pages {
        is_harmless(&html(&agent, &format!("/{page}")));
    }
    agent.stop();
}

#[tokio::test]
async fn browsers_are_told_to_run_and_load_nothing_else() {
    let (_database, agent) = agent().await;
    let answer = asked(&agent, request("GET", "/", ""));
    assert_eq!(status(&answer), Some(200), "{answer}");
    is_harmless(answer.split_once("\r\n\r\n").unwrap().1);
    let policy = header(&answer, "content-security-policy").expect("a policy");
    for part in
        ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"]
    {
        assert!(policy.split("; ").any(|found| found == part), "{part} in {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    assert_eq!(header(&answer, "content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(header(&answer, "cache-control"), Some("no-store"));
    for page in super::super::PAGES {
        let answer = asked(&agent, request("GET", page, ""));
        assert_eq!(header(&answer, "x-content-type-options"), Some("nosniff"), "{page}");
    }
    is_well(agent);
}

#[tokio::test]
async fn what_never_changes_is_kept_and_no_other() {
    let (_database, agent) = agent().await;
    let page = html(&agent, "/");
    let mut links = 0;
    for piece in page.split("\"assets/").skip(1) {
        let link = format!("/assets/{}", piece.split('"').next().unwrap());
        let answer = asked(&agent, request("GET", &link, ""));
        assert_eq!(header(&answer, "cache-control"), Some("public, max-age=31536000, immutable"), "{link}");
        let tag = header(&answer, "etag").expect("a tag").to_owned();
        let again = asked(&agent, request("GET", &link, &format!("If-None-Match: {tag}\r\n")));
        assert_eq!((status(&again), again.ends_with("\r\n\r\n")), (Some(304), true), "{again}");
        // Of another version's page: not to be kept under its name.
        let (path, _) = link.split_once('?').unwrap();
        for other in [path.to_owned(), format!("{path}?0123456789abcdef")] {
            let answer = asked(&agent, request("GET", &other, ""));
            assert_eq!((status(&answer), header(&answer, "cache-control")), (Some(200), Some("no-cache")), "{other}");
        }
        links += 1;
    }
    assert_eq!(links, 3);
    is_well(agent);
}

#[tokio::test]
async fn clients_that_do_not_read_their_page_block_no_other() {
    let (_database, agent) = agent().await;
    let slow: Vec<Client> = (0..40).map(|_| Client::of(&agent).send(request("GET", "/", ""))).collect();
    assert_eq!(agent.get("/livez").0, 200);
    assert_eq!(agent.get("/").0, 200);
    drop(slow);
    is_well(agent);
}
