//! Partitioned tables and inheritance.

use crate::support::{Database, feed};
use serde_json::json;

#[tokio::test]
async fn a_partitioned_table_is_read_through_all_its_partitions() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE plain;
             CREATE TABLE a (id serial, region integer, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
             CREATE TABLE b (id bigint DEFAULT nextval('plain'), region integer, PRIMARY KEY (id, region))
                 PARTITION BY LIST (region);
             CREATE TABLE a1 PARTITION OF a FOR VALUES IN (1);
             CREATE TABLE a2 PARTITION OF a FOR VALUES IN (2) PARTITION BY RANGE (id);
             CREATE TABLE a2x PARTITION OF a2 FOR VALUES FROM (1) TO (100);
             CREATE TABLE b1 PARTITION OF b DEFAULT;
             INSERT INTO a VALUES (5, 1), (31, 2); INSERT INTO b VALUES (12, 1)",
        )
        .await;
    let outcome = database.once(&[]).exits(0);
    outcome.shows("public.a_id_seq", json!({ "feeds": [feed("public.a.id", "serial")], "max_id": 31 }));
    outcome.shows("public.plain", json!({ "feeds": [feed("public.b.id", "default")], "max_id": 12 }));
    assert_eq!(outcome.names(), ["public.plain", "public.a_id_seq"]);
    assert_eq!(database.number("INSERT INTO a (region) VALUES (2) RETURNING id::bigint").await, 32);
    assert_eq!(database.number("INSERT INTO b (region) VALUES (9) RETURNING id").await, 13);
}

#[tokio::test]
async fn an_identity_of_a_partitioned_table_is_read_through_its_partitions() {
    let mut database = Database::new().await;
    // Before PostgreSQL 17, the column of a partition has no identity.
    database
        .sql(
            "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY, region integer, PRIMARY KEY (id, region))
                 PARTITION BY LIST (region);
             CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1);
             INSERT INTO t (id, region) OVERRIDING SYSTEM VALUE VALUES (8, 1)",
        )
        .await;
    let outcome = database.once(&[]).exits(0);
    outcome.shows("public.t_id_seq", json!({ "feeds": [feed("public.t.id", "identity")], "max_id": 8 }));
    assert_eq!(database.number("INSERT INTO t (region) VALUES (1) RETURNING id").await, 9);
}

#[tokio::test]
async fn a_partition_whose_columns_are_in_another_order_is_read_by_name() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE t (id serial, region integer, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
             CREATE TABLE odd (note text, region integer NOT NULL, dropped text, id integer NOT NULL);
             ALTER TABLE odd DROP dropped, DROP note;
             ALTER TABLE odd ALTER id SET DEFAULT nextval('t_id_seq');
             ALTER TABLE t ATTACH PARTITION odd FOR VALUES IN (1);
             INSERT INTO t VALUES (44, 1)",
        )
        .await;
    // The default of the partition is read through the parent.
    let feeds = [feed("public.t.id", "serial")];
    database.once(&[]).exits(0).shows("public.t_id_seq", json!({ "max_id": 44, "feeds": feeds }));
}

#[tokio::test]
async fn rows_of_inheriting_tables_beyond_the_parents_count() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE parent (id serial PRIMARY KEY);
             CREATE TABLE child () INHERITS (parent);
             CREATE TABLE grandchild () INHERITS (child);
             INSERT INTO parent VALUES (3); INSERT INTO child VALUES (7); INSERT INTO grandchild VALUES (20)",
        )
        .await;
    let outcome = database.once(&[]).exits(0);
    outcome.shows("public.parent_id_seq", json!({ "max_id": 20, "feeds": [feed("public.parent.id", "serial")] }));
    assert_eq!(database.number("INSERT INTO grandchild DEFAULT VALUES RETURNING id::bigint").await, 21);
}

#[tokio::test]
async fn a_childs_own_sequence_is_its_own() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE parent (id serial PRIMARY KEY);
             CREATE SEQUENCE childs_own;
             CREATE TABLE child (id integer PRIMARY KEY DEFAULT nextval('childs_own')) INHERITS (parent);
             INSERT INTO parent VALUES (30); INSERT INTO child VALUES (8)",
        )
        .await;
    let outcome = database.once(&["--dry-run"]).exits(3);
    outcome.shows("public.childs_own", json!({ "max_id": 8, "feeds": [feed("public.child.id", "default")] }));
    outcome.shows("public.parent_id_seq", json!({ "max_id": 30, "feeds": [feed("public.parent.id", "serial")] }));
}

#[tokio::test]
async fn a_child_of_two_fed_parents_counts_for_both() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE a (a_id serial PRIMARY KEY); CREATE TABLE b (b_id serial PRIMARY KEY);
             CREATE TABLE both_of_them () INHERITS (a, b);
             INSERT INTO both_of_them VALUES (4, 6)",
        )
        .await;
    let outcome = database.once(&["--dry-run"]).exits(3);
    outcome.shows("public.a_a_id_seq", json!({ "max_id": 4, "feeds": [feed("public.a.a_id", "serial")] }));
    outcome.shows("public.b_b_id_seq", json!({ "max_id": 6, "feeds": [feed("public.b.b_id", "serial")] }));
}

#[tokio::test]
async fn a_child_counts_for_itself_where_its_parents_link_does_not() {
    let mut database = Database::new().await;
    let (owner, other) = (database.role("owner"), database.role("other"));
    database
        .sql(&format!(
            "CREATE ROLE {owner}; CREATE ROLE {other};
             CREATE SEQUENCE s;
             CREATE TABLE parent (id bigint PRIMARY KEY DEFAULT nextval('s'));
             CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);
             ALTER SEQUENCE s OWNER TO {owner};
             ALTER TABLE child OWNER TO {owner};
             ALTER TABLE parent OWNER TO {other};
             INSERT INTO child VALUES (9); INSERT INTO parent VALUES (100)"
        ))
        .await;
    // The parent's inserts fail, which is said; the sequence is moved past the child's ids alone.
    let outcome = database.once(&[]).exits(3);
    outcome.repair("public.s", json!({ "outcome": "repaired", "next_value": 10, "held_by": "ownership" }));
    outcome.shows("public.s", json!({ "max_id": 9, "feeds": [feed("public.child.id", "default")] }));
    assert!(outcome.reason("public.s").contains("the default of public.parent.id uses it too"));
    assert_eq!(database.nextval("s").await, 10);
}
