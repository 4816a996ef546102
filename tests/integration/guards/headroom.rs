//! `--headroom`: every sequence has this many unused values after the run, or the exit code is not 0.

use crate::support::Database;
use serde_json::json;

/// A sequence that is in sync, with the next value 8.
async fn seven_rows() -> Database {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id serial PRIMARY KEY)").await;
    for _ in 0..7 {
        database.sql("INSERT INTO t DEFAULT VALUES").await;
    }
    database
}

#[tokio::test]
async fn a_sequence_in_sync_gets_the_headroom_asked_for_and_gets_it_once() {
    for (settings, method) in [("", "advance"), ("[sequences]\nadvance_limit = 0\n", "leap")] {
        let mut database = seven_rows().await;
        let looked = database.once_with(settings, &["--headroom", "100", "--dry-run"]).exits(3);
        looked.shows("public.t_id_seq", json!({ "verdict": "behind", "next_value": 8, "max_id": 7, "lag": 100 }));
        let reason = looked.reason("public.t_id_seq");
        assert_eq!(reason, "fewer than the 100 values of --headroom lie between id 7 and the next value");
        assert_eq!(database.number("SELECT last_value FROM t_id_seq").await, 7, "it only looked");

        let repaired = database.once_with(settings, &["--headroom", "100"]).exits(0);
        repaired.repair("public.t_id_seq", json!({ "outcome": "repaired", "method": method, "next_value": 108 }));
        let again = database.once_with(settings, &["--headroom", "100"]).exits(0);
        again.shows("public.t_id_seq", json!({ "verdict": "in_sync", "next_value": 108, "repair": null }));
        assert_eq!(database.nextval("t_id_seq").await, 108);
    }
}

#[tokio::test]
async fn rows_that_used_some_of_it_up_are_made_up_for() {
    let mut database = seven_rows().await;
    database.once(&["--headroom", "100"]).exits(0);
    // Rows as a subscription writes them, without `nextval`.
    database.sql("INSERT INTO t SELECT generate_series(8, 37)").await;
    database.once(&[]).exits(0).shows("public.t_id_seq", json!({ "verdict": "in_sync", "repair": null }));
    let outcome = database.once(&["--headroom", "100"]).exits(0);
    outcome.shows("public.t_id_seq", json!({ "verdict": "behind", "max_id": 37, "lag": 30 }));
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "next_value": 138 }));
}

#[tokio::test]
async fn what_is_behind_gets_beyond_the_ids_and_the_headroom_in_one_repair() {
    let mut database = seven_rows().await;
    database.sql("INSERT INTO t VALUES (50)").await;
    // The headroom of the configuration is not added to it.
    let outcome = database.once_with("[sequences]\nheadroom = 5\n", &["--headroom", "100"]).exits(0);
    outcome.shows("public.t_id_seq", json!({ "verdict": "behind", "lag": 143, "reason": null }));
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "next_value": 151 }));
}

#[tokio::test]
async fn an_empty_table_gets_it_from_the_sequences_start_on() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY (START 500) PRIMARY KEY)").await;
    let outcome = database.once(&["--headroom", "100"]).exits(0);
    outcome.shows("public.t_id_seq", json!({ "verdict": "behind", "max_id": null, "lag": 100 }));
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "next_value": 600 }));
    database.once(&["--headroom", "100"]).exits(0).shows("public.t_id_seq", json!({ "verdict": "in_sync" }));
    assert_eq!(database.nextval("t_id_seq").await, 600);
}

#[tokio::test]
async fn another_nodes_ids_neither_count_nor_hide_our_own() {
    for (settings, method) in [("", "advance"), ("[sequences]\nadvance_limit = 0\n", "leap")] {
        let mut database = Database::new().await;
        // The residue class of the sequence is the ids that end in 1: 91 is the max id, and the next value is 111.
        database
            .sql(
                "CREATE TABLE t (id serial PRIMARY KEY);
                 ALTER SEQUENCE t_id_seq INCREMENT 10;
                 SELECT setval('t_id_seq', 101);
                 INSERT INTO t VALUES (91), (92), (198), (1003)",
            )
            .await;
        let outcome = database.once_with(settings, &["--headroom", "5"]).exits(0);
        outcome.shows("public.t_id_seq", json!({ "verdict": "behind", "next_value": 111, "max_id": 91, "lag": 4 }));
        outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "method": method, "next_value": 151 }));
        assert_eq!(database.nextval("t_id_seq").await, 151);
    }
}

#[tokio::test]
async fn a_descending_sequence_leaves_it_below() {
    for (settings, method) in [("", "advance"), ("[sequences]\nadvance_limit = 0\n", "leap")] {
        let mut database = Database::new().await;
        database
            .sql(
                "CREATE SEQUENCE down INCREMENT -3;
                 CREATE TABLE t (id integer DEFAULT nextval('down') PRIMARY KEY);
                 INSERT INTO t DEFAULT VALUES; INSERT INTO t DEFAULT VALUES",
            )
            .await;
        let outcome = database.once_with(settings, &["--headroom", "10"]).exits(0);
        outcome.shows("public.down", json!({ "verdict": "behind", "max_id": -4, "lag": 10 }));
        outcome.repair("public.down", json!({ "outcome": "repaired", "method": method, "next_value": -37 }));
        assert_eq!(database.nextval("down").await, -37);
    }
}

#[tokio::test]
async fn what_cannot_be_left_is_held_and_never_cut() {
    let mut database = seven_rows().await;
    database.sql("ALTER SEQUENCE t_id_seq MAXVALUE 120").await;
    let no_room = database.once(&["--headroom", "113"]).exits(3);
    let reason = no_room.repair_reason("public.t_id_seq");
    assert!(reason.starts_with("id 7 and 113 values beyond it leaves no value before the limit 120"), "{reason}");
    assert_eq!(database.number("SELECT last_value FROM t_id_seq").await, 7);

    database.once(&["--headroom", "112"]).repair("public.t_id_seq", json!({ "outcome": "repaired" }));
    assert_eq!(database.nextval("t_id_seq").await, 120);
}

#[tokio::test]
async fn nonsense_is_refused_and_named() {
    let database = seven_rows().await;
    for value in ["many", "-1", "4294967296", ""] {
        let refused = database.pgmedic(&["--once", &format!("--headroom={value}")]).exits(2);
        assert!(refused.stderr.contains("--headroom"), "{}", refused.stderr);
    }
}
