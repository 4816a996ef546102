//! The types that a fed column may have, and which limit applies.

use crate::support::Database;
use serde_json::json;

#[tokio::test]
async fn every_integer_type_is_read() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE two (id smallserial PRIMARY KEY); INSERT INTO two VALUES (32000);
             CREATE TABLE four (id serial PRIMARY KEY); INSERT INTO four VALUES (70000);
             CREATE TABLE eight (id bigserial PRIMARY KEY); INSERT INTO eight VALUES (90000)",
        )
        .await;
    let outcome = database.once_with("[sequences]\nmax_repair_ratio = 1.0\nfail_used_ratio = 1.0\n", &[]).exits(0);
    for (table, max_id) in [("two", 32_000), ("four", 70_000), ("eight", 90_000)] {
        outcome.shows(&format!("public.{table}_id_seq"), json!({ "max_id": max_id, "verdict": "behind" }));
        let next = database.number(&format!("INSERT INTO {table} DEFAULT VALUES RETURNING id::bigint")).await;
        assert_eq!(next, max_id + 1);
    }
}

#[tokio::test]
async fn domains_and_domains_over_domains_are_read_as_their_base_type() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE DOMAIN small AS smallint CHECK (VALUE > 0);
             CREATE DOMAIN smaller AS small CHECK (VALUE < 32767);
             CREATE DOMAIN exact AS numeric(6, 0);
             CREATE DOMAIN more_exact AS exact;
             CREATE DOMAIN cents AS numeric(6, 2);
             CREATE SEQUENCE a; CREATE SEQUENCE b; CREATE SEQUENCE c;
             CREATE TABLE ta (id smaller PRIMARY KEY DEFAULT nextval('a')); INSERT INTO ta VALUES (5);
             CREATE TABLE tb (id more_exact PRIMARY KEY DEFAULT nextval('b')); INSERT INTO tb VALUES (6);
             CREATE TABLE tc (id cents PRIMARY KEY DEFAULT nextval('c')); INSERT INTO tc VALUES (7)",
        )
        .await;
    let outcome = database.once(&["--dry-run"]).exits(3);
    let found = outcome.sequence("public.a");
    assert_eq!((&found["verdict"], &found["max_id"]), (&json!("behind"), &json!(5)));
    outcome.shows("public.b", json!({ "verdict": "behind", "max_id": 6, "used_ratio": 0.0 }));
    outcome.shows("public.c", json!({ "verdict": "behind", "max_id": 7, "limit": 9999 }));

    // The limit comes from the base type: 32767 and 999999.
    database.sql("SELECT setval('a', 32767); SELECT setval('b', 999999)").await;
    let outcome = database.once(&["--dry-run"]).exits(3);
    outcome.shows("public.a", json!({ "verdict": "exhausted", "used_ratio": 1.0, "next_value": 32768 }));
    outcome.shows("public.b", json!({ "verdict": "exhausted", "used_ratio": 1.0, "next_value": 1_000_000 }));
}

#[tokio::test]
async fn nan_infinity_fractions_and_giants_in_a_numeric_column_are_not_ids() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE s;
             CREATE TABLE t (id numeric UNIQUE DEFAULT nextval('s'));
             INSERT INTO t VALUES (41), (41.5), ('NaN'), (1e30), (9223372036854775808), (NULL)",
        )
        .await;
    if database.number("SELECT current_setting('server_version_num')::bigint").await >= 140_000 {
        database.sql("INSERT INTO t VALUES ('Infinity'), ('-Infinity')").await;
    }
    database.once(&[]).exits(0).shows("public.s", json!({ "verdict": "behind", "max_id": 41, "lag": 41 }));
    assert_eq!(database.nextval("s").await, 42);
    database.sql("DELETE FROM t WHERE id = 41").await;
    database.once(&[]).exits(0).shows("public.s", json!({ "verdict": "in_sync" }));
}

#[tokio::test]
async fn a_numeric_column_holds_ids_beyond_every_float() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE s START 9007199254740993;
             CREATE TABLE t (id numeric(19, 0) PRIMARY KEY DEFAULT nextval('s'));
             INSERT INTO t VALUES (9007199254740993), (9007199254740995.000)",
        )
        .await;
    let outcome = database.once(&[]).exits(0);
    outcome.shows("public.s", json!({ "next_value": 9_007_199_254_740_993_i64, "max_id": 9_007_199_254_740_995_i64 }));
    assert!(outcome.stdout.contains(r#""max_id":9007199254740995,"#), "{}", outcome.stdout);
    assert_eq!(database.nextval("s").await, 9_007_199_254_740_996);
}

#[tokio::test]
async fn only_whole_numbers_are_supported() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE shares; CREATE SEQUENCE words; CREATE SEQUENCE floats;
             CREATE TABLE a (id numeric(2, 2) DEFAULT nextval('shares')); INSERT INTO a VALUES (0.5);
             CREATE TABLE c (id text PRIMARY KEY DEFAULT nextval('words')); INSERT INTO c VALUES ('fifty');
             CREATE TABLE d (id double precision DEFAULT nextval('floats')); INSERT INTO d VALUES (50)",
        )
        .await;
    let outcome = database.once(&[]).exits(0);
    for (sequence, words) in [
        ("shares", "public.a.id is numeric(2,2), not an integer column"),
        ("words", "public.c.id"),
        ("floats", "public.d.id"),
    ] {
        let name = format!("public.{sequence}");
        outcome.shows(&name, json!({ "verdict": "unsupported", "max_id": null, "lag": null, "repair": null }));
        assert!(outcome.reason(&name).contains(words), "{}", outcome.reason(&name));
    }
    assert_eq!(database.nextval("shares").await, 1);
}

#[tokio::test]
async fn a_bigint_sequence_behind_an_integer_column_ends_where_the_column_does() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE s; SELECT setval('s', 2147483645);
             CREATE TABLE t (id integer DEFAULT nextval('s') PRIMARY KEY);
             INSERT INTO t VALUES (2147483646)",
        )
        .await;
    // It is repaired, and has used more than fail_used_ratio.
    let outcome = database.once(&[]).exits(3);
    outcome.shows("public.s", json!({ "verdict": "behind", "lag": 1, "next_value": 2_147_483_646_i64 }));
    assert_eq!(database.number("INSERT INTO t DEFAULT VALUES RETURNING id::bigint").await, 2_147_483_647);

    let outcome = database.once(&[]).exits(3);
    outcome.shows("public.s", json!({ "verdict": "exhausted", "next_value": 2_147_483_648_i64, "repair": null }));
    let failed = sqlx::query("INSERT INTO t DEFAULT VALUES").execute(&mut database.connection).await.unwrap_err();
    assert_eq!(failed.as_database_error().unwrap().code().as_deref(), Some("22003"), "it is out of range indeed");
}

#[tokio::test]
async fn an_integer_sequence_behind_a_bigint_column_ends_where_the_sequence_does() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE t (id serial PRIMARY KEY);
             ALTER TABLE t ALTER id TYPE bigint;
             ALTER SEQUENCE t_id_seq AS integer;
             SELECT setval('t_id_seq', 2147483645);
             INSERT INTO t VALUES (2147483646), (5000000000)",
        )
        .await;
    // The sequence can never produce 5 000 000 000.
    database
        .once(&[])
        .exits(3)
        .shows("public.t_id_seq", json!({ "verdict": "behind", "max_id": 2_147_483_646_i64, "lag": 1 }));
    assert_eq!(database.nextval("t_id_seq").await, 2_147_483_647);
    database.once(&[]).exits(3).shows("public.t_id_seq", json!({ "verdict": "exhausted", "next_value": null }));
}

#[tokio::test]
async fn the_narrowest_of_several_columns_is_the_limit() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE s; SELECT setval('s', 32767);
             CREATE TABLE wide (id bigint PRIMARY KEY DEFAULT nextval('s'));
             CREATE TABLE narrow (id smallint PRIMARY KEY DEFAULT nextval('s'))",
        )
        .await;
    database.once(&[]).exits(3).shows("public.s", json!({ "verdict": "exhausted", "next_value": 32768 }));
}
