//! Locks that another session holds, and the lock that a leap takes.

use super::{LONG_TIMEOUTS, behind, behind_and_cached, run, state};
use crate::support::{Database, waiting};
use serde_json::json;
use sqlx::Row;
use sqlx::postgres::PgConnection;

/// Another session that has run these statements in an open transaction.
async fn holder(database: &Database, statements: &'static str) -> PgConnection {
    let mut holder = database.connect().await;
    run(&mut holder, "BEGIN").await;
    run(&mut holder, statements).await;
    holder
}

#[tokio::test]
async fn a_locked_table_is_unreadable_and_the_others_are_repaired() {
    let mut database = Database::new().await;
    database.sql(&[behind("locked"), behind("free")].concat()).await;
    let _holder = holder(&database, "LOCK TABLE locked IN ACCESS EXCLUSIVE MODE").await;
    let outcome = database.start(&[]).outcome().await.exits(3);
    let locked = outcome.sequence("public.locked_id_seq");
    assert_eq!(locked["verdict"], "unreadable");
    let reason = locked["reason"]["text"].as_str().unwrap_or_default();
    assert!(reason.contains("public.locked ") && reason.contains("lock_timeout (100ms)"), "{reason}");
    assert_eq!(outcome.sequence("public.free_id_seq")["repair"]["next_value"], 696);
    database.forgets_the_pass().await;
    assert_eq!(state(&mut database, "locked_id_seq").await.0, 658);
}

#[tokio::test]
async fn a_sequence_that_is_being_renamed_is_unreadable_and_the_others_are_repaired() {
    let mut database = Database::new().await;
    database.sql(&[behind("locked"), behind("free")].concat()).await;
    let _holder = holder(&database, "ALTER SEQUENCE locked_id_seq RENAME TO renamed").await;
    let outcome = database.start(&[]).outcome().await.exits(3);
    let locked = outcome.sequence("public.locked_id_seq");
    assert_eq!(locked["verdict"], "unreadable");
    let reason = locked["reason"]["text"].as_str().unwrap_or_default();
    assert!(reason.contains("public.locked_id_seq") && reason.contains("lock_timeout (100ms)"), "{reason}");
    assert_eq!(outcome.sequence("public.free_id_seq")["repair"]["next_value"], 696);
    database.forgets_the_pass().await;
}

#[tokio::test]
async fn an_advance_gives_up_when_another_session_alters_the_sequence() {
    let mut database = Database::new().await;
    database.sql(&behind("altered")).await;
    let before = state(&mut database, "altered_id_seq").await;
    let mut holder = holder(&database, "ALTER SEQUENCE altered_id_seq CACHE 1").await;
    let outcome = database.start(&[]).outcome().await.exits(1);
    outcome.repair("public.altered_id_seq", json!({ "outcome": "failed", "method": "advance" }));
    let reason = outcome.repair_reason("public.altered_id_seq");
    assert!(reason.contains("lock_timeout (100ms)"), "{reason}");
    run(&mut holder, "ROLLBACK").await;
    assert_eq!(state(&mut database, "altered_id_seq").await, before);
    database.forgets_the_pass().await;
}

#[tokio::test]
async fn a_leap_gives_up_and_values_are_handed_out_when_an_open_transaction_has_used_the_sequence() {
    let mut database = Database::new().await;
    database.sql(&behind_and_cached("used")).await;
    let mut holder = holder(&database, "SELECT nextval('used_id_seq')").await;
    let before = state(&mut database, "used_id_seq").await;
    let outcome = database.start(&[]).outcome().await.exits(0);
    outcome.repair("public.used_id_seq", json!({ "outcome": "repaired", "method": "advance" }));
    let reason = &outcome.sequence("public.used_id_seq")["repair"]["reason"];
    assert_eq!(reason["kind"], "cached_values", "{reason:#}");
    database.forgets_the_pass().await;
    let after = state(&mut database, "used_id_seq").await;
    assert_eq!((after.0, after.2), (697, before.2), "whole caches, and no rewrite");
    run(&mut holder, "COMMIT").await;
    database.sql(reason["fix"].as_str().expect("a fix")).await;
    let insert = sqlx::query_scalar("INSERT INTO used DEFAULT VALUES RETURNING id");
    let id: i32 = insert.fetch_one(&mut holder).await.expect("an insert");
    assert_eq!(id, 698, "beyond what this session had cached");
}

#[tokio::test]
async fn a_leap_and_an_advance_give_up_when_an_open_transaction_has_altered_the_sequence() {
    let mut database = Database::new().await;
    database.sql(&behind_and_cached("altered")).await;
    let mut holder = holder(&database, "ALTER SEQUENCE altered_id_seq OWNED BY altered.id").await;
    let before = state(&mut database, "altered_id_seq").await;
    let outcome = database.start(&[]).outcome().await.exits(1);
    outcome.repair("public.altered_id_seq", json!({ "outcome": "failed" }));
    let reason = outcome.repair_reason("public.altered_id_seq");
    assert!(reason.contains("lock_timeout (100ms)"), "{reason}");
    assert_eq!(state(&mut database, "altered_id_seq").await, before);
    database.forgets_the_pass().await;
    run(&mut holder, "COMMIT").await;
    database.once(&[]).exits(0).repair("public.altered_id_seq", json!({ "method": "leap", "next_value": 696 }));
}

#[tokio::test]
async fn a_sequence_set_back_while_its_advance_waits_is_repaired_all_the_same() {
    let mut database = Database::new().await;
    database.sql(&behind("back")).await;
    let mut saboteur = holder(&database, "ALTER SEQUENCE back_id_seq OWNED BY back.id").await;
    let pass = database.start(&LONG_TIMEOUTS);
    database.pass_waits_in("advance").await;
    run(&mut saboteur, "SELECT setval('back_id_seq', 100); COMMIT").await;
    let repair = &pass.outcome().await.exits(0).sequence("public.back_id_seq")["repair"];
    assert_eq!((&repair["method"], &repair["next_value"]), (&"advance".into(), &696.into()));
}

#[tokio::test]
async fn inserts_between_the_reads_of_a_pass_are_not_taken_for_ids_ahead() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE busy (id serial PRIMARY KEY); INSERT INTO busy VALUES (2000000000)").await;
    let mut first = holder(&database, "LOCK TABLE busy IN ACCESS EXCLUSIVE MODE").await;
    let pass = database.start(&LONG_TIMEOUTS);
    database.pass_waits_in("observe").await;
    // Inserts after the pass has read the state of the sequence, and before it looks for the nearest id.
    let mut inserter = database.connect().await;
    let inserts = "BEGIN; LOCK TABLE busy IN ACCESS EXCLUSIVE MODE;
                   INSERT INTO busy DEFAULT VALUES; INSERT INTO busy DEFAULT VALUES; COMMIT";
    let inserter = tokio::spawn(async move { run(&mut inserter, inserts).await });
    let queues =
        "SELECT FROM pg_locks WHERE relation = 'busy'::regclass AND NOT granted AND mode = 'AccessExclusiveLock'";
    database.wait_for_condition(&format!("EXISTS ({queues})")).await;
    run(&mut first, "COMMIT").await;
    let outcome = pass.outcome().await.exits(3);
    inserter.await.expect("the inserts");
    outcome.repair("public.busy_id_seq", json!({ "outcome": "held", "held_by": "far_ids" }));
    assert_eq!(state(&mut database, "busy_id_seq").await.0, 2);
}

#[tokio::test]
async fn ids_that_are_inserted_while_a_leap_waits_are_passed_too() {
    let mut database = Database::new().await;
    database.sql(&behind_and_cached("used")).await;
    let mut user = holder(&database, "SELECT nextval('used_id_seq')").await;
    let pass = database.start(&LONG_TIMEOUTS);
    database.pass_waits_in("leap").await;
    database.sql("INSERT INTO used VALUES (800)").await;
    run(&mut user, "COMMIT").await;
    pass.outcome().await.exits(0).repair("public.used_id_seq", json!({ "method": "leap", "next_value": 801 }));
    assert_eq!(database.nextval("used_id_seq").await, 801);
}

#[tokio::test]
async fn a_leap_looks_again_under_its_lock_and_does_not_take_back_what_moved_while_it_waited() {
    let mut database = Database::new().await;
    database.sql(&behind_and_cached("used")).await;
    let mut user = holder(&database, "SELECT nextval('used_id_seq')").await;
    let pass = database.start(&LONG_TIMEOUTS);
    database.pass_waits_in("leap").await;
    run(&mut user, "SELECT setval('used_id_seq', 5000); COMMIT").await;
    pass.outcome().await.exits(0);
    assert_eq!(database.nextval("used_id_seq").await, 5001);
}

#[tokio::test]
async fn an_insert_that_queues_behind_a_waiting_leap_goes_on_before_the_lock_timeout() {
    let mut database = Database::new().await;
    database.sql(&behind_and_cached("used")).await;
    let mut holder = holder(&database, "SELECT nextval('used_id_seq')").await;
    let before = state(&mut database, "used_id_seq").await;
    let pass = database.start(&[("PGMEDIC_SEQUENCES__LOCK_TIMEOUT", "5s")]);
    database.pass_waits_in("leap").await;

    // An insert waits behind the leap's lock request, and then for each of its two statements.
    let message: String = database.row(&format!("SELECT query {}", waiting("leap"))).await.get(0);
    let limit = |name: &str| -> u32 {
        let (_, rest) = message.split_once(&format!("set_config('{name}', '")).expect(name);
        rest.split('\'').next().and_then(|number| number.parse().ok()).expect(name)
    };
    assert!(limit("lock_timeout") < limit("statement_timeout"), "{message}");
    assert!(2 * limit("statement_timeout") <= 5000, "{message}");

    // The lock of `holder` does not block an insert, and it is held until the end of this test. So when the insert
    // succeeds, the leap has given up.
    let mut client = database.connect().await;
    let next = sqlx::query("SELECT nextval('used_id_seq')").fetch_one(&mut client);
    let next = tokio::time::timeout(std::time::Duration::from_secs(60), next).await;
    let next: i64 = next.expect("the insert goes on").expect("a value").get(0);
    assert_eq!(next, before.0 + 1);
    pass.kill().await;
    database.forgets_the_pass().await;
    let (last_value, _, file) = state(&mut database, "used_id_seq").await;
    assert_eq!((last_value, file), (before.0 + 10, before.2), "one session's cache, and no rewrite");
    run(&mut holder, "ROLLBACK").await;
}
