//! Declared feeds: patterns, several sequences for one column, and what contradicts itself.

use crate::support::{Database, feed};
use serde_json::json;

async fn tenants() -> Database {
    let mut database = Database::new().await;
    for tenant in ["tenant_a", "tenant_B", "other"] {
        database
            .sql(&format!(
                "CREATE SCHEMA \"{tenant}\"; CREATE SEQUENCE \"{tenant}\".orders_seq;
                 CREATE TABLE \"{tenant}\".orders (id bigint PRIMARY KEY);
                 INSERT INTO \"{tenant}\".orders SELECT generate_series(1, 5)"
            ))
            .await;
    }
    database
}

#[tokio::test]
async fn one_pattern_declares_a_link_in_each_schema() {
    let database = tenants().await;
    let settings = "[sequences]\nexclude = ['other.*']\n[[sequences.feeds]]\nsequence = 'tenant_*.orders_seq'\n\
                    column = 'tenant_*.orders.id'\n";
    let outcome = database.once_with(settings, &[]).exits(0);
    for (sequence, column) in
        [("tenant_a.orders_seq", "tenant_a.orders.id"), ("\"tenant_B\".orders_seq", "\"tenant_B\".orders.id")]
    {
        outcome.shows(sequence, json!({ "verdict": "behind", "max_id": 5, "feeds": [feed(column, "declared")] }));
        outcome.repair(sequence, json!({ "next_value": 6 }));
    }
    assert_eq!(outcome.names().len(), 2);
}

#[tokio::test]
async fn a_pattern_leaves_out_sequences_without_such_a_column() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE orders_seq; CREATE TABLE orders (id bigint PRIMARY KEY); INSERT INTO orders VALUES (3);
             CREATE SEQUENCE lonely_seq; CREATE SEQUENCE \"Cart_seq\"; CREATE TABLE \"Cart\" (id bigint PRIMARY KEY)",
        )
        .await;
    let settings = "[[sequences.feeds]]\nsequence = 'public.*_seq'\ncolumn = 'public.*.id'\n";
    let outcome = database.once_with(settings, &[]).exits(0);
    outcome.shows("public.orders_seq", json!({ "feeds": [feed("public.orders.id", "declared")], "max_id": 3 }));
    outcome.shows("public.\"Cart_seq\"", json!({ "feeds": [feed("public.\"Cart\".id", "declared")] }));
    outcome.shows("public.lonely_seq", json!({ "verdict": "unlinked", "feeds": [] }));
}

#[tokio::test]
async fn a_pattern_that_matches_nothing_is_said() {
    let mut database = Database::new().await;
    database.sql("CREATE SEQUENCE orders_seq; CREATE TABLE orders (number bigint)").await;
    let settings = "[[sequences.feeds]]\nsequence = 'public.*_seq'\ncolumn = 'public.*.id'\n";
    let outcome = database.once_with(settings, &[]).exits(3);
    outcome.shows("public.*_seq", json!({ "verdict": "unreadable", "feeds": [feed("public.*.id", "declared")] }));
    assert!(outcome.reason("public.*_seq").contains("no sequence with such a column"));
}

#[tokio::test]
async fn patterns_that_state_different_allocators_are_a_finding_until_names_decide() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE orders_seq INCREMENT 50; CREATE TABLE orders (id bigint PRIMARY KEY);
             INSERT INTO orders SELECT generate_series(1, 60)",
        )
        .await;
    let patterns = "[[sequences.feeds]]\nsequence = 'public.*_seq'\ncolumn = 'public.*.id'\nallocator = 'hilo'\n
                    [[sequences.feeds]]\nsequence = 'public.o*_seq'\ncolumn = 'public.o*.id'\nallocator = 'pooled'\n";
    let outcome = database.once_with(patterns, &[]).exits(3);
    outcome.shows("public.orders_seq", json!({ "verdict": "unreadable" }));
    let reason = outcome.reason("public.orders_seq");
    assert!(reason.contains("different allocators for public.orders.id"), "{reason}");
    let decided = format!("{}{patterns}", outcome.fix("public.orders_seq"));
    database.once_with(&decided, &[]).exits(0).repair("public.orders_seq", json!({ "next_value": 151 }));
}

#[tokio::test]
async fn two_sequences_may_be_declared_for_one_column() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE odd INCREMENT 2 START 1; CREATE SEQUENCE even INCREMENT 2 START 2;
             CREATE TABLE t (id bigint PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 9)",
        )
        .await;
    let settings = "[[sequences.feeds]]\nsequence = 'public.odd'\ncolumn = 'public.t.id'\nallocator = 'residue'
                    [[sequences.feeds]]\nsequence = 'public.even'\ncolumn = 'public.t.id'\nallocator = 'residue'\n";
    let outcome = database.once_with(settings, &[]).exits(0);
    outcome.repair("public.odd", json!({ "next_value": 11 }));
    outcome.repair("public.even", json!({ "next_value": 10 }));
    outcome.shows("public.odd", json!({ "notes": [], "reason": null }));
}

#[tokio::test]
async fn two_columns_of_one_table_that_patterns_catch_for_one_sequence_are_said() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE orders_seq; CREATE TABLE orders (id bigint PRIMARY KEY, number bigint UNIQUE);
             INSERT INTO orders VALUES (3, 9); CREATE SEQUENCE users_seq; CREATE TABLE users (id bigint PRIMARY KEY)",
        )
        .await;
    let settings = "[[sequences.feeds]]\nsequence = 'public.*_seq'\ncolumn = 'public.*.id'\n
                    [[sequences.feeds]]\nsequence = 'public.*_seq'\ncolumn = 'public.*.number'\n";
    let outcome = database.once_with(settings, &[]).exits(0);
    outcome.shows("public.orders_seq", json!({ "verdict": "behind", "max_id": 9 }));
    let reason = outcome.reason("public.orders_seq");
    let said =
        "patterns of sequences.feeds catch two columns of one table for it, public.orders.id and public.orders.number";
    assert!(reason.contains(said), "{reason}");
    outcome.shows("public.users_seq", json!({ "verdict": "in_sync", "reason": null, "notes": [] }));
}
