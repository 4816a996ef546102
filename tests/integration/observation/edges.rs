//! The exact state of a sequence, and the limits of every integer type.

use crate::support::Database;
use serde_json::json;

#[tokio::test]
async fn a_fresh_sequence_beside_its_own_first_id_is_behind() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (1)").await;
    let outcome = database.once(&[]).exits(0);
    outcome.shows("public.t_id_seq", json!({ "verdict": "behind", "next_value": 1, "max_id": 1, "lag": 1 }));
    assert_eq!(database.nextval("t_id_seq").await, 2);
}

#[tokio::test]
async fn a_called_sequence_beside_its_own_first_id_is_in_sync() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t DEFAULT VALUES").await;
    let outcome = database.once(&[]).exits(0);
    outcome.shows("public.t_id_seq", json!({ "verdict": "in_sync", "next_value": 2, "max_id": 1, "lag": 0 }));
}

#[tokio::test]
async fn an_empty_table_has_no_max_id_and_is_in_sync() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id serial PRIMARY KEY); CREATE TABLE nulls (id serial)").await;
    database.sql("ALTER TABLE nulls ALTER id DROP NOT NULL; INSERT INTO nulls VALUES (NULL)").await;
    let outcome = database.once(&[]).exits(0);
    let expected = json!({ "verdict": "in_sync", "next_value": 1, "max_id": null, "lag": 0, "used_ratio": 0.0 });
    outcome.shows("public.t_id_seq", expected.clone()).shows("public.nulls_id_seq", expected);
}

#[tokio::test]
async fn a_sequence_ahead_of_its_ids_is_never_moved_back() {
    let mut database = Database::new().await;
    database
        .sql("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (5); SELECT setval('t_id_seq', 900)")
        .await;
    let outcome = database.once(&[]).exits(0);
    outcome.shows("public.t_id_seq", json!({ "verdict": "in_sync", "max_id": 5, "lag": 0, "repair": null }));
    assert_eq!(database.nextval("t_id_seq").await, 901);
}

#[tokio::test]
async fn ids_beyond_two_to_the_53rd_are_exact() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE t (id bigserial PRIMARY KEY);
             SELECT setval('t_id_seq', 9007199254740992);
             INSERT INTO t VALUES (9007199254740995)",
        )
        .await;
    let outcome = database.once(&[]).exits(0);
    let digits = [
        r#""next_value":9007199254740993,"max_id":9007199254740995,"nearest_id":9007199254740995,"#,
        r#""limit":9223372036854775807,"#,
        r#""verdict":"behind","lag":3,"#,
    ];
    assert!(digits.iter().all(|digits| outcome.stdout.contains(digits)), "{}", outcome.stdout);
    assert!(outcome.stdout.contains(r#""next_value":9007199254740996,"#), "{}", outcome.stdout);
    assert_eq!(database.number("INSERT INTO t DEFAULT VALUES RETURNING id").await, 9_007_199_254_740_996);
}

/// The serial types and their largest values.
const TYPES: [(&str, i64); 3] = [("smallserial", 32_767), ("serial", 2_147_483_647), ("bigserial", i64::MAX)];

#[tokio::test]
async fn one_before_the_end_of_each_type_is_repaired() {
    for (kind, last) in TYPES {
        let mut database = Database::new().await;
        let (next, taken) = (last - 1, last - 1);
        database
            .sql(&format!(
                "CREATE TABLE t (id {kind} PRIMARY KEY);
                 SELECT setval('t_id_seq', {next}, false); INSERT INTO t VALUES ({taken})"
            ))
            .await;
        // It has used more than fail_used_ratio.
        let outcome = database.once(&[]).exits(3);
        outcome.shows("public.t_id_seq", json!({ "verdict": "behind", "next_value": next, "lag": 1 }));
        outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "next_value": last }));
        assert_eq!(database.number("INSERT INTO t DEFAULT VALUES RETURNING id::bigint").await, last);
    }
}

#[tokio::test]
async fn an_id_at_the_end_of_each_type_leaves_no_room() {
    for (kind, last) in TYPES {
        let mut database = Database::new().await;
        database
            .sql(&format!(
                "CREATE TABLE t (id {kind} PRIMARY KEY);
                 SELECT setval('t_id_seq', {before}, false); INSERT INTO t VALUES ({last})",
                before = last - 1
            ))
            .await;
        let outcome = database.once(&["--approve", "public.t_id_seq"]).exits(3);
        outcome.shows("public.t_id_seq", json!({ "verdict": "behind", "max_id": last, "lag": 2 }));
        outcome.repair("public.t_id_seq", json!({ "outcome": "held", "method": null, "next_value": null }));
        let reason = outcome.repair_reason("public.t_id_seq");
        assert!(reason.contains(&format!("id {last} leaves no value before the limit {last}")), "{reason}");
        assert_eq!(database.nextval("t_id_seq").await, last - 1);
        if last == i64::MAX {
            assert_eq!(outcome.sequence("public.t_id_seq")["repair"]["reason"]["fix"], json!(null), "no wider type");
            continue;
        }
        database.sql(&outcome.repair_fix("public.t_id_seq")).await;
        let outcome = database.once(&[]).exits(0);
        outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "next_value": last + 1 }));
    }
}

#[tokio::test]
async fn a_sequence_at_the_end_of_each_type_is_exhausted() {
    for (kind, last) in TYPES {
        let mut database = Database::new().await;
        database
            .sql(&format!(
                "CREATE TABLE t (id {kind} PRIMARY KEY); SELECT setval('t_id_seq', {last}); INSERT INTO t VALUES (5)"
            ))
            .await;
        let outcome = database.once(&[]).exits(3);
        let expected = json!({ "verdict": "exhausted", "next_value": null, "used_ratio": 1.0, "repair": null });
        outcome.shows("public.t_id_seq", expected);
        if last == i64::MAX {
            assert_eq!(outcome.sequence("public.t_id_seq")["reason"]["fix"], json!(null), "no wider type");
            continue;
        }
        assert!(outcome.reason("public.t_id_seq").contains("ALTER SEQUENCE public.t_id_seq AS bigint"));
        database.sql(&outcome.fix("public.t_id_seq")).await;
        database.once(&[]).exits(0);
        assert_eq!(database.number("INSERT INTO t DEFAULT VALUES RETURNING id::bigint").await, last + 1);
    }
}

#[tokio::test]
async fn the_lowest_ends_are_exact_for_descending_sequences() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE down INCREMENT -1; SELECT setval('down', -9223372036854775806);
             CREATE TABLE t (id bigint PRIMARY KEY DEFAULT nextval('down')); INSERT INTO t VALUES (-9223372036854775807);
             CREATE SEQUENCE small INCREMENT -1; SELECT setval('small', -32768);
             CREATE TABLE u (id smallint PRIMARY KEY DEFAULT nextval('small'))",
        )
        .await;
    let outcome = database.once(&[]).exits(3);
    outcome.shows("public.down", json!({ "verdict": "behind", "max_id": i64::MIN + 1, "limit": i64::MIN, "lag": 1 }));
    outcome.repair("public.down", json!({ "outcome": "repaired", "next_value": i64::MIN }));
    outcome.shows("public.small", json!({ "verdict": "exhausted", "next_value": -32769, "limit": -32768 }));
}

#[tokio::test]
async fn the_widest_gap_there_can_be_is_counted_exactly() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE s MINVALUE -9223372036854775808;
             CREATE TABLE t (id bigint PRIMARY KEY DEFAULT nextval('s')); INSERT INTO t VALUES (9223372036854775806)",
        )
        .await;
    let outcome = database.once(&[]).exits(3);
    assert!(outcome.stdout.contains(r#""lag":18446744073709551615,"#), "{}", outcome.stdout);
    outcome.repair("public.s", json!({ "outcome": "held", "method": null, "held_by": "far_ids" }));
}
