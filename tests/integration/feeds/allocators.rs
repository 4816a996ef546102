//! Block allocators: the next value's whole block is free after a repair.

use crate::support::{Database, Outcome};
use serde_json::json;

/// A sequence that the application calls itself, and a table with ids up to `rows`.
async fn filled(increment: i64, rows: i64, sequence_at: i64) -> Database {
    let mut database = Database::new().await;
    database
        .sql(&format!(
            "CREATE SEQUENCE numbers INCREMENT {increment}; CREATE TABLE t (id bigint PRIMARY KEY);
             INSERT INTO t SELECT generate_series(1, {rows}); ALTER SEQUENCE numbers RESTART WITH {sequence_at}"
        ))
        .await;
    database
}

fn once(database: &Database, allocator: &str) -> Outcome {
    let settings = format!("[[sequences.feeds]]\nsequence = 'public.numbers'\ncolumn = 'public.t.id'\n{allocator}\n");
    database.once_with(&settings, &[])
}

/// Inserts the block of the next value, as the application does.
async fn insert_block(database: &mut Database, from: &str, to: &str) {
    let insert = format!(
        "INSERT INTO t SELECT generate_series({from}, {to}) FROM (SELECT nextval('numbers') AS v OFFSET 0) AS drawn"
    );
    database.sql(&insert).await;
}

#[tokio::test]
async fn a_pooled_block_ends_with_its_value() {
    let mut database = filled(50, 1000, 1).await;
    let outcome = once(&database, "allocator = 'pooled'").exits(0);
    outcome.shows("public.numbers", json!({ "verdict": "behind", "max_id": 1000 }));
    outcome.repair("public.numbers", json!({ "outcome": "repaired", "next_value": 1051 }));
    insert_block(&mut database, "v - 49", "v").await;
    once(&database, "allocator = 'pooled'").exits(0).shows("public.numbers", json!({ "verdict": "in_sync" }));
}

#[tokio::test]
async fn a_restart_at_max_plus_one_overlaps_the_block_below() {
    let mut database = filled(50, 60, 61).await;
    let outcome = once(&database, "allocator = 'pooled'").exits(0);
    outcome.repair("public.numbers", json!({ "outcome": "repaired", "next_value": 111 }));
    insert_block(&mut database, "v - 49", "v").await;
}

#[tokio::test]
async fn a_low_block_begins_with_its_value() {
    for allocator in ["pooled_lo", "hilo"] {
        let mut database = filled(10, 1009, 1001).await;
        let outcome = once(&database, &format!("allocator = '{allocator}'")).exits(0);
        outcome.repair("public.numbers", json!({ "outcome": "repaired", "next_value": 1011 }));
        insert_block(&mut database, "v", "v + 9").await;
    }
}

#[tokio::test]
async fn legacy_hilo_ids_are_a_multiple_of_the_values() {
    let mut database = filled(1, 199, 4).await;
    let allocator = "allocator = 'legacy_hilo'\nblock_size = 50";
    once(&database, allocator)
        .exits(0)
        .shows("public.numbers", json!({ "verdict": "in_sync", "max_id": 199, "lag": 0 }));
    database.sql("INSERT INTO t VALUES (310)").await;
    let outcome = once(&database, allocator).exits(0);
    outcome.shows("public.numbers", json!({ "verdict": "behind", "max_id": 310, "lag": 3 }));
    outcome.repair("public.numbers", json!({ "outcome": "repaired", "next_value": 7 }));
    insert_block(&mut database, "v * 50", "v * 50 + 49").await;
}

#[tokio::test]
async fn a_leap_keeps_the_block_free_too() {
    let mut database = filled(50, 1000, 1).await;
    let settings = "[sequences]\nadvance_limit = 3\n[[sequences.feeds]]\nsequence = 'public.numbers'\n\
                    column = 'public.t.id'\nallocator = 'pooled'\n";
    let outcome = database.once_with(settings, &[]).exits(0);
    outcome.repair("public.numbers", json!({ "outcome": "repaired", "method": "leap", "next_value": 1051 }));
    insert_block(&mut database, "v - 49", "v").await;
}

#[tokio::test]
async fn a_wide_step_that_the_application_fills_must_state_its_allocator() {
    let database = filled(50, 1000, 1).await;
    let outcome = once(&database, "").exits(3);
    outcome.shows("public.numbers", json!({ "verdict": "unsupported", "repair": null }));
    let reason = outcome.reason("public.numbers");
    assert!(reason.contains("say which ids it makes from one value"), "{reason}");
    assert_eq!(outcome.sequence("public.numbers")["reason"]["kind"], "allocator");
    let fix = outcome.fix("public.numbers");
    // Each of the choices is accepted.
    for choice in ["pooled", "pooled_lo", "hilo", "residue"] {
        assert!(fix.contains(&format!("\"{choice}\"")), "{fix}");
        let settings = fix.replace("allocator = \"pooled\"", &format!("allocator = \"{choice}\""));
        database.once_with(&settings, &["--dry-run"]).exits(3).shows("public.numbers", json!({ "verdict": "behind" }));
    }
    database.once_with(&fix, &[]).exits(0).repair("public.numbers", json!({ "next_value": 1051 }));
}

#[tokio::test]
async fn a_wide_step_beside_ids_of_all_classes_is_pointed_out() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE t (id bigserial PRIMARY KEY); ALTER SEQUENCE t_id_seq INCREMENT 50;
             INSERT INTO t SELECT generate_series(1, 1000)",
        )
        .await;
    let outcome = database.once(&[]).exits(0);
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "next_value": 1001 }));
    let reason = outcome.reason("public.t_id_seq");
    assert!(reason.contains("49 ids of public.t.id lie between 952 and 1000"), "{reason}");
    // Once stated, it is judged by it.
    let outcome = database.once_with(&outcome.fix("public.t_id_seq"), &[]).exits(0);
    outcome.repair("public.t_id_seq", json!({ "next_value": 1051 }));
    outcome.shows("public.t_id_seq", json!({ "reason": null }));
}

#[tokio::test]
async fn another_nodes_residue_class_is_not_taken_for_blocks() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE t (id bigserial PRIMARY KEY); ALTER SEQUENCE t_id_seq INCREMENT 10 RESTART WITH 1;
             INSERT INTO t SELECT nextval('t_id_seq') FROM generate_series(1, 20);
             INSERT INTO t SELECT 10 * i + 2 FROM generate_series(0, 40) i",
        )
        .await;
    database.once(&[]).exits(0).shows("public.t_id_seq", json!({ "verdict": "in_sync", "reason": null, "notes": [] }));
}

/// The ids of a value must all lie within what is stated, and those beyond are not counted.
#[tokio::test]
async fn a_stated_max_id_is_of_the_ids_and_not_of_the_values() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE numbers; CREATE TABLE t (id bigint PRIMARY KEY);
             INSERT INTO t SELECT generate_series(50, 999); INSERT INTO t SELECT generate_series(5000, 6000)",
        )
        .await;
    let rule =
        "allocator = 'legacy_hilo'\nblock_size = 50\n[[sequences.rules]]\nmatch = 'public.numbers'\nmax_id = 4999";
    let outcome = once(&database, rule).exits(0);
    outcome.shows("public.numbers", json!({ "max_id": 999, "limit": 99, "limited_by": "max_id" }));
    outcome.repair("public.numbers", json!({ "outcome": "repaired", "next_value": 20 }));
    database.sql("SELECT setval('numbers', 99)").await;
    once(&database, rule).exits(3).shows("public.numbers", json!({ "verdict": "exhausted", "repair": null }));
    assert_eq!(database.nextval("numbers").await, 100);

    let database = filled(50, 1000, 1001).await;
    let rule = "allocator = 'pooled_lo'\n[[sequences.rules]]\nmatch = 'public.numbers'\nmax_id = 1010";
    once(&database, rule).exits(3).shows("public.numbers", json!({ "verdict": "exhausted", "limit": 961 }));
}

#[tokio::test]
async fn what_a_referencing_column_holds_is_compared_with_the_ids_and_not_with_the_values() {
    let mut database = filled(1, 1, 42_949_671).await;
    database.sql("CREATE TABLE b (x int REFERENCES t)").await;
    let outcome = once(&database, "allocator = 'legacy_hilo'\nblock_size = 50").exits(3);
    outcome.shows(
        "public.numbers",
        json!({ "verdict": "in_sync", "limit": 42_949_671, "limited_by": "public.b.x", "running_out": true }),
    );
}
