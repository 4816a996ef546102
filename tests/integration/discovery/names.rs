//! Names of every kind that PostgreSQL allows.

use crate::support::{Database, feed};
use serde_json::json;
use sqlx::Row;

fn names() -> Vec<String> {
    let awkward = [
        "it's",
        "say \"hi\"",
        "a.b.c",
        "two words",
        "CamelCase",
        "back\\slash",
        "trailing\\",
        "\\'; DROP TABLE t; --",
        "日本語",
        "naïve 🐘",
        "select",
        "1st",
        "$1",
        "%s%I",
        "line\nbreak",
        "tab\there",
        "/* comment",
        "-- comment",
        "E'",
        "{}",
    ];
    let longest = ["x".repeat(63), format!("{}x", "é".repeat(31))];
    awkward.into_iter().map(str::to_owned).chain(longest).collect()
}

/// Any text as an identifier.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Creates a schema, a sequence, a table and a column of this name, with a lag of five.
async fn behind(database: &mut Database, name: &str) {
    let name = quoted(name);
    let sequence = format!("{name}.{name}").replace('\'', "''");
    database
        .sql(&format!(
            "CREATE SCHEMA {name};
             CREATE SEQUENCE {name}.{name};
             CREATE TABLE {name} ({name} integer DEFAULT nextval('{sequence}') PRIMARY KEY);
             INSERT INTO {name} SELECT generate_series(1, 5)"
        ))
        .await;
}

async fn are_repaired(database: &mut Database, settings: &str, method: &str) {
    let outcome = database.once_with(settings, &[]).exits(0);
    for name in names() {
        let row = sqlx::query("SELECT quote_ident($1)").bind(&name).fetch_one(&mut database.connection).await.unwrap();
        let shown: String = row.get(0);
        let sequence = format!("{shown}.{shown}");
        let feeds = [feed(&format!("public.{shown}.{shown}"), "default")];
        outcome.shows(&sequence, json!({ "verdict": "behind", "lag": 5, "feeds": feeds }));
        outcome.repair(&sequence, json!({ "outcome": "repaired", "method": method, "next_value": 6 }));
        let insert = format!("INSERT INTO {table} DEFAULT VALUES RETURNING 1::bigint", table = quoted(&name));
        assert_eq!(database.number(&insert).await, 1, "{name}");
    }
    assert_eq!(outcome.names().len(), names().len());
}

#[tokio::test]
async fn names_of_every_kind_are_found_advanced_and_shown_as_sql_quotes_them() {
    let mut database = Database::new().await;
    for name in names() {
        behind(&mut database, &name).await;
    }
    are_repaired(&mut database, "", "advance").await;
}

#[tokio::test]
async fn names_of_every_kind_are_leapt_where_backslashes_escape_in_strings() {
    let mut database = Database::new().await;
    for name in names() {
        behind(&mut database, &name).await;
    }
    database.sql(&format!("ALTER DATABASE {} SET standard_conforming_strings = off", database.name)).await;
    are_repaired(&mut database, "[sequences]\nadvance_limit = 0\n", "leap").await;
}

#[tokio::test]
async fn keywords_are_good_names_and_quoted_in_the_report() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SCHEMA \"user\";
             CREATE TABLE \"user\".\"order\" (\"select\" serial PRIMARY KEY);
             INSERT INTO \"user\".\"order\" VALUES (9)",
        )
        .await;
    let feeds = [feed("\"user\".\"order\".\"select\"", "serial")];
    let outcome = database.once(&[]).exits(0);
    outcome.shows("\"user\".order_select_seq", json!({ "lag": 9, "feeds": feeds }));
}

#[tokio::test]
async fn a_declared_link_and_a_filter_reach_every_name() {
    let mut database = Database::new().await;
    database
        .sql(
            r#"CREATE SCHEMA "My.Shop"; CREATE SEQUENCE "My.Shop"."Order ""no"""; CREATE SEQUENCE public.other;
               CREATE TABLE "My.Shop"."Order's" ("N°" bigint PRIMARY KEY); INSERT INTO "My.Shop"."Order's" VALUES (3)"#,
        )
        .await;
    let settings = r#"
        [sequences]
        include = ['"My.Shop".*']
        [[sequences.feeds]]
        sequence = '"My.Shop"."Order ""no"""'
        column = """"My.Shop"."Order's"."N°"""""#;
    let outcome = database.once_with(settings, &[]).exits(0);
    assert_eq!(outcome.names(), [r#""My.Shop"."Order ""no""""#]);
    let feeds = [feed(r#""My.Shop"."Order's"."N°""#, "declared")];
    outcome.shows(r#""My.Shop"."Order ""no""""#, json!({ "lag": 3, "feeds": feeds }));
}

#[tokio::test]
async fn names_of_a_database_in_another_encoding_are_read() {
    let mut database = Database::new().await;
    let latin = database.role("latin");
    database
        .sql(&format!("CREATE DATABASE {latin} TEMPLATE template0 ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C'"))
        .await;
    let mut other = Database::existing(&latin).await;
    other.sql("CREATE TABLE \"café\" (\"Nº\" serial PRIMARY KEY); INSERT INTO \"café\" VALUES (4)").await;
    let feeds = [feed("public.\"café\".\"Nº\"", "serial")];
    other.once(&[]).exits(0).shows("public.\"café_Nº_seq\"", json!({ "lag": 4, "feeds": feeds }));
}

/// By the session's `search_path` it may be the other one.
#[tokio::test]
async fn a_text_without_a_schema_means_no_sequence_where_two_have_the_name() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SCHEMA a; CREATE TABLE a.t (id serial PRIMARY KEY);
             ALTER TABLE a.t ALTER id SET DEFAULT nextval('t_id_seq'::text); CREATE TABLE public.t (id serial PRIMARY KEY);
             INSERT INTO public.t SELECT nextval('t_id_seq') FROM generate_series(1, 20);
             INSERT INTO a.t SELECT generate_series(1, 50)",
        )
        .await;
    let outcome = database.once(&[]).exits(3);
    outcome.shows("a.t_id_seq", json!({ "verdict": "unsupported", "repair": null }));
    assert_eq!(outcome.sequence("a.t_id_seq")["notes"][0]["kind"], "likely_link");
    assert_eq!(database.nextval("a.t_id_seq").await, 1);
}
