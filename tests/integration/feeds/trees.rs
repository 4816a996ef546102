//! Trees of tables: children with sequences that are theirs alone, and partitions on other servers.

use crate::support::{Database, feed};
use serde_json::json;

#[tokio::test]
async fn a_child_with_a_sequence_of_other_values_is_not_its_parents() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE parent (id serial PRIMARY KEY, note text);
             CREATE TABLE child () INHERITS (parent); CREATE TABLE grandchild () INHERITS (child);
             CREATE TABLE sibling () INHERITS (parent);
             CREATE SEQUENCE child_seq START 1000000000;
             ALTER TABLE child ALTER id SET DEFAULT nextval('child_seq');
             INSERT INTO parent (note) SELECT 'p' FROM generate_series(1, 5);
             INSERT INTO child (note) SELECT 'c' FROM generate_series(1, 5);
             INSERT INTO grandchild (note) SELECT 'g' FROM generate_series(1, 5);
             INSERT INTO sibling VALUES (7)",
        )
        .await;
    let outcome = database.once(&[]).exits(0);
    let feeds = [feed("public.parent.id", "serial")];
    outcome.shows("public.parent_id_seq", json!({ "verdict": "behind", "max_id": 7, "feeds": feeds, "notes": [] }));
    outcome.shows("public.child_seq", json!({ "verdict": "in_sync", "max_id": 1_000_000_009 }));
    assert_eq!(database.number("INSERT INTO parent (note) VALUES ('p') RETURNING id::bigint").await, 8);
}

#[tokio::test]
async fn the_readable_part_of_a_tree_with_a_foreign_partition_is_judged() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER away FOREIGN DATA WRAPPER nowhere;
             CREATE TABLE t (id bigserial, day date NOT NULL) PARTITION BY RANGE (day);
             CREATE TABLE hot PARTITION OF t FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
             CREATE UNIQUE INDEX ON hot (id);
             CREATE FOREIGN TABLE cold PARTITION OF t FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') SERVER away;
             INSERT INTO hot SELECT i, '2026-05-05' FROM generate_series(1, 50) i",
        )
        .await;
    database.once(&["--dry-run"]).exits(3).shows("public.t_id_seq", json!({ "verdict": "behind", "max_id": 50 }));
    let outcome = database.once(&[]).exits(0);
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "next_value": 51 }));
    // What the foreign part holds is not known: no drift that is seen is not the absence of drift.
    let outcome = database.once(&[]).exits(0);
    outcome.shows("public.t_id_seq", json!({ "verdict": "unsupported", "next_value": 51, "lag": null }));
    assert!(outcome.reason("public.t_id_seq").contains("has a foreign table among its partitions"));
}
