//! Other sessions' temporary objects: no other session may read them, so they are left out.

use crate::support::Database;
use serde_json::json;

#[tokio::test]
async fn another_sessions_temporary_tables_and_sequences_are_left_out() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE kept (id serial PRIMARY KEY);
             CREATE TEMP TABLE gone (id serial PRIMARY KEY); INSERT INTO gone VALUES (50);
             CREATE TEMP SEQUENCE also_gone",
        )
        .await;
    assert_eq!(database.once(&[]).exits(0).names(), ["public.kept_id_seq"]);
}

#[tokio::test]
async fn a_temporary_table_that_a_permanent_sequence_feeds_does_not_count() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE kept (id serial PRIMARY KEY); INSERT INTO kept VALUES (3);
             CREATE SEQUENCE lonely;
             CREATE TEMP TABLE a (id integer DEFAULT nextval('kept_id_seq')); INSERT INTO a VALUES (50);
             CREATE TEMP TABLE b (id integer DEFAULT nextval('lonely')); INSERT INTO b VALUES (50)",
        )
        .await;
    let outcome = database.once(&[]).exits(0);
    outcome.shows("public.kept_id_seq", json!({ "verdict": "behind", "max_id": 3 }));
    outcome.shows("public.lonely", json!({ "verdict": "unlinked", "feeds": [] }));
}

#[tokio::test]
async fn a_temporary_child_of_a_permanent_table_does_not_stand_in_the_way() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE parent (id serial PRIMARY KEY); INSERT INTO parent VALUES (4);
             CREATE TEMP TABLE child () INHERITS (parent); INSERT INTO child VALUES (50)",
        )
        .await;
    database.once(&[]).exits(0).shows("public.parent_id_seq", json!({ "verdict": "behind", "max_id": 4 }));
}
