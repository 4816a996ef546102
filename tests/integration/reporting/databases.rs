//! Several databases in one run.

use crate::support::{Database, Outcome, pgmedic, shell};
use serde_json::Value;
use std::io::Write;
use tempfile::NamedTempFile;

/// A configuration file with these databases by name and URL.
pub fn configured(databases: &[(&str, &str)]) -> NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    for (name, url) in databases {
        writeln!(file, "[[databases]]\nname = \"{name}\"\nurl = \"{url}\"").unwrap();
    }
    file
}

async fn drifted() -> Database {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (7)").await;
    database
}

fn names(report: &Value) -> Vec<&str> {
    let databases = report["databases"].as_array().unwrap();
    databases.iter().map(|database| database["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_database_is_repaired_and_reported_in_the_configured_order() {
    let (mut one, mut two) = (drifted().await, drifted().await);
    let config = configured(&[("zebra", one.url()), ("ant", two.url())]);
    let path = config.path().to_str().unwrap();
    let outcome = pgmedic(&[], &["--once", "--format", "json", "-c", path]).exits(0);
    let report = outcome.json();
    assert_eq!(names(&report), ["zebra", "ant"]);
    assert_eq!(report["summary"]["repaired"], 2);
    assert_eq!((one.nextval("t_id_seq").await, two.nextval("t_id_seq").await), (8, 8));
}

#[tokio::test]
async fn only_the_databases_asked_for_are_touched() {
    let (mut one, mut two, mut three) = (drifted().await, drifted().await, drifted().await);
    let config = configured(&[("one", one.url()), ("two", two.url()), ("three", three.url())]);
    let path = config.path().to_str().unwrap();
    let arguments = ["--once", "--format", "json", "-c", path, "--database", "three", "--database", "one"];
    assert_eq!(names(&pgmedic(&[], &arguments).exits(0).json()), ["one", "three"]);
    assert_eq!(one.nextval("t_id_seq").await, 8);
    assert_eq!(two.nextval("t_id_seq").await, 1);
    assert_eq!(three.nextval("t_id_seq").await, 8);
}

#[tokio::test]
async fn a_database_that_is_not_configured_is_named_with_those_that_are() {
    let one = drifted().await;
    let config = configured(&[("one", one.url()), ("two", one.url())]);
    let path = config.path().to_str().unwrap();
    let outcome = pgmedic(&[], &["--once", "-c", path, "--database", "One"]).exits(2);
    for word in ["--database", "One", "one", "two"] {
        assert!(outcome.stderr.contains(word), "{}", outcome.stderr);
    }
}

#[tokio::test]
async fn a_declared_link_may_belong_to_one_database_only() {
    let (mut one, mut two) = (Database::new().await, Database::new().await);
    for database in [&mut one, &mut two] {
        database.sql("CREATE SEQUENCE s; CREATE TABLE t (id bigint PRIMARY KEY); INSERT INTO t VALUES (7)").await;
    }
    let mut config = configured(&[("one", one.url()), ("two", two.url())]);
    let feed = "[[sequences.feeds]]\nsequence = 'public.s'\ncolumn = 'public.t.id'\ndatabase = 'two'\n";
    writeln!(config, "{feed}").unwrap();
    let path = config.path().to_str().unwrap();
    let report = pgmedic(&[], &["--once", "--format", "json", "-c", path]).exits(0).json();
    let verdict = |index: usize| report["databases"][index]["sequences"][0]["verdict"].clone();
    assert_eq!((verdict(0), verdict(1)), ("unlinked".into(), "behind".into()));
}

#[tokio::test]
async fn the_url_may_be_in_a_separate_file() {
    let mut database = drifted().await;
    let mut file = NamedTempFile::new().unwrap();
    writeln!(file, "{}", database.url()).unwrap();
    let path = file.path().to_str().unwrap();
    pgmedic(&[("DATABASE_URL_FILE", path)], &["--once"]).exits(0);
    assert_eq!(database.nextval("t_id_seq").await, 8);
}

#[tokio::test]
async fn a_file_that_counts_more_than_database_url_is_told_at_once() {
    let (mut production, mut meant) = (drifted().await, drifted().await);
    let config = configured(&[("production", production.url())]);
    let path = config.path().to_str().unwrap();
    let variables = [("PGMEDIC_CONFIG", path), ("DATABASE_URL", meant.url())];
    for arguments in [&["--once", "--dry-run"][..], &["check-config"]] {
        let outcome = pgmedic(&variables, arguments).exits(if arguments.len() == 2 { 3 } else { 0 });
        assert!(outcome.stdout.contains("production"), "{}", outcome.stdout);
        let warnings = outcome.stderr.matches("DATABASE_URL: set, but not used").count();
        assert_eq!(warnings, 1, "{}", outcome.stderr);
        assert!(outcome.stderr.contains(&format!("because {path} names the databases")), "{}", outcome.stderr);
    }
    let outcome = pgmedic(&variables[..1], &["--once", "--dry-run"]).exits(3);
    assert_eq!(outcome.stderr, "");
    assert_eq!((production.nextval("t_id_seq").await, meant.nextval("t_id_seq").await), (1, 1));
}

#[tokio::test]
async fn a_printed_approval_names_the_database_where_there_are_several_and_works_as_it_stands() {
    let (mut one, mut two) = (Database::new().await, Database::new().await);
    for database in [&mut one, &mut two] {
        database
            .sql(
                "CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (2000000000);
                 CREATE TABLE logins (id integer PRIMARY KEY, ends timestamptz);
                 INSERT INTO logins SELECT g, now() - interval '1 hour' FROM generate_series(1, 500) g",
            )
            .await;
    }
    let mut config = configured(&[("it's one", one.url()), ("two", two.url())]);
    writeln!(
        config,
        "[[sessions]]\nname = \"logins\"\ntable = \"public.logins\"\nexpires_at = \"ends\"\nencoding = \"timestamptz\"\n\
         database = \"it's one\""
    )
    .unwrap();
    let path = config.path().to_str().unwrap();
    let held = pgmedic(&[], &["--once", "--format", "json", "-c", path]).exits(3).json();
    let of_one = &held["databases"][0];
    let fixes = [&of_one["sequences"][0]["repair"]["reason"]["fix"], &of_one["sessions"][0]["held"]["fix"]];
    for fix in fixes {
        let command = fix.as_str().unwrap_or_else(|| panic!("{held:#}"));
        assert!(command.ends_with("--database 'it'\\''s one'"), "{command}");
        let run = shell(command).env("PGMEDIC_CONFIG", path).output().unwrap();
        let run = Outcome::of(run);
        assert!(!run.stderr.contains("--database"), "{}", run.stderr);
    }
    assert_eq!((one.nextval("t_id_seq").await, two.nextval("t_id_seq").await), (2_000_000_001, 1));
    assert_eq!(one.number("SELECT count(*) FROM logins").await, 0);
    assert_eq!(two.number("SELECT count(*) FROM logins").await, 500);
}
