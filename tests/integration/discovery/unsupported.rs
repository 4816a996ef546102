//! Sequences that cannot be judged are reported with the reason, and not moved.

use crate::support::Database;
use serde_json::json;

async fn is_left_alone(database: &mut Database, sequence: &str, words: &[&str]) {
    let outcome = database.once(&[]).exits(0);
    outcome.shows(sequence, json!({ "verdict": "unsupported", "lag": null, "repair": null }));
    let reason = outcome.reason(sequence);
    for word in words {
        assert!(reason.contains(word), "{word:?} is not in: {reason}");
    }
    assert_eq!(database.nextval(sequence).await, 1);
}

#[tokio::test]
async fn a_cycling_sequence_is_unsupported() {
    let mut database = Database::new().await;
    database
        .sql("CREATE TABLE t (id serial PRIMARY KEY); ALTER SEQUENCE t_id_seq CYCLE; INSERT INTO t VALUES (9)")
        .await;
    is_left_alone(&mut database, "public.t_id_seq", &["it cycles"]).await;
}

#[tokio::test]
async fn a_default_that_multiplies_is_unsupported() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE s;
             CREATE TABLE t (id bigint DEFAULT nextval('s') * 10 PRIMARY KEY); INSERT INTO t VALUES (9001)",
        )
        .await;
    is_left_alone(&mut database, "public.s", &["the default of public.t.id is computed from nextval"]).await;
}

#[tokio::test]
async fn an_owned_sequence_behind_a_computed_default_is_unsupported() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE t (id bigserial PRIMARY KEY);
             ALTER TABLE t ALTER id SET DEFAULT (nextval('t_id_seq') % 1024) | 1 << 40;
             INSERT INTO t VALUES (1099511627777)",
        )
        .await;
    is_left_alone(&mut database, "public.t_id_seq", &["public.t.id is computed from nextval"]).await;
}

#[tokio::test]
async fn an_owned_sequence_behind_a_function_is_unsupported_until_it_is_declared() {
    let mut database = Database::new().await;
    // Instagram's ids, made by a function: time, shard, and the sequence's value modulo 1024.
    database
        .sql(
            "CREATE SEQUENCE t_id_seq;
             CREATE FUNCTION next_id() RETURNS bigint LANGUAGE sql AS
                 $$ SELECT (1790000000000 << 23) | (5 << 10) | (nextval('t_id_seq') % 1024) $$;
             CREATE TABLE t (id bigint PRIMARY KEY DEFAULT next_id());
             ALTER SEQUENCE t_id_seq OWNED BY t.id;
             INSERT INTO t VALUES (15015605862400001)",
        )
        .await;
    is_left_alone(&mut database, "public.t_id_seq", &["the default of public.t.id", "declare"]).await;

    let settings = "[[sequences.feeds]]\nsequence = \"public.t_id_seq\"\ncolumn = \"public.t.id\"\n";
    database
        .once_with(settings, &["--dry-run"])
        .exits(3)
        .shows("public.t_id_seq", json!({ "verdict": "behind", "max_id": 15_015_605_862_400_001_i64 }));
}

#[tokio::test]
async fn a_text_made_from_a_sequence_is_unsupported() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE s;
             CREATE TABLE t (id text DEFAULT 'INV-' || nextval('s')); INSERT INTO t VALUES ('INV-7')",
        )
        .await;
    is_left_alone(&mut database, "public.s", &["public.t.id"]).await;
}

#[tokio::test]
async fn a_sequence_chosen_at_run_time_is_unlinked() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE s;
             CREATE TABLE t (id bigint DEFAULT nextval('s'::text)); INSERT INTO t VALUES (7)",
        )
        .await;
    // No unique key makes an insert fail.
    database.once(&[]).exits(0).shows("public.s", json!({ "verdict": "unlinked", "feeds": [], "lag": null }));
    assert_eq!(database.nextval("s").await, 1);
}

#[tokio::test]
async fn a_foreign_table_is_unsupported() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER away FOREIGN DATA WRAPPER nowhere;
             CREATE FOREIGN TABLE t (id serial) SERVER away",
        )
        .await;
    is_left_alone(&mut database, "public.t_id_seq", &["public.t is a foreign table"]).await;
}

#[tokio::test]
async fn a_declared_view_is_unsupported() {
    let mut database = Database::new().await;
    database.sql("CREATE SEQUENCE s; CREATE VIEW v AS SELECT 5::bigint AS id").await;
    let settings = "[[sequences.feeds]]\nsequence = \"public.s\"\ncolumn = \"public.v.id\"\n";
    let outcome = database.once_with(settings, &[]).exits(0);
    outcome.shows("public.s", json!({ "verdict": "unsupported" }));
    assert!(outcome.reason("public.s").contains("public.v is a view"));
}

#[tokio::test]
async fn unlogged_tables_and_sequences_are_like_any_other() {
    let mut database = Database::new().await;
    database.sql("CREATE UNLOGGED TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (6)").await;
    database.once(&[]).exits(0).shows("public.t_id_seq", json!({ "verdict": "behind", "max_id": 6 }));
    assert_eq!(database.nextval("t_id_seq").await, 7);
}

#[tokio::test]
async fn ids_in_the_way_of_an_owned_sequence_that_a_function_draws_from_fail_the_run_and_the_link_is_proposed() {
    for default in ["nextval(pg_get_serial_sequence('public.t', 'id'))", "number_t()"] {
        let mut database = Database::new().await;
        database
            .sql(&format!(
                "CREATE FUNCTION number_t() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN nextval(''t_id_seq''); END';
                 CREATE TABLE t (id bigserial PRIMARY KEY); ALTER TABLE t ALTER id SET DEFAULT {default}"
            ))
            .await;
        database.once(&[]).exits(0).shows("public.t_id_seq", json!({ "verdict": "unsupported" }));
        database.sql("INSERT INTO t SELECT generate_series(1, 50)").await;
        let outcome = database.once(&[]).exits(3);
        outcome.shows("public.t_id_seq", json!({ "verdict": "unsupported", "max_id": 50, "next_value": 1 }));
        let note = outcome.sequence("public.t_id_seq")["notes"][0].clone();
        assert_eq!(note["kind"], "likely_link", "{note}");
        let declared = database.once_with(note["fix"].as_str().expect("a table"), &[]).exits(0);
        declared.repair("public.t_id_seq", json!({ "outcome": "repaired", "next_value": 51 }));
    }
}
