//! The settings of `[sequences]` that limit repairs or disable them.

use crate::support::Database;
use serde_json::json;

async fn with_ids(ids: &str) -> Database {
    let mut database = Database::new().await;
    database.sql(&format!("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t {ids}")).await;
    database
}

#[tokio::test]
async fn a_gap_of_the_advance_limit_is_advanced_and_one_more_is_leapt() {
    for (max_id, method) in [(10, "advance"), (11, "leap")] {
        let mut database = with_ids(&format!("SELECT generate_series(1, {max_id})")).await;
        let outcome = database.once_with("[sequences]\nadvance_limit = 10\n", &[]).exits(0);
        let expected = json!({ "outcome": "repaired", "method": method, "next_value": max_id + 1 });
        outcome.shows("public.t_id_seq", json!({ "lag": max_id })).repair("public.t_id_seq", expected);
        assert_eq!(database.nextval("t_id_seq").await, max_id + 1);
    }
}

#[tokio::test]
async fn the_headroom_counts_towards_the_advance_limit() {
    let database = with_ids("SELECT generate_series(1, 10)").await;
    let outcome = database.once_with("[sequences]\nadvance_limit = 10\nheadroom = 1\n", &["--dry-run"]).exits(3);
    outcome.repair("public.t_id_seq", json!({ "outcome": "skipped", "method": "leap" }));
}

#[tokio::test]
async fn headroom_is_left_by_either_method() {
    for (settings, method) in [("", "advance"), ("advance_limit = 0\n", "leap")] {
        let mut database = with_ids("SELECT generate_series(1, 7)").await;
        let outcome = database
            .once_with(
                &format!("[sequences]\nheadroom = 100\nmax_repair_ratio = 1.0\nfail_used_ratio = 1.0\n{settings}"),
                &[],
            )
            .exits(0);
        let expected = json!({ "outcome": "repaired", "method": method, "next_value": 108 });
        outcome.shows("public.t_id_seq", json!({ "lag": 7 })).repair("public.t_id_seq", expected);
        assert_eq!(database.nextval("t_id_seq").await, 108);
    }
}

#[tokio::test]
async fn headroom_ends_one_value_before_the_limit() {
    for (settings, method) in [("", "advance"), ("advance_limit = 0\n", "leap")] {
        let mut database = with_ids("SELECT generate_series(1, 7)").await;
        database.sql("ALTER SEQUENCE t_id_seq MAXVALUE 20").await;
        let outcome = database
            .once_with(
                &format!("[sequences]\nheadroom = 100\nmax_repair_ratio = 1.0\nfail_used_ratio = 1.0\n{settings}"),
                &[],
            )
            .exits(0);
        outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "method": method, "next_value": 20 }));
        assert_eq!(database.number("INSERT INTO t DEFAULT VALUES RETURNING id::bigint").await, 20);
    }
}

#[tokio::test]
async fn headroom_stays_within_the_share_that_a_repair_may_use() {
    let mut database = with_ids("SELECT generate_series(1, 7)").await;
    database.sql("ALTER SEQUENCE t_id_seq MAXVALUE 20").await;
    let outcome = database.once_with("[sequences]\nheadroom = 100\nmax_repair_ratio = 0.2\n", &[]).exits(0);
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "method": "advance", "next_value": 12 }));
}

#[tokio::test]
async fn one_stray_id_does_not_burn_a_small_sequence_by_advance_either() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id smallserial PRIMARY KEY); INSERT INTO t VALUES (32000)").await;
    let outcome = database.once(&[]).exits(3);
    outcome.repair("public.t_id_seq", json!({ "outcome": "held", "method": null, "held_by": "far_ids" }));
    assert_eq!(database.nextval("t_id_seq").await, 1);
    database.once(&["--approve", "public.t_id_seq"]).exits(3);
    assert_eq!(database.nextval("t_id_seq").await, 32001);
}

#[tokio::test]
async fn a_sequence_that_is_in_sync_gets_no_headroom() {
    let mut database = with_ids("DEFAULT VALUES").await;
    let outcome = database.once_with("[sequences]\nheadroom = 100\n", &[]).exits(0);
    outcome.shows("public.t_id_seq", json!({ "verdict": "in_sync", "repair": null }));
    assert_eq!(database.nextval("t_id_seq").await, 2);
}

#[tokio::test]
async fn without_repair_drift_is_reported_and_left() {
    let mut database = with_ids("VALUES (7)").await;
    let outcome = database.once_with("[sequences]\nrepair = false\n", &[]).exits(3);
    outcome.shows("public.t_id_seq", json!({ "verdict": "behind", "lag": 7 }));
    let reason = json!({ "kind": "repair_disabled", "text": "sequences.repair is false", "fix": null });
    let expected = json!({ "outcome": "skipped", "method": "advance", "reason": reason });
    outcome.repair("public.t_id_seq", expected);
    assert_eq!(outcome.json()["dry_run"], false);
    assert_eq!(database.nextval("t_id_seq").await, 1);
}

#[tokio::test]
async fn only_included_sequences_are_looked_at_and_excluded_ones_are_not() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SCHEMA shop; CREATE SCHEMA audit;
             CREATE TABLE shop.a (id serial PRIMARY KEY); INSERT INTO shop.a VALUES (7);
             CREATE TABLE shop.\"B\" (id serial PRIMARY KEY); INSERT INTO shop.\"B\" VALUES (7);
             CREATE TABLE audit.c (id serial PRIMARY KEY); INSERT INTO audit.c VALUES (7)",
        )
        .await;
    let settings = "[sequences]\ninclude = ['shop.*']\nexclude = ['*.B_*']\n";
    assert_eq!(database.once_with(settings, &[]).exits(0).names(), ["shop.a_id_seq"]);
    assert_eq!(database.nextval("audit.c_id_seq").await, 1);
    assert_eq!(database.nextval("shop.\"B_id_seq\"").await, 1);
    assert_eq!(database.nextval("shop.a_id_seq").await, 8);
}

#[tokio::test]
async fn ids_inserted_between_two_runs_are_repaired_by_the_second() {
    let mut database = with_ids("VALUES (7)").await;
    database.once(&[]).exits(0);
    database.sql("INSERT INTO t VALUES (8), (9)").await;
    let outcome = database.once(&[]).exits(0);
    outcome.shows("public.t_id_seq", json!({ "verdict": "behind", "next_value": 8, "max_id": 9, "lag": 2 }));
    assert_eq!(database.nextval("t_id_seq").await, 10);
}
