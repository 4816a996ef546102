//! Relations that are dropped or replaced between their discovery and their read or repair.

use super::{LONG_TIMEOUTS, behind, behind_and_cached, run, state};
use crate::support::{Database, Outcome};

/// Blocks a pass on `held`, which it reads first, after it has read the catalog. Runs `meanwhile`, and lets the pass
/// continue.
async fn held_up(database: &mut Database, meanwhile: &str) -> Outcome {
    let mut holder = database.connect().await;
    run(&mut holder, "BEGIN; LOCK TABLE held IN ACCESS EXCLUSIVE MODE").await;
    let pass = database.start(&LONG_TIMEOUTS);
    database.pass_waits_in("observe").await;
    database.sql(meanwhile).await;
    run(&mut holder, "COMMIT").await;
    let outcome = pass.outcome().await;
    database.forgets_the_pass().await;
    outcome
}

async fn database(tables: &str) -> Database {
    let mut database = Database::new().await;
    database.sql(&format!("CREATE TABLE held (id serial PRIMARY KEY); {tables}")).await;
    database
}

#[track_caller]
fn is_unreadable(outcome: &Outcome, sequence: &str, because: &str) {
    let finding = outcome.sequence(sequence);
    assert_eq!(finding["verdict"], "unreadable", "{finding:#}");
    assert!(finding["reason"]["text"].as_str().is_some_and(|reason| reason.contains(because)), "{finding:#}");
    assert!(finding["repair"].is_null(), "{finding:#}");
}

#[tokio::test]
async fn a_sequence_dropped_during_the_pass_concerns_itself_alone() {
    let mut database = database(&[behind("dropped"), behind("kept")].concat()).await;
    let outcome = held_up(&mut database, "DROP SEQUENCE dropped_id_seq CASCADE").await.exits(3);
    is_unreadable(&outcome, "public.dropped_id_seq", "dropped or renamed during the pass");
    assert_eq!(outcome.sequence("public.held_id_seq")["verdict"], "in_sync");
    assert_eq!(outcome.sequence("public.kept_id_seq")["repair"]["next_value"], 696);
}

#[tokio::test]
async fn a_table_dropped_during_the_pass_concerns_its_sequence_alone() {
    let own = "CREATE SEQUENCE own;
               CREATE TABLE fed (id integer PRIMARY KEY DEFAULT nextval('own'));
               INSERT INTO fed VALUES (7);";
    let mut database = database(&[own, &behind("dropped"), &behind("kept")].concat()).await;
    let outcome = held_up(&mut database, "DROP TABLE dropped, fed").await.exits(3);
    is_unreadable(&outcome, "public.dropped_id_seq", "dropped or renamed during the pass");
    is_unreadable(&outcome, "public.own", "dropped or renamed during the pass");
    assert_eq!(outcome.sequence("public.kept_id_seq")["repair"]["next_value"], 696);
    assert_eq!(database.nextval("own").await, 1);
}

#[tokio::test]
async fn sequences_that_swapped_their_names_during_the_pass_are_not_mistaken_for_one_another() {
    let mut database = database(&[behind("one"), behind_and_cached("other")].concat()).await;
    let before = (state(&mut database, "one_id_seq").await, state(&mut database, "other_id_seq").await);
    let swap = "ALTER SEQUENCE one_id_seq RENAME TO for_a_moment; ALTER SEQUENCE other_id_seq RENAME TO one_id_seq;
                ALTER SEQUENCE for_a_moment RENAME TO other_id_seq";
    let outcome = held_up(&mut database, swap).await.exits(3);
    for name in ["one", "other"] {
        is_unreadable(&outcome, &format!("public.{name}_id_seq"), "altered or replaced during the pass");
    }
    assert_eq!((state(&mut database, "other_id_seq").await, state(&mut database, "one_id_seq").await), before);
}

/// The max id of `other` is far ahead. If `one` were judged by the rows of `other`, it would be moved.
const TO_BE_SWAPPED: &str = "CREATE TABLE one (id serial PRIMARY KEY); INSERT INTO one DEFAULT VALUES;
                             CREATE TABLE other (id integer PRIMARY KEY); INSERT INTO other VALUES (9000);";
const SWAP: &str = "ALTER TABLE one RENAME TO for_a_moment; ALTER TABLE other RENAME TO one;
                    ALTER TABLE for_a_moment RENAME TO other";

#[tokio::test]
async fn a_table_that_took_the_name_of_another_during_the_pass_is_not_mistaken_for_it() {
    let mut database = database(TO_BE_SWAPPED).await;
    let outcome = held_up(&mut database, SWAP).await.exits(3);
    is_unreadable(&outcome, "public.one_id_seq", "altered or replaced during the pass");
    assert_eq!(database.nextval("one_id_seq").await, 2);
}

#[tokio::test]
async fn a_table_that_takes_the_name_of_another_while_its_lock_is_waited_for_is_not_mistaken_for_it() {
    let mut database = database(TO_BE_SWAPPED).await;
    let mut holder = database.connect().await;
    run(&mut holder, "BEGIN").await;
    run(&mut holder, SWAP).await;
    let pass = database.start(&LONG_TIMEOUTS);
    database.pass_waits_in("observe").await;
    run(&mut holder, "COMMIT").await;
    let outcome = pass.outcome().await.exits(3);
    is_unreadable(&outcome, "public.one_id_seq", "altered or replaced during the pass");
    assert_eq!(database.nextval("one_id_seq").await, 2);
}

#[tokio::test]
async fn a_leap_goes_by_the_rows_of_the_judged_table_when_another_takes_the_name_while_it_waits() {
    let mut database = Database::new().await;
    database.sql(&behind_and_cached("one")).await;
    database.sql("CREATE TABLE other (id integer PRIMARY KEY); INSERT INTO other VALUES (9000)").await;
    let (mut user, mut renamer) = (database.connect().await, database.connect().await);
    run(&mut user, "BEGIN; SELECT nextval('one_id_seq')").await;
    let before = state(&mut database, "one_id_seq").await;
    let pass = database.start(&LONG_TIMEOUTS);
    database.pass_waits_in("leap").await;
    run(&mut renamer, "BEGIN").await;
    run(&mut renamer, SWAP).await;
    run(&mut user, "COMMIT").await;
    // The leap is done now, and the look after it waits for the table.
    database
        .wait_for_condition("EXISTS (SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessShareLock' AND relation = 'one'::regclass)")
        .await;
    run(&mut renamer, "COMMIT").await;
    let repair = &pass.outcome().await.exits(1).sequence("public.one_id_seq")["repair"];
    assert!(repair["reason"]["text"].as_str().is_some_and(|reason| reason.contains("replaced")), "{repair:#}");
    let after = state(&mut database, "one_id_seq").await;
    assert_eq!((before.0, after.0), (667, 695), "not past the id 9000 of the other table");
    database.forgets_the_pass().await;
}

/// Blocks a pass on the repair of `held`, which comes first, after it has read everything. Runs `meanwhile`, and lets
/// the pass continue.
async fn held_up_in_repair(tables: &str, meanwhile: &str) -> (Database, Outcome) {
    let mut database = Database::new().await;
    database.sql(&[&behind("held"), tables].concat()).await;
    let mut holder = database.connect().await;
    run(&mut holder, "BEGIN; ALTER SEQUENCE held_id_seq OWNED BY held.id").await;
    let pass = database.start(&LONG_TIMEOUTS);
    database.pass_waits_in("advance").await;
    database.sql(meanwhile).await;
    run(&mut holder, "COMMIT").await;
    let outcome = pass.outcome().await;
    assert_eq!(outcome.sequence("public.held_id_seq")["repair"]["next_value"], 696);
    database.forgets_the_pass().await;
    (database, outcome)
}

#[tokio::test]
async fn a_sequence_dropped_before_its_repair_is_a_failed_repair() {
    let tables = [behind("dropped"), behind_and_cached("dropped_too"), behind("kept")].concat();
    let (_, outcome) = held_up_in_repair(&tables, "DROP TABLE dropped, dropped_too").await;
    let outcome = outcome.exits(1);
    for (name, reason) in [("dropped", "dropped or renamed during the pass"), ("dropped_too", "it is gone")] {
        let finding = outcome.sequence(&format!("public.{name}_id_seq"));
        assert_eq!(finding["repair"]["outcome"], "failed", "{finding:#}");
        assert!(finding["repair"]["reason"]["text"].as_str().is_some_and(|said| said.contains(reason)), "{finding:#}");
    }
    assert_eq!(outcome.sequence("public.kept_id_seq")["repair"]["next_value"], 696);
}

#[tokio::test]
async fn sequences_that_swapped_their_names_before_the_repair_are_not_moved_for_one_another() {
    let healthy = "CREATE TABLE healthy (id serial PRIMARY KEY); CREATE TABLE healthy_too (id serial PRIMARY KEY);";
    let tables = [&behind("drifted"), &behind_and_cached("drifted_too"), healthy].concat();
    let swap = ["", "_too"].map(|suffix| {
        format!(
            "ALTER SEQUENCE drifted{suffix}_id_seq RENAME TO for_a_moment;
             ALTER SEQUENCE healthy{suffix}_id_seq RENAME TO drifted{suffix}_id_seq;
             ALTER SEQUENCE for_a_moment RENAME TO healthy{suffix}_id_seq;"
        )
    });
    let (mut database, outcome) = held_up_in_repair(&tables, &swap.concat()).await;
    let outcome = outcome.exits(1);
    for name in ["drifted", "drifted_too"] {
        let repair = &outcome.sequence(&format!("public.{name}_id_seq"))["repair"];
        assert_eq!(repair["outcome"], "failed", "{repair:#}");
        assert!(repair["reason"]["text"].as_str().is_some_and(|reason| reason.contains("replaced")), "{repair:#}");
        // This sequence belongs to the healthy table now.
        assert_eq!(state(&mut database, &format!("{name}_id_seq")).await.0, 1);
    }
    // An advance uses the sequence's OID. A leap uses its name, which now names another relation, so it does nothing.
    assert_eq!(state(&mut database, "healthy_id_seq").await.0, 695);
    assert_eq!(state(&mut database, "healthy_too_id_seq").await.0, 658);
}
