//! Blocks of any shape are found by index probes and passed, in either direction and of any kind of column.

use crate::support::Database;
use serde_json::json;

/// A sequence that stands at 1 beside the ids 1 to 250 000: it is passed in one leap, and no table is scanned for that.
async fn is_passed(create: &str) {
    let mut database = Database::new().await;
    database.sql(create).await;
    database.sql("ANALYZE").await;
    let before = scans(&mut database).await;
    let sequence = database.once(&["--dry-run"]).names();
    let [sequence] = sequence.as_slice() else { panic!("{sequence:?}") };
    let outcome = database.once(&[]).exits(0);
    outcome.shows(sequence, json!({ "nearest_id": 1, "max_id": 250_000, "lag": 250_000 }));
    outcome
        .repair(sequence, json!({ "outcome": "repaired", "method": "leap", "next_value": 250_001, "held_by": null }));
    assert_eq!(scans(&mut database).await, before, "a table was scanned");
}

/// How often any table was read without an index.
async fn scans(database: &mut Database) -> i64 {
    database.flush_statistics().await;
    database.number("SELECT sum(seq_scan)::bigint FROM pg_stat_user_tables WHERE schemaname = 'public'").await
}

#[tokio::test]
async fn of_a_plain_key() {
    is_passed("CREATE TABLE t (id bigserial PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 250000)").await;
}

#[tokio::test]
async fn of_a_nullable_column_whose_index_is_descending_with_nulls_last() {
    is_passed(
        "CREATE SEQUENCE s; CREATE TABLE t (id bigint DEFAULT nextval('s'), x int);
         CREATE UNIQUE INDEX ON t (id DESC NULLS LAST);
         INSERT INTO t SELECT generate_series(1, 250000); INSERT INTO t VALUES (NULL)",
    )
    .await;
}

#[tokio::test]
async fn of_a_numeric_column_with_fractions_beside() {
    is_passed(
        "CREATE SEQUENCE s; CREATE TABLE t (id numeric PRIMARY KEY DEFAULT nextval('s'));
         INSERT INTO t SELECT generate_series(1, 250000); INSERT INTO t VALUES (1.5), (77.25)",
    )
    .await;
}

#[tokio::test]
async fn of_a_table_that_is_partitioned_by_another_column() {
    is_passed(
        "CREATE TABLE t (id bigserial, region int, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
         CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); CREATE TABLE t2 PARTITION OF t FOR VALUES IN (2);
         INSERT INTO t SELECT i, i % 2 + 1 FROM generate_series(1, 250000) i",
    )
    .await;
}

#[tokio::test]
async fn of_a_table_with_children_that_have_indexes() {
    is_passed(
        "CREATE TABLE t (id bigserial PRIMARY KEY); CREATE TABLE child (PRIMARY KEY (id)) INHERITS (t);
         INSERT INTO t SELECT i FROM generate_series(1, 250000, 2) i;
         INSERT INTO child SELECT i FROM generate_series(2, 250000, 2) i",
    )
    .await;
}

#[tokio::test]
async fn of_two_tables_that_share_the_sequence() {
    is_passed(
        "CREATE SEQUENCE s; CREATE TABLE a (id bigint PRIMARY KEY DEFAULT nextval('s'));
         CREATE TABLE b (id bigint PRIMARY KEY DEFAULT nextval('s'));
         INSERT INTO a SELECT i FROM generate_series(1, 250000, 2) i;
         INSERT INTO b SELECT i FROM generate_series(2, 250000, 2) i",
    )
    .await;
}

#[tokio::test]
async fn of_a_descending_sequence() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE s INCREMENT -1; CREATE TABLE t (id bigint PRIMARY KEY DEFAULT nextval('s'));
             INSERT INTO t SELECT -i FROM generate_series(1, 250000) i; INSERT INTO t VALUES (-4000000000)",
        )
        .await;
    let outcome = database.once(&[]).exits(3);
    outcome.shows("public.s", json!({ "nearest_id": -1, "lag": 250_000, "max_id": -4_000_000_000_i64 }));
    outcome.repair("public.s", json!({ "outcome": "repaired", "next_value": -250_001, "held_by": "far_ids" }));
}

#[tokio::test]
async fn of_a_residue_class_beside_ids_of_others() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE t (id bigserial PRIMARY KEY); ALTER SEQUENCE t_id_seq INCREMENT 10;
             INSERT INTO t SELECT i * 10 + 1 FROM generate_series(0, 999) i;
             INSERT INTO t SELECT i * 10 + 2 FROM generate_series(0, 99999) i",
        )
        .await;
    let outcome = database.once(&[]).exits(0);
    outcome.shows("public.t_id_seq", json!({ "nearest_id": 1, "max_id": 9991, "lag": 1000 }));
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "next_value": 10_001 }));
}

/// The furthest id of the one column is known, and that of the other one is hidden by an id that the sequence cannot reach.
#[tokio::test]
async fn of_a_residue_class_in_two_columns_the_furthest_id_of_both_is_said() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE s AS smallint INCREMENT 8; CREATE TABLE t (id int PRIMARY KEY DEFAULT nextval('s'));
             CREATE TABLE u (id bigint PRIMARY KEY DEFAULT nextval('s')); INSERT INTO t VALUES (129);
             INSERT INTO u VALUES (137), (201), (249), (32777)",
        )
        .await;
    let outcome = database.once(&[]).exits(0);
    outcome.shows("public.s", json!({ "nearest_id": 129, "max_id": 249, "lag": 32 }));
    outcome.repair("public.s", json!({ "outcome": "repaired", "next_value": 257 }));
}

/// How often the table was scanned, and how many of its rows were read, so far.
async fn reads(database: &mut Database, table: &str) -> (i64, i64) {
    database.flush_statistics().await;
    let of = |what: &str| format!("SELECT {what} FROM pg_stat_user_tables WHERE relname = '{table}'");
    (database.number(&of("seq_scan")).await, database.number(&of("seq_tup_read + idx_tup_fetch")).await)
}

/// All ids ahead are another node's. Filtering them would read every one.
#[tokio::test]
async fn an_idle_node_looks_for_its_own_ids_one_by_one() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE o (id bigserial PRIMARY KEY, x int); ALTER SEQUENCE o_id_seq INCREMENT 10;
             SELECT nextval('o_id_seq'); INSERT INTO o SELECT g * 10::bigint + 2, 1 FROM generate_series(0, 400000) g",
        )
        .await;
    database.sql("VACUUM ANALYZE o").await;
    let before = reads(&mut database, "o").await;
    let outcome = database.once(&[]).exits(0);
    outcome.shows("public.o_id_seq", json!({ "verdict": "in_sync", "next_value": 11, "lag": 0 }));
    let after = reads(&mut database, "o").await;
    assert_eq!(after.0, before.0, "the table was scanned");
    assert!(after.1 - before.1 < 1000, "{} rows of others were read", after.1 - before.1);
}

#[tokio::test]
async fn ids_that_lie_thin_are_passed_as_far_as_the_allowance_goes_and_the_rest_is_held() {
    let mut database = Database::new().await;
    // One in 500: thin. A single run may burn 100 000 values.
    database
        .sql(
            "CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 2000);
             INSERT INTO t SELECT generate_series(2500, 1000000, 500)",
        )
        .await;
    let outcome = database.once(&[]).exits(3);
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "held_by": "thin" }));
    assert!(outcome.repair_reason("public.t_id_seq").contains("one insert in about"), "{}", outcome.stdout);
    let next = database.nextval("t_id_seq").await;
    assert!((2001..=102_000).contains(&next), "{next}");
    assert_eq!(database.number("SELECT count(*) FROM t WHERE id = 2001").await, 0);
}

#[tokio::test]
async fn every_question_of_a_walk_reads_an_index_only() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE t (id serial PRIMARY KEY, x text);
             INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 400000) i;
             INSERT INTO t VALUES (2000000000); ANALYZE t",
        )
        .await;
    let before = reads(&mut database, "t").await;
    database.once(&[]).exits(3);
    let after = reads(&mut database, "t").await;
    assert_eq!(after.0, before.0, "the table was scanned");
    assert!(after.1 - before.1 < 5000, "{} rows were read", after.1 - before.1);
}
