//! Many that are mended at once: what one of them meets is no other's matter.

use super::{PATIENT, behind, behind_and_cached, state};
use crate::support::{Database, waiting};
use sqlx::postgres::PgConnection;

async fn run(connection: &mut PgConnection, statements: &'static str) {
    sqlx::raw_sql(statements).execute(connection).await.expect(statements);
}

/// Tables `t1` to `t<count>` that are behind: ids up to `frontier`, and the next value is 1.
async fn all_behind(database: &mut Database, count: u32, frontier: u32) {
    let create = "CREATE TABLE t%s (id serial PRIMARY KEY)";
    database
        .sql(&format!(
            "DO $$ BEGIN FOR i IN 1..{count} LOOP
                 EXECUTE format('{create}', i);
                 EXECUTE format('INSERT INTO t%s VALUES ({frontier})', i);
             END LOOP; END $$"
        ))
        .await;
}

#[tokio::test]
async fn a_thousand_are_mended_in_a_hundred_transactions() {
    let mut database = Database::new().await;
    all_behind(&mut database, 1000, 7).await;
    let committed = "SELECT pg_stat_get_db_xact_commit(oid) + pg_stat_get_db_xact_rollback(oid)
                     FROM pg_database WHERE datname = current_database()";
    let before = database.number(committed).await;
    let outcome = database.once(&[]).exits(0);
    assert_eq!(outcome.json()["summary"]["repaired"], 1000);
    // Its own connections are counted when they end; this one counts a handful of its own looks.
    let took = database.number(committed).await - before;
    assert!((5..=100).contains(&took), "{took} transactions");
    let in_sync = database.once(&["--dry-run"]).exits(0);
    assert_eq!(in_sync.json()["summary"]["in_sync"], 1000);
    database.forgets_the_pass().await;
}

#[tokio::test]
async fn one_that_somebody_alters_fails_alone() {
    let mut database = Database::new().await;
    database.sql(&[behind("first"), behind("altered"), behind("last")].concat()).await;
    let mut holder = database.connect().await;
    run(&mut holder, "BEGIN; ALTER SEQUENCE altered_id_seq OWNED BY altered.id").await;
    let outcome = database.start(&[]).outcome().await.exits(1);
    for name in ["first", "last"] {
        let repair = &outcome.sequence(&format!("public.{name}_id_seq"))["repair"];
        assert_eq!((&repair["outcome"], &repair["next_value"]), (&"repaired".into(), &696.into()), "{name}");
    }
    let repair = &outcome.sequence("public.altered_id_seq")["repair"];
    assert_eq!(repair["outcome"], "failed");
    assert!(repair["reason"].as_str().is_some_and(|reason| reason.contains("lock_timeout (100ms)")), "{repair:#}");
    assert_eq!(state(&mut database, "altered_id_seq").await.0, 658);
    run(&mut holder, "ROLLBACK").await;
    database.once(&[]).exits(0).repair("public.altered_id_seq", serde_json::json!({ "next_value": 696 }));
    database.forgets_the_pass().await;
}

#[tokio::test]
async fn whoever_would_alter_one_waits_for_half_of_the_lock_timeout_at_most() {
    let mut database = Database::new().await;
    database.sql(&[behind("first"), behind("altered"), behind("last")].concat()).await;
    let mut holder = database.connect().await;
    run(&mut holder, "BEGIN; ALTER SEQUENCE altered_id_seq OWNED BY altered.id").await;
    let pass = database.start(&PATIENT);
    database.pass_waits_in("advance").await;
    let message: String = sqlx::Row::get(&database.row(&format!("SELECT query {}", waiting("advance"))).await, 0);
    assert!(message.contains("SET LOCAL lock_timeout = 30000;"), "half of it: {message}");
    assert!(message.contains("SET LOCAL statement_timeout = 30000;"), "{message}");
    assert!(message.matches("nextval").count() > 1, "{message}");
    run(&mut holder, "COMMIT").await;
    assert_eq!(pass.outcome().await.exits(0).json()["summary"]["repaired"], 3);
}

#[tokio::test]
async fn wide_gaps_are_handed_out_in_messages_of_their_own() {
    let mut database = Database::new().await;
    all_behind(&mut database, 5, 60_000).await;
    let mut holder = database.connect().await;
    run(&mut holder, "BEGIN; ALTER SEQUENCE t1_id_seq OWNED BY t1.id").await;
    let pass = database.start(&PATIENT);
    database.pass_waits_in("advance").await;
    let message: String = sqlx::Row::get(&database.row(&format!("SELECT query {}", waiting("advance"))).await, 0);
    assert_eq!(message.matches("nextval").count(), 1, "60 000 and 60 000 are more than 100 000: {message}");
    run(&mut holder, "COMMIT").await;
    let outcome = pass.outcome().await.exits(0);
    for table in 1..=5 {
        let repair = &outcome.sequence(&format!("public.t{table}_id_seq"))["repair"];
        assert_eq!((&repair["method"], &repair["next_value"]), (&"advance".into(), &60_001.into()));
    }
}

#[tokio::test]
async fn advances_are_looked_at_before_a_leap_is_waited_for() {
    let mut database = Database::new().await;
    database.sql(&[behind_and_cached("leapt"), behind("near")].concat()).await;
    let mut holder = database.connect().await;
    run(&mut holder, "BEGIN; ALTER SEQUENCE leapt_id_seq OWNED BY leapt.id").await;
    let pass = database.start(&PATIENT);
    database.pass_waits_in("leap").await;
    database.row(&format!("SELECT pg_terminate_backend(pid) {}", waiting("leap"))).await;
    let outcome = pass.outcome().await.exits(1);
    outcome.repair("public.near_id_seq", serde_json::json!({ "outcome": "repaired", "next_value": 696 }));
    assert_eq!(outcome.sequence("public.leapt_id_seq")["repair"]["outcome"], "failed");
}
