//! What makes an insert of a taken id fail: without it, numbers may start again on purpose.

use crate::support::Database;
use serde_json::json;

#[tokio::test]
async fn numbers_that_start_again_each_year_are_left_and_the_reason_names_the_key() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE invoices (id bigserial PRIMARY KEY, year int NOT NULL, number int NOT NULL, UNIQUE (year, number));
             CREATE SEQUENCE invoice_no; ALTER TABLE invoices ALTER number SET DEFAULT nextval('invoice_no');
             INSERT INTO invoices (year) SELECT 2025 FROM generate_series(1, 5321);
             ALTER SEQUENCE invoice_no RESTART",
        )
        .await;
    let outcome = database.once(&[]).exits(3);
    outcome.shows("public.invoices_id_seq", json!({ "verdict": "in_sync" }));
    outcome.repair("public.invoice_no", json!({ "outcome": "held", "held_by": "no_unique_key" }));
    let reason = outcome.repair_reason("public.invoice_no");
    assert!(reason.contains("invoices_year_number_key (year, number)"), "{reason}");
    assert_eq!(database.number("INSERT INTO invoices (year) VALUES (2026) RETURNING number::bigint").await, 1);
    database.once(&["--approve", "public.invoice_no"]).exits(0);
    assert_eq!(database.nextval("invoice_no").await, 5322);
}

#[tokio::test]
async fn a_part_of_a_longer_primary_key_is_passed_within_a_step_and_held_beyond() {
    for (ids, expected) in [
        ("generate_series(1, 700)", json!({ "outcome": "repaired", "next_value": 701 })),
        ("generate_series(1, 5000000, 50000)", json!({ "outcome": "held", "held_by": "no_unique_key" })),
    ] {
        let mut database = Database::new().await;
        let create = format!(
            "CREATE TABLE doc (tenant int, number bigserial, PRIMARY KEY (tenant, number)); INSERT INTO doc SELECT 7, {ids}"
        );
        database.sql(&create).await;
        let outcome = database.once(&[]);
        outcome.repair("public.doc_number_seq", expected.clone());
        let said = outcome.stdout.as_str();
        assert!(said.contains("doc_pkey (tenant, number)"), "{said}");
        let held = expected["outcome"] == "held";
        assert_eq!(said.contains("inserts may fail at ids"), held, "{said}");
        let line = database.pgmedic(&["--once", "--dry-run", "--format", "nagios"]).exits(if held { 3 } else { 0 });
        assert_eq!(line.stdout.starts_with("PGMEDIC UNKNOWN"), held, "{}", line.stdout);
    }
}

#[tokio::test]
async fn ids_of_a_copy_without_its_key_are_named_and_nothing_is_moved() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE orders (id bigserial PRIMARY KEY); INSERT INTO orders DEFAULT VALUES;
             CREATE TABLE orders_import (LIKE orders INCLUDING DEFAULTS);
             INSERT INTO orders_import SELECT 50000000000 + g FROM generate_series(1, 100) g",
        )
        .await;
    let outcome = database.once(&[]).exits(3);
    outcome.repair("public.orders_id_seq", json!({ "outcome": "held", "held_by": "no_unique_key" }));
    assert!(outcome.repair_reason("public.orders_id_seq").contains("public.orders_import.id"), "{}", outcome.stdout);
    assert_eq!(database.nextval("orders_id_seq").await, 2);
}

#[tokio::test]
async fn without_an_index_the_max_id_is_passed_within_a_step_and_the_fix_creates_the_index() {
    let mut database = Database::new().await;
    // A unique index with a WHERE clause makes inserts fail, and finds nothing.
    database
        .sql(
            "CREATE SEQUENCE s; CREATE TABLE t (id bigint DEFAULT nextval('s'), gone boolean DEFAULT false);
             CREATE UNIQUE INDEX ON t (id) WHERE NOT gone; INSERT INTO t SELECT generate_series(1, 300)",
        )
        .await;
    database.once(&[]).exits(0).repair("public.s", json!({ "outcome": "repaired", "next_value": 301 }));
    database.sql("INSERT INTO t SELECT generate_series(301, 200000)").await;
    let outcome = database.once(&[]).exits(3);
    outcome.repair("public.s", json!({ "outcome": "held", "held_by": "no_index" }));
    assert!(outcome.repair_reason("public.s").contains("inserts may fail"), "{}", outcome.stdout);
    let line = database.pgmedic(&["--once", "--dry-run", "--format", "nagios"]).exits(3);
    assert!(line.stdout.starts_with("PGMEDIC UNKNOWN"), "{}", line.stdout);
    database.sql(&outcome.repair_fix("public.s")).await;
    database.once(&[]).exits(0).repair("public.s", json!({ "outcome": "repaired", "next_value": 200_001 }));
}

#[tokio::test]
async fn a_key_with_the_partition_key_counts_as_unique() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE t (id bigserial, day date DEFAULT current_date, PRIMARY KEY (day, id)) PARTITION BY RANGE (day);
             CREATE TABLE t_all PARTITION OF t DEFAULT; CREATE INDEX ON t (id);
             INSERT INTO t SELECT generate_series(1, 150000)",
        )
        .await;
    let outcome = database.once(&[]).exits(0);
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "method": "leap", "next_value": 150_001 }));
}

/// An insert of a taken id fails there too.
#[tokio::test]
async fn a_key_that_is_computed_from_the_column_alone_is_a_key_of_the_column() {
    for (create, next) in [
        ("CREATE TABLE t (id bigserial, k bigint GENERATED ALWAYS AS (id + 1000) STORED PRIMARY KEY)", 51),
        ("CREATE TABLE t (id bigserial); CREATE INDEX ON t (id); CREATE UNIQUE INDEX ON t ((id::text))", 51),
        (
            "CREATE TABLE t (id bigserial, k bigint GENERATED ALWAYS AS (id + 1000) STORED); CREATE INDEX ON t (id);
             CREATE UNIQUE INDEX ON t ((k * 2)) WHERE k > 0",
            51,
        ),
    ] {
        let mut database = Database::new().await;
        database.sql(&format!("{create}; INSERT INTO t SELECT generate_series(1, 50)")).await;
        database.once(&[]).exits(0).repair("public.t_id_seq", json!({ "outcome": "repaired", "next_value": next }));
        database.sql("INSERT INTO t DEFAULT VALUES").await;
    }
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE t (id bigserial, x int DEFAULT 7); CREATE INDEX ON t (id); CREATE UNIQUE INDEX ON t ((id + x));
             INSERT INTO t SELECT generate_series(1, 50)",
        )
        .await;
    let outcome = database.once(&[]).exits(3);
    outcome.repair("public.t_id_seq", json!({ "outcome": "held", "held_by": "no_unique_key" }));
    assert!(outcome.repair_reason("public.t_id_seq").contains("t_expr_idx ((an expression))"), "{}", outcome.stdout);
}

#[tokio::test]
async fn a_child_without_an_index_is_named_and_its_index_lets_the_sequence_be_repaired() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE a (id serial PRIMARY KEY); CREATE TABLE c () INHERITS (a);
             INSERT INTO c SELECT generate_series(1, 150000)",
        )
        .await;
    let outcome = database.once(&[]).exits(3);
    outcome.repair("public.a_id_seq", json!({ "outcome": "held", "held_by": "no_index" }));
    assert_eq!(outcome.repair_fix("public.a_id_seq"), "CREATE INDEX CONCURRENTLY ON public.c (id)");
    database.sql(&outcome.repair_fix("public.a_id_seq")).await;
    database.once(&[]).exits(0).repair("public.a_id_seq", json!({ "outcome": "repaired", "next_value": 150_001 }));
}
