//! Which sequence fills each column in NEW, and how wide that column is.

use super::both;
use super::command::cutover;
use crate::support::Database;
use serde_json::Value;

const TABLE: &str = "CREATE TABLE t (id serial PRIMARY KEY, x int)";

/// OLD with `schema` and so many rows in `t`, and NEW with another schema.
async fn old_and_new(schema: &str, rows: u32, new_schema: &str) -> (Database, Database) {
    let (mut old, mut new) = (Database::new().await, Database::new().await);
    old.sql(&format!("{schema}; INSERT INTO t (x) SELECT 1 FROM generate_series(1, {rows})")).await;
    new.sql(new_schema).await;
    (old, new)
}

#[tokio::test]
async fn a_column_that_draws_from_another_sequence_in_new_is_not_ready_and_the_fix_turns_it_round() {
    let (old, mut new) = old_and_new(TABLE, 100, &format!("CREATE SEQUENCE t_id_seq; {TABLE}")).await;
    for arguments in [&[][..], &["--yes", "--headroom", "0"]] {
        let report = cutover(&old, &new, arguments).exits(3);
        assert_eq!(report.against("public.t_id_seq"), ["definition"], "the other one was not carried over");
        assert!(report.stdout.contains("public.t_id_seq1"), "{}", report.stdout);
    }
    let report = cutover(&old, &new, &["--yes"]).exits(3);
    let fix = report.fix_of("public.t_id_seq");
    assert_eq!(fix, "ALTER TABLE public.t ALTER COLUMN id SET DEFAULT nextval('public.t_id_seq')");
    new.sql(&fix).await;
    cutover(&old, &new, &["--yes"]).exits(0);
    assert_eq!(new.number("INSERT INTO t (x) VALUES (1) RETURNING id::bigint").await, 101);
}

#[tokio::test]
async fn crossed_names_are_not_ready_and_the_fixes_uncross_them() {
    let schema = "CREATE TABLE a (id serial PRIMARY KEY, x int); CREATE TABLE b (id serial PRIMARY KEY, x int)";
    let (mut old, mut new) = both(schema).await;
    old.sql("INSERT INTO a (x) SELECT 1 FROM generate_series(1, 100); INSERT INTO b (x) VALUES (1)").await;
    new.sql(
        "ALTER SEQUENCE a_id_seq RENAME TO c; ALTER SEQUENCE b_id_seq RENAME TO a_id_seq; ALTER SEQUENCE c RENAME TO b_id_seq",
    )
    .await;
    let report = cutover(&old, &new, &[]).exits(3);
    let names = ["public.a_id_seq", "public.b_id_seq"];
    assert_eq!(names.map(|name| report.against(name)), [["definition"], ["definition"]]);
    for name in names {
        new.sql(&report.fix_of(name)).await;
    }
    cutover(&old, &new, &["--yes"]).exits(0);
    assert_eq!(new.number("INSERT INTO a (x) VALUES (1) RETURNING id::bigint").await, 101);
    assert_eq!(new.number("INSERT INTO b (x) VALUES (1) RETURNING id::bigint").await, 2);
}

#[tokio::test]
async fn an_identity_column_that_draws_from_another_sequence_is_not_ready_in_a_mapped_schema_too() {
    let table = |schema: &str| format!("CREATE TABLE {schema}.t (id int GENERATED ALWAYS AS IDENTITY, x int)");
    let (mut old, mut new) = (Database::new().await, Database::new().await);
    old.sql(&format!("CREATE SCHEMA v1; {}; INSERT INTO v1.t (x) VALUES (1)", table("v1"))).await;
    new.sql(&format!("CREATE SCHEMA v2; CREATE SEQUENCE v2.t_id_seq; {}", table("v2"))).await;
    let report = cutover(&old, &new, &["--map", "v1=v2"]).exits(3);
    assert_eq!(report.against("v2.t_id_seq"), ["definition"]);
    let reason = report.carried("v2.t_id_seq")["reasons"][0].clone();
    assert!(reason["text"].as_str().unwrap().contains("v2.t_id_seq1"), "{reason}");
    assert_eq!(reason["fix"], Value::Null, "no statement gives an identity column another sequence");
}

#[tokio::test]
async fn a_column_that_no_sequence_fills_in_new_is_said_unless_that_is_meant() {
    let new_schema = "CREATE SEQUENCE t_id_seq; CREATE TABLE t (id int DEFAULT (random() * 1000000)::int, x int)";
    let (old, new) = old_and_new(TABLE, 100, new_schema).await;
    let report = cutover(&old, &new, &[]).exits(3);
    assert_eq!(report.against("public.t_id_seq"), ["definition"]);
    let report = cutover(&old, &new, &["--yes"]).exits(0);
    assert_eq!(report.carried("public.t_id_seq")["notes"][0]["kind"], "definition");
}

#[tokio::test]
async fn a_default_of_another_owner_is_the_same_in_both() {
    let (mut old, mut new) = both("CREATE SEQUENCE s; CREATE TABLE t (id int DEFAULT nextval('s') PRIMARY KEY)").await;
    for database in [&mut old, &mut new] {
        let role = database.role("clerk");
        database.sql(&format!("CREATE ROLE {role}; ALTER TABLE t OWNER TO {role}")).await;
    }
    old.sql("SELECT setval('s', 40)").await;
    cutover(&old, &new, &[]).exits(0);
}

#[tokio::test]
async fn a_narrower_column_is_a_difference_and_a_wider_one_is_not() {
    let wide = "CREATE TABLE t (id bigserial PRIMARY KEY, x int)";
    let narrow = "CREATE SEQUENCE t_id_seq; CREATE TABLE t (id int PRIMARY KEY DEFAULT nextval('t_id_seq'), x int)";
    let (old, mut new) = old_and_new(wide, 100, narrow).await;
    let report = cutover(&old, &new, &[]).exits(3);
    assert_eq!(report.against("public.t_id_seq"), ["definition"]);
    let fix = report.fix_of("public.t_id_seq");
    assert_eq!(fix, "ALTER TABLE public.t ALTER COLUMN id TYPE bigint");
    new.sql(&fix).await;
    cutover(&old, &new, &["--yes"]).exits(0);

    let (old, new) = old_and_new(narrow, 100, wide).await;
    assert_eq!(cutover(&old, &new, &[]).exits(0).carried("public.t_id_seq")["notes"], serde_json::json!([]));
}
