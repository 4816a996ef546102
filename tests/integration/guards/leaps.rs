//! A move that would burn a large part of a sequence is held until an operator approves it by name.

use crate::support::Database;
use serde_json::json;

const POISONED: &str = "
    CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (657), (2000000000);
    SELECT setval('t_id_seq', 657)";

async fn poisoned() -> Database {
    let mut database = Database::new().await;
    database.sql(POISONED).await;
    database
}

#[tokio::test]
async fn a_poisoned_id_does_not_burn_a_sequence() {
    let mut database = poisoned().await;
    let outcome = database.once(&[]).exits(3);
    outcome.shows("public.t_id_seq", json!({ "verdict": "behind", "lag": 1_999_999_343, "next_value": 658 }));
    outcome.repair("public.t_id_seq", json!({ "outcome": "held", "method": null, "held_by": "far_ids" }));
    let reason = outcome.repair_reason("public.t_id_seq");
    assert!(reason.contains("one id, 2000000000, of public.t.id lies 1999999342 values ahead"), "{reason}");
    assert!(reason.ends_with("pgmedic --once --approve public.t_id_seq"), "{reason}");
    assert_eq!(outcome.sequence("public.t_id_seq")["repair"]["reason"]["kind"], "far_ids");
    assert_eq!(outcome.repair_fix("public.t_id_seq"), "pgmedic --once --approve public.t_id_seq");
    assert_eq!(outcome.json()["summary"]["held"], 1);
    assert_eq!(database.nextval("t_id_seq").await, 658);
}

#[tokio::test]
async fn approving_it_by_name_lets_it_through() {
    let mut database = poisoned().await;
    // As in SQL, capital letters are folded.
    // It is repaired, and has used more than fail_used_ratio now.
    let outcome = database.once(&["--approve", "PUBLIC.t_id_seq"]).exits(3);
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "method": "leap", "next_value": 2_000_000_001 }));
    assert_eq!(database.number("INSERT INTO t DEFAULT VALUES RETURNING id::bigint").await, 2_000_000_001);
}

#[tokio::test]
async fn approving_another_name_does_not() {
    let mut database = poisoned().await;
    for name in ["public.t_id_se", "t_id_seq", "shop.*", "public.\"T_ID_SEQ\"", ""] {
        let outcome = database.once(&["--approve", name]).exits(3);
        outcome.repair("public.t_id_seq", json!({ "outcome": "held" }));
    }
    assert_eq!(database.nextval("t_id_seq").await, 658);
}

#[tokio::test]
async fn one_approval_is_for_one_sequence() {
    let mut database = poisoned().await;
    database.sql("CREATE TABLE u (id serial PRIMARY KEY); INSERT INTO u VALUES (2000000000)").await;
    let outcome = database.once(&["--approve", "public.t_id_seq"]).exits(3);
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired" }));
    outcome.repair("public.u_id_seq", json!({ "outcome": "held" }));
    let approved = ["--approve", "public.u_id_seq", "--approve", "public.t_id_seq"];
    database.once(&approved).exits(3).repair("public.u_id_seq", json!({ "outcome": "repaired" }));
}

#[tokio::test]
async fn an_approval_is_given_as_the_reason_spells_it_even_for_an_awkward_name() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SCHEMA \"it's\"; CREATE TABLE \"it's\".\"A b\" (id serial PRIMARY KEY);
             INSERT INTO \"it's\".\"A b\" VALUES (2000000000)",
        )
        .await;
    let sequence = "\"it's\".\"A b_id_seq\"";
    let command = database.once(&[]).exits(3).repair_fix(sequence);
    let spelled = command.strip_prefix("pgmedic --once --approve ").unwrap();
    // Split into words as a shell does.
    let echoed = std::process::Command::new("sh").args(["-c", &format!("printf %s {spelled}")]).output().unwrap();
    let argument = String::from_utf8(echoed.stdout).unwrap();
    assert_eq!(argument, sequence);
    database.once(&["--approve", &argument]).exits(3).repair(sequence, json!({ "outcome": "repaired" }));
}

#[tokio::test]
async fn an_approval_changes_nothing_in_a_dry_run() {
    let mut database = poisoned().await;
    let outcome = database.once(&["--dry-run", "--approve", "public.t_id_seq"]).exits(3);
    outcome.repair("public.t_id_seq", json!({ "outcome": "skipped", "method": "leap",
                                               "reason": { "kind": "repair_disabled", "text": "dry run", "fix": null } }));
    assert_eq!(database.nextval("t_id_seq").await, 658);
}

#[tokio::test]
async fn max_repair_ratio_is_the_largest_share_of_free_values_before_an_id_that_is_passed() {
    let mut database = Database::new().await;
    // Of a range of 1000 values, 500 are free before the one id.
    database
        .sql(
            "CREATE SEQUENCE s MAXVALUE 1000;
             CREATE TABLE t (id integer PRIMARY KEY DEFAULT nextval('s')); INSERT INTO t VALUES (501)",
        )
        .await;
    let within = |ratio: &str| format!("[sequences]\nmax_repair_ratio = {ratio}\n");
    let held = database.once_with(&within("0.499"), &[]).exits(3);
    held.repair("public.s", json!({ "outcome": "held", "held_by": "far_ids" }));
    let through = database.once_with(&within("0.5"), &[]).exits(0);
    through.repair("public.s", json!({ "outcome": "repaired", "method": "advance", "next_value": 502 }));
}

#[tokio::test]
async fn no_approval_makes_room_where_there_is_none() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (2147483647)").await;
    let outcome = database.once(&["--approve", "public.t_id_seq"]).exits(3);
    outcome.repair("public.t_id_seq", json!({ "outcome": "held", "method": null, "held_by": "limit" }));
    assert!(outcome.repair_reason("public.t_id_seq").contains("leaves no value before the limit 2147483647"));
    database.sql(&outcome.repair_fix("public.t_id_seq")).await;
    let outcome = database.once(&["--approve", "public.t_id_seq"]).exits(0);
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "next_value": 2_147_483_648_i64 }));
    assert_eq!(database.number("INSERT INTO t DEFAULT VALUES RETURNING id::bigint").await, 2_147_483_648);
}
