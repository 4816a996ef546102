//! Columns whose ids are computed from the sequence's values, and sequences that cycle: they are not moved, and an insert that
//! fails is reported.

use crate::support::Database;
use serde_json::{Value, json};

/// The note that an id is taken.
fn taken(finding: &Value) -> &Value {
    let notes = finding["notes"].as_array().unwrap();
    notes.iter().find(|note| note["kind"] == "id_taken").unwrap_or_else(|| panic!("none in {finding}"))
}

#[tokio::test]
async fn ids_of_another_type_in_the_way_are_said_in_each_run_until_they_are_passed() {
    let mut database = Database::new().await;
    let kinds = ["double precision", "real", "varchar(20)", "char(8)", "text", "name", "oid", "money"];
    for (number, kind) in kinds.iter().enumerate() {
        database
            .sql(&format!(
                "CREATE SEQUENCE s{number};
                 CREATE TABLE t{number} (id {kind} PRIMARY KEY DEFAULT nextval('s{number}'), x integer);
                 INSERT INTO t{number} SELECT nextval('s{number}') FROM generate_series(1, 50); ALTER SEQUENCE s{number} RESTART"
            ))
            .await;
    }
    for _ in 0..2 {
        let outcome = database.once(&[]).exits(3);
        for (number, kind) in kinds.iter().enumerate() {
            let name = format!("public.s{number}");
            let expected =
                json!({ "verdict": "unsupported", "next_value": 1, "lag": 50, "max_id": null, "repair": null });
            outcome.shows(&name, expected);
            assert!(!outcome.reason(&name).is_empty(), "{kind}");
        }
    }
    let outcome = database.once(&[]).exits(3);
    for number in 0..kinds.len() {
        let finding = outcome.sequence(&format!("public.s{number}"));
        database.sql(taken(&finding)["fix"].as_str().unwrap()).await;
        database.sql(&format!("INSERT INTO t{number} (x) VALUES (1)")).await;
    }
    database.once(&[]).exits(0).shows("public.s0", json!({ "verdict": "unsupported", "lag": null }));
}

#[tokio::test]
async fn an_id_that_a_default_computes_is_looked_for() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE a; CREATE TABLE ta (id text PRIMARY KEY DEFAULT 'INV-' || lpad(nextval('a')::text, 6, '0'));
             INSERT INTO ta VALUES ('INV-000004');
             CREATE SEQUENCE b; CREATE TABLE tb (id bigint PRIMARY KEY DEFAULT nextval('b') * 10 + 3);
             INSERT INTO tb VALUES (13), (23), (24);
             CREATE SEQUENCE \"it's\"; CREATE TABLE tc (id varchar(30) PRIMARY KEY
                 DEFAULT to_char(current_date, 'YYYY') || '/' || nextval('\"it''s\"'));
             INSERT INTO tc SELECT to_char(current_date, 'YYYY') || '/1';
             CREATE SEQUENCE d; CREATE DOMAIN code AS text CHECK (VALUE <> '');
             CREATE TABLE td (id code PRIMARY KEY DEFAULT nextval('d')); INSERT INTO td VALUES ('1')",
        )
        .await;
    let outcome = database.once(&[]).exits(3);
    for (name, lag) in [("public.a", 4), ("public.b", 2), ("public.\"it's\"", 1), ("public.d", 1)] {
        outcome.shows(name, json!({ "verdict": "unsupported", "next_value": 1, "lag": lag }));
        let fix = taken(&outcome.sequence(name))["fix"].as_str().unwrap().to_owned();
        database.sql(&fix).await;
    }
    database.once(&[]).exits(0);
    for table in ["ta", "tb", "tc", "td"] {
        database.sql(&format!("INSERT INTO {table} DEFAULT VALUES")).await;
    }
}

#[tokio::test]
async fn a_cycling_sequence_whose_next_insert_fails_is_said() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE t (id serial PRIMARY KEY); ALTER SEQUENCE t_id_seq MAXVALUE 100 CYCLE;
             INSERT INTO t SELECT generate_series(1, 3); INSERT INTO t VALUES (9); SELECT setval('t_id_seq', 100)",
        )
        .await;
    let outcome = database.once(&[]).exits(3);
    outcome.shows("public.t_id_seq", json!({ "verdict": "unsupported", "next_value": 1, "lag": 3, "repair": null }));
    database.sql(taken(&outcome.sequence("public.t_id_seq"))["fix"].as_str().unwrap()).await;
    database.sql("INSERT INTO t DEFAULT VALUES").await;
    // Ids that were left from the round before are gone in time.
    database.once(&[]).exits(0).shows("public.t_id_seq", json!({ "verdict": "unsupported", "lag": null }));
}

#[tokio::test]
async fn a_default_that_acts_is_not_computed_again() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE other; CREATE SEQUENCE s;
             CREATE TABLE t (id text PRIMARY KEY DEFAULT nextval('s') || query_to_xml('SELECT nextval(''other'')', true, true, '')::text);
             CREATE FUNCTION spy() RETURNS text LANGUAGE sql AS 'SELECT nextval(''other'')::text';
             CREATE SEQUENCE u; CREATE TABLE v (id text PRIMARY KEY DEFAULT nextval('u') || spy())",
        )
        .await;
    let outcome = database.once(&[]).exits(0);
    for name in ["public.s", "public.u"] {
        outcome.shows(name, json!({ "verdict": "unsupported", "next_value": null, "lag": null }));
    }
    assert_eq!(database.nextval("other").await, 1);
}

#[tokio::test]
async fn without_a_unique_key_no_insert_fails_at_a_computed_id() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE s; CREATE TABLE t (id text DEFAULT nextval('s')); CREATE INDEX ON t (id);
             INSERT INTO t VALUES ('1')",
        )
        .await;
    database.once(&[]).exits(0).shows("public.s", json!({ "verdict": "unsupported", "lag": null }));
}

#[tokio::test]
async fn a_computed_column_that_is_not_readable_is_unsupported_and_no_more() {
    let mut database = Database::new().await;
    let role = database.role("watcher");
    database
        .sql(&format!(
            "CREATE SEQUENCE s; CREATE TABLE t (id text PRIMARY KEY DEFAULT nextval('s')); INSERT INTO t VALUES ('1');
             CREATE ROLE {role} LOGIN; GRANT SELECT ON SEQUENCE s TO {role}"
        ))
        .await;
    let run = |database: &Database| database.once_as(&role, &[]);
    run(&database).exits(0).shows("public.s", json!({ "verdict": "unsupported", "lag": null }));
    let grants = database.pgmedic(&["grants", "--role", &role]).exits(0).stdout;
    database.sql(&grants).await;
    run(&database).exits(3).shows("public.s", json!({ "verdict": "unsupported", "lag": 1 }));
}

/// Its inserts fail, while those of the column beside it do not.
#[tokio::test]
async fn a_repair_for_one_column_does_not_hide_another_one_whose_ids_are_computed() {
    let mut database = Database::new().await;
    let stranger = database.role("stranger");
    database
        .sql(&format!(
            "CREATE SEQUENCE s; CREATE TABLE t (id bigint PRIMARY KEY DEFAULT nextval('s')); INSERT INTO t VALUES (1), (2);
             CREATE TABLE u (id text PRIMARY KEY DEFAULT nextval('s')); INSERT INTO u VALUES ('3'), ('4');
             CREATE TABLE own (id serial PRIMARY KEY); CREATE ROLE {stranger}; GRANT USAGE ON own_id_seq TO {stranger};
             CREATE TABLE theirs (id text PRIMARY KEY DEFAULT nextval('own_id_seq')); INSERT INTO theirs VALUES ('1');
             ALTER TABLE theirs OWNER TO {stranger}"
        ))
        .await;
    let outcome = database.once(&[]).exits(3);
    outcome.repair("public.s", json!({ "outcome": "repaired", "next_value": 3 }));
    assert!(taken(&outcome.sequence("public.s"))["text"].as_str().unwrap().starts_with("the next value 3 makes an id"));
    outcome.shows("public.own_id_seq", json!({ "verdict": "in_sync", "lag": 1 }));
    for name in ["public.s", "public.own_id_seq"] {
        database.sql(taken(&outcome.sequence(name))["fix"].as_str().unwrap()).await;
    }
    database.once(&[]).exits(0);
    database.sql("INSERT INTO u DEFAULT VALUES; INSERT INTO theirs DEFAULT VALUES").await;
}

#[tokio::test]
async fn formatted_negated_and_hashed_values_are_computed_again_too() {
    for (kind, default) in [
        ("text", "format('INV-%s', nextval('s'))"),
        ("bigint", "-nextval('s')"),
        ("bigint", "coalesce(nextval('s'), 0)"),
        ("text", "md5(nextval('s')::text)"),
        ("uuid", "md5(nextval('s')::text)::uuid"),
    ] {
        let mut database = Database::new().await;
        database
            .sql(&format!(
                "CREATE SEQUENCE s; CREATE TABLE t (id {kind} PRIMARY KEY DEFAULT {default}, x int);
                 INSERT INTO t (x) SELECT generate_series(1, 3); ALTER SEQUENCE s RESTART"
            ))
            .await;
        let outcome = database.once(&[]).exits(3);
        outcome.shows("public.s", json!({ "verdict": "unsupported", "next_value": 1, "lag": 3 }));
        database.sql(taken(&outcome.sequence("public.s"))["fix"].as_str().expect("a statement")).await;
        database.sql("INSERT INTO t (x) VALUES (4)").await;
    }
}
