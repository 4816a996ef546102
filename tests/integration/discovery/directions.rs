//! Increments of every kind: a sequence is compared only with ids that it can produce.

use crate::support::Database;
use serde_json::json;

#[tokio::test]
async fn a_descending_sequence_is_compared_with_the_least_id() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE down INCREMENT -1;
             CREATE TABLE t (id integer DEFAULT nextval('down') PRIMARY KEY);
             INSERT INTO t VALUES (-1), (-40), (77)",
        )
        .await;
    let outcome = database.once(&[]).exits(0);
    outcome.shows("public.down", json!({ "next_value": -1, "max_id": -40, "lag": 40 }));
    outcome.repair("public.down", json!({ "outcome": "repaired", "next_value": -41 }));
    assert_eq!(database.number("INSERT INTO t DEFAULT VALUES RETURNING id::bigint").await, -41);
    database.once(&[]).exits(0).shows("public.down", json!({ "verdict": "in_sync", "max_id": -41 }));
}

#[tokio::test]
async fn a_descending_sequence_within_positive_bounds_leaps_down() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE down INCREMENT -3 MINVALUE 1 MAXVALUE 1000 START 1000;
             CREATE TABLE t (id integer DEFAULT nextval('down') PRIMARY KEY);
             INSERT INTO t SELECT generate_series(1000, 700, -3); INSERT INTO t VALUES (699)",
        )
        .await;
    let outcome = database.once_with("[sequences]\nadvance_limit = 5\n", &[]).exits(0);
    outcome.shows("public.down", json!({ "next_value": 1000, "max_id": 700, "lag": 101 }));
    outcome.repair("public.down", json!({ "outcome": "repaired", "method": "leap", "next_value": 697 }));
    assert_eq!(database.nextval("down").await, 697);
}

#[tokio::test]
async fn ids_of_other_nodes_are_no_drift() {
    let mut database = Database::new().await;
    // Ten nodes share the table; this one has the ids that end in 1.
    database
        .sql(
            "CREATE TABLE t (id serial PRIMARY KEY);
             ALTER SEQUENCE t_id_seq INCREMENT 10;
             SELECT setval('t_id_seq', 91);
             INSERT INTO t VALUES (91), (92), (198), (1003)",
        )
        .await;
    let outcome = database.once(&[]).exits(0);
    outcome.shows("public.t_id_seq", json!({ "verdict": "in_sync", "next_value": 101, "lag": 0 }));
    assert_eq!(database.nextval("t_id_seq").await, 101);
}

#[tokio::test]
async fn own_ids_are_found_behind_those_of_other_nodes_and_the_class_is_kept() {
    for (settings, method) in [("", "advance"), ("[sequences]\nadvance_limit = 3\n", "leap")] {
        let mut database = Database::new().await;
        database
            .sql(
                "CREATE TABLE t (id serial PRIMARY KEY);
                 ALTER SEQUENCE t_id_seq INCREMENT 10;
                 SELECT setval('t_id_seq', 91);
                 INSERT INTO t SELECT generate_series(91, 141, 10); INSERT INTO t VALUES (198), (1003)",
            )
            .await;
        let outcome = database.once_with(settings, &[]).exits(0);
        outcome.shows("public.t_id_seq", json!({ "verdict": "behind", "max_id": 141, "lag": 5 }));
        outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "method": method, "next_value": 151 }));
        assert_eq!(database.number("INSERT INTO t DEFAULT VALUES RETURNING id::bigint").await, 151);
    }
}

#[tokio::test]
async fn a_negative_increment_keeps_its_class_too() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE down INCREMENT -10 START -1;
             CREATE TABLE t (id bigint DEFAULT nextval('down') PRIMARY KEY);
             INSERT INTO t VALUES (-1), (-31), (-38), (-900)",
        )
        .await;
    let outcome = database.once(&[]).exits(0);
    outcome.shows("public.down", json!({ "verdict": "behind", "max_id": -31, "lag": 4 }));
    assert_eq!(database.nextval("down").await, -41);
    database.sql("INSERT INTO t VALUES (-41)").await;
    database.once(&[]).exits(0).shows("public.down", json!({ "verdict": "in_sync" }));
}

#[tokio::test]
async fn ids_outside_the_sequences_bounds_are_not_its_own() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE s MINVALUE 100 MAXVALUE 200 START 100;
             CREATE TABLE t (id integer DEFAULT nextval('s') PRIMARY KEY);
             INSERT INTO t SELECT generate_series(100, 110); INSERT INTO t VALUES (5), (5000)",
        )
        .await;
    database.once(&[]).exits(0).shows("public.s", json!({ "verdict": "behind", "max_id": 110, "lag": 11 }));
    assert_eq!(database.nextval("s").await, 111);
}

#[tokio::test]
async fn a_shared_column_is_looked_at_closer_in_each_partition_and_table() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE s INCREMENT 2 START 1;
             CREATE TABLE a (id integer PRIMARY KEY DEFAULT nextval('s')) PARTITION BY RANGE (id);
             CREATE TABLE a1 PARTITION OF a FOR VALUES FROM (0) TO (100);
             CREATE TABLE a2 PARTITION OF a FOR VALUES FROM (100) TO (200);
             CREATE TABLE b (id numeric PRIMARY KEY DEFAULT nextval('s'));
             INSERT INTO a VALUES (7), (150); INSERT INTO b VALUES (21), (90), (99.5)",
        )
        .await;
    database.once(&[]).exits(0).shows("public.s", json!({ "verdict": "behind", "max_id": 21, "lag": 11 }));
    assert_eq!(database.nextval("s").await, 23);
}
