//! Names that are no UTF-8, in databases without an encoding.

use crate::support::{Database, server};
use serde_json::json;
use sqlx::{Connection, PgConnection};

/// A database of encoding `SQL_ASCII`.
async fn without_encoding(name: &str) -> Database {
    let mut maintenance = PgConnection::connect(&server().url("postgres")).await.unwrap();
    let create = format!("CREATE DATABASE {name} ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    sqlx::raw_sql(sqlx::AssertSqlSafe(create)).execute(&mut maintenance).await.unwrap();
    Database::existing(name).await
}

#[tokio::test]
async fn one_name_that_is_no_utf_8_makes_one_sequence_unreadable() {
    let mut database = without_encoding("names_one_byte").await;
    // E'\xe9' is é in Latin-1.
    database
        .sql(
            "CREATE TABLE plain (id serial PRIMARY KEY); INSERT INTO plain SELECT generate_series(1, 30);
             CREATE TABLE drawn (id bigint); INSERT INTO drawn VALUES (4);
             CREATE SEQUENCE drawn_id_seq;
             DO $$ BEGIN EXECUTE E'CREATE TABLE \"caf\\xe9\" (id serial PRIMARY KEY)'; END $$;
             DO $$ BEGIN EXECUTE E'CREATE SEQUENCE \"caf\\xe9_no\"'; END $$;
             DO $$ BEGIN EXECUTE E'CREATE ROLE \"names_one_byte_\\xe9\"'; END $$",
        )
        .await;
    let outcome = database.once(&[]).exits(3);
    outcome.repair("public.plain_id_seq", json!({ "outcome": "repaired", "next_value": 31 }));
    let name = "public.\"caf\u{fffd}_id_seq\"";
    outcome.shows(name, json!({ "verdict": "unreadable", "repair": null }));
    assert_eq!(outcome.sequence(name)["reason"]["kind"], "name_encoding");
    assert!(outcome.reason(name).contains("is not UTF-8"), "{}", outcome.reason(name));
    outcome.shows("public.\"caf\u{fffd}_no\"", json!({ "verdict": "unreadable" }));
    outcome.shows("public.drawn_id_seq", json!({ "verdict": "unlinked" }));
    database.pgmedic(&["grants", "--role", "names_reader"]).exits(0);
}

#[tokio::test]
async fn names_that_are_utf_8_are_read_as_ever() {
    let mut database = without_encoding("names_all_utf8").await;
    database.sql("CREATE TABLE \"größe\" (id serial PRIMARY KEY); INSERT INTO \"größe\" VALUES (5)").await;
    let outcome = database.once(&[]).exits(0);
    outcome.repair("public.\"größe_id_seq\"", json!({ "outcome": "repaired", "next_value": 6 }));
}

#[tokio::test]
async fn a_name_of_an_index_or_a_referencing_table_that_is_no_utf_8_blinds_nothing() {
    let mut database = without_encoding("names_beside").await;
    database
        .sql(
            "CREATE TABLE plain (id serial PRIMARY KEY); INSERT INTO plain SELECT generate_series(1, 50);
             CREATE TABLE a (id serial PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 9);
             DO $$ BEGIN EXECUTE E'CREATE TABLE \"b\\xe9\" (x int REFERENCES a)'; END $$;
             CREATE TABLE uq (id bigserial, k int); INSERT INTO uq SELECT g, g FROM generate_series(1, 7) g;
             DO $$ BEGIN EXECUTE E'CREATE UNIQUE INDEX \"u\\xe9\" ON uq (k, id)'; END $$",
        )
        .await;
    let outcome = database.once(&[]).exits(3);
    outcome.repair("public.plain_id_seq", json!({ "outcome": "repaired", "next_value": 51 }));
    outcome.repair("public.a_id_seq", json!({ "outcome": "repaired", "next_value": 10 }));
    outcome.repair("public.uq_id_seq", json!({ "outcome": "held", "held_by": "no_unique_key" }));
    database.sql("SELECT setval('a_id_seq', 2147483647)").await;
    let reason = database.once(&[]).exits(3).sequence("public.a_id_seq")["reason"].clone();
    assert_eq!(reason["fix"], json!(null), "{reason}");
    assert!(reason["text"].as_str().is_some_and(|text| text.contains("its name is no UTF-8")), "{reason}");
}
