//! The report as a table.

use crate::support::{Database, Outcome, command};
use serde_json::json;

fn table(database: &Database, arguments: &[&str]) -> Outcome {
    database.pgmedic(&[&["--once"], arguments].concat())
}

/// The position of each of `words` in the text, which must contain all of them.
#[track_caller]
fn in_this_order(text: &str, words: &[&str]) {
    let mut from = 0;
    for word in words {
        let found = text[from..].find(word).unwrap_or_else(|| panic!("{word:?} does not follow in:\n{text}"));
        from += found + word.len();
    }
}

async fn with_one_of_each() -> Database {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE healthy (id serial PRIMARY KEY);
             CREATE TABLE a_small_gap (id serial PRIMARY KEY); INSERT INTO a_small_gap VALUES (3);
             CREATE TABLE big_gap (id serial PRIMARY KEY); INSERT INTO big_gap VALUES (695);
             CREATE TABLE poisoned (id serial PRIMARY KEY); INSERT INTO poisoned VALUES (2000000000);
             CREATE SEQUENCE used_up MAXVALUE 5; SELECT setval('used_up', 5);
             CREATE SEQUENCE turning CYCLE; CREATE SEQUENCE lonely;
             CREATE TABLE locked (id serial PRIMARY KEY)",
        )
        .await;
    database
}

#[tokio::test]
async fn the_worst_comes_first_and_the_healthy_are_only_counted() {
    let database = with_one_of_each().await;
    let mut other = database.connect().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE").execute(&mut other).await.unwrap();
    let text = table(&database, &[]).exits(3).stdout;
    let header = "1 held, 1 exhausted, 1 unreadable, 2 repaired, 1 unsupported, 1 unlinked, 1 in sync, looked at in ";
    assert!(text.starts_with(&format!("{} (PostgreSQL ", database.name)), "{text}");
    assert!(text.contains(&format!("): 8 sequences, {header}")), "{text}");
    in_this_order(
        &text,
        &[
            "status",
            "public.poisoned_id_seq",
            "public.used_up",
            "public.locked_id_seq",
            "public.big_gap_id_seq",
            "public.a_small_gap_id_seq",
            "public.turning",
            "public.lonely",
        ],
    );
    assert!(!text.contains("healthy"), "{text}");
    in_this_order(
        &text,
        &["public.poisoned_id_seq: no insert fails yet: one id, 2000000000", "--approve public.poisoned_id_seq"],
    );
    in_this_order(&text, &["advance to 696", "advance to 4"]);
}

#[tokio::test]
async fn the_healthy_are_listed_last_when_asked_for() {
    let database = with_one_of_each().await;
    let text = table(&database, &["--verbose", "--dry-run"]).exits(3).stdout;
    in_this_order(&text, &["public.poisoned_id_seq", "public.lonely", "in sync", "public.healthy_id_seq"]);
    in_this_order(&text, &["behind", "public.big_gap_id_seq", "695", "would advance"]);
}

#[tokio::test]
async fn all_is_well_is_one_line() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id serial PRIMARY KEY)").await;
    let text = table(&database, &[]).exits(0).stdout;
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    assert!(text.contains("): 1 sequence, 1 in sync, looked at in "), "{text}");
}

#[tokio::test]
async fn no_variable_brings_color_or_wrapped_lines_into_a_pipe() {
    let mut database = with_one_of_each().await;
    let long = "x".repeat(60);
    database.sql(&format!("CREATE TABLE {long} (id serial PRIMARY KEY); INSERT INTO {long} VALUES (7)")).await;
    let variables = [
        ("DATABASE_URL", database.url()),
        ("CLICOLOR_FORCE", "1"),
        ("FORCE_COLOR", "1"),
        ("CLICOLOR", "1"),
        ("COLORTERM", "truecolor"),
        ("TERM", "xterm-256color"),
        ("COLUMNS", "40"),
    ];
    for format in ["table", "json"] {
        let output = command(&variables, &["--once", "--dry-run", "--verbose", "--format", format]).output().unwrap();
        let outcome = Outcome::of(output).exits(3);
        assert!(!outcome.stdout.contains('\u{1b}'), "{}", outcome.stdout);
        assert_eq!(outcome.stderr, "", "no progress bar either");
        assert!(outcome.stdout.contains(&format!("public.{long}.id")), "{}", outcome.stdout);
    }
}

#[tokio::test]
async fn names_cannot_steer_a_terminal() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SCHEMA \"red\u{1b}[31m\";
             CREATE TABLE \"red\u{1b}[31m\".\"bell\u{7}\nnew\rline\u{9b}2J\" (id serial PRIMARY KEY);
             INSERT INTO \"red\u{1b}[31m\".\"bell\u{7}\nnew\rline\u{9b}2J\" VALUES (2000000000);
             CREATE TABLE \"turned\u{202e}around\" (\"id\u{2066}\" serial PRIMARY KEY);
             INSERT INTO \"turned\u{202e}around\" VALUES (3)",
        )
        .await;
    let outcome = table(&database, &["--verbose"]).exits(3);
    for steering in ['\u{1b}', '\u{7}', '\r', '\u{9b}', '\u{202e}', '\u{2066}'] {
        assert!(!outcome.stdout.contains(steering), "{steering:?} in:\n{}", outcome.stdout);
    }
    assert!(outcome.stdout.contains(r"red\u{1b}[31m"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains(r"bell\u{7}\nnew\rline\u{9b}2J"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains(r"turned\u{202e}around"), "{}", outcome.stdout);
    // JSON keeps them as they are, escaped as JSON does.
    database
        .once(&[])
        .exits(3)
        .shows("public.\"turned\u{202e}around_id\u{2066}_seq\"", json!({ "verdict": "in_sync" }));
}

#[tokio::test]
async fn a_sequence_with_many_columns_does_not_bury_the_table() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE s;
             DO $$ BEGIN
                 FOR number IN 1..20 LOOP
                     EXECUTE format('CREATE TABLE t_%s (id bigint DEFAULT nextval(''s''))', number);
                 END LOOP;
             END $$;
             INSERT INTO t_20 VALUES (7)",
        )
        .await;
    let text = table(&database, &["--dry-run"]).exits(3).stdout;
    in_this_order(&text, &["public.s", "public.t_1.id", "public.t_2.id", "public.t_3.id", "and 17 more"]);
    assert!(!text.contains("public.t_4.id"), "{text}");
}
