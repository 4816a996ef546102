//! Pairs of databases that cannot be meant.

use super::Pair;
use super::both;
use super::command::{cutover, cutover_at};
use crate::support::{Database, replica_of, server};
use pgmedic_testserver::{ServerOptions, TestServer};

const STATE: &str = "SELECT sum(last_value + is_called::integer)::bigint FROM
    (SELECT * FROM orders_id_seq UNION ALL SELECT * FROM unlinked) AS states";

/// The old database has handed out values, the new one has not.
async fn used_and_fresh() -> (Database, Database) {
    let (mut old, new) = both("CREATE TABLE orders (id serial PRIMARY KEY); CREATE SEQUENCE unlinked").await;
    old.sql("INSERT INTO orders SELECT FROM generate_series(1, 500); SELECT setval('unlinked', 90)").await;
    (old, new)
}

#[tokio::test]
async fn swapped_databases_are_refused_until_it_is_confirmed() {
    let (mut old, mut new) = used_and_fresh().await;
    let before = (old.number(STATE).await, new.number(STATE).await);
    for arguments in [&[][..], &["--headroom", "50"]] {
        let report = cutover(&new, &old, arguments).exits(2);
        assert_eq!(report.json()["verdict"], "refused");
        assert_eq!(report.reason_kinds(), ["swapped"]);
    }
    assert_eq!((old.number(STATE).await, new.number(STATE).await), before, "nothing was done");

    cutover(&new, &old, &["--headroom", "50", "--yes"]).exits(0);
    assert_eq!(old.nextval("orders_id_seq").await, 551);
}

#[tokio::test]
async fn a_subscription_in_the_other_direction_tells_that_they_are_swapped() {
    let mut pair = Pair::subscribed().await;
    // The new database is ahead in one sequence and behind in another: the sequences alone would not tell.
    pair.old.sql("SELECT setval('numbers', 501)").await;
    pair.new.sql("SELECT setval('orders_id_seq', 500)").await;
    let report = cutover(&pair.new, &pair.old, &[]).exits(2);
    assert_eq!(report.reason_kinds(), ["swapped"]);
    assert!(report.stdout.contains("cutover"), "the subscription is named: {}", report.stdout);
    cutover(&pair.old, &pair.new, &[]).exits(0);
}

#[tokio::test]
async fn the_same_database_by_two_names_is_refused() {
    let mut database = Database::new().await;
    database.sql("CREATE SEQUENCE ids; SELECT setval('ids', 5)").await;
    let by_address = server().tcp_url(&database.name).unwrap();
    let report = cutover_at(database.url(), &by_address, &["--headroom", "10", "--yes"]).exits(2);
    assert_eq!(report.reason_kinds(), ["same_database"]);
    assert_eq!(database.nextval("ids").await, 6);
}

#[tokio::test]
async fn a_replica_cannot_take_over_and_is_no_other_database() {
    let mut primary = TestServer::start(&ServerOptions::default()).unwrap();
    let mut other = Database::new().await;
    other.sql("CREATE SEQUENCE ids; SELECT setval('ids', 50)").await;
    Database::at("postgres", primary.url("postgres")).await.sql("CREATE SEQUENCE ids; SELECT setval('ids', 5)").await;
    let replica = replica_of(&mut primary);
    let mut at_primary = Database::at("postgres", primary.url("postgres")).await;
    let mut at_replica = Database::at("postgres", replica.url("postgres")).await;
    at_replica.wait_until("SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'ids')").await;

    let report = cutover(&other, &at_replica, &[]).exits(2);
    assert_eq!(report.reason_kinds(), ["read_only"]);
    for (from, to) in [(&at_primary, &at_replica), (&at_replica, &at_primary)] {
        let report = cutover(from, to, &["--headroom", "10", "--yes"]).exits(2);
        assert_eq!(report.reason_kinds(), ["same_database"]);
    }
    assert_eq!(at_primary.nextval("ids").await, 6, "nothing was done");

    // The sequences of a replica may stand before those of its primary.
    let mut third = Database::new().await;
    third.sql("CREATE SEQUENCE ids").await;
    let report = cutover(&at_replica, &third, &[]).exits(3);
    assert_eq!(report.reason_kinds(), ["read_only"]);
    assert!(third.nextval("ids").await >= 6);
}

#[tokio::test]
async fn a_database_that_is_read_only_by_its_settings_cannot_take_over() {
    let (old, mut new) = used_and_fresh().await;
    new.sql(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", new.name)).await;
    assert_eq!(cutover(&old, &new, &[]).exits(2).reason_kinds(), ["read_only"]);
}

#[tokio::test]
async fn a_database_out_of_reach_is_named_and_nothing_is_done() {
    let (old, mut new) = used_and_fresh().await;
    let before = new.number(STATE).await;
    let nowhere = "host=/nonexistent user=postgres dbname=app";
    for (from, to, word) in [(nowhere, new.url(), "OLD: "), (old.url(), nowhere, "NEW: ")] {
        let report = cutover_at(from, to, &[]).exits(1);
        assert_eq!(report.json()["verdict"], "incomplete");
        assert!(report.stdout.contains(word), "{}", report.stdout);
    }
    assert_eq!(new.number(STATE).await, before);
}

#[tokio::test]
async fn a_database_without_a_sequence_is_no_success() {
    let (old, mut new) = (Database::new().await, Database::new().await);
    new.sql("CREATE SEQUENCE ids").await;
    assert_eq!(cutover(&old, &new, &[]).exits(3).reason_kinds(), ["missing_sequence"]);
}

#[tokio::test]
async fn a_connection_string_that_cannot_be_used_names_its_option_and_shows_no_password() {
    let outcome = cutover_at("postgres://u:hunter2@h/d?sslmode=maybe", "dbname=b", &[]).exits(2);
    assert!(outcome.stderr.contains("--from: ") && !outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
}

#[tokio::test]
async fn an_empty_connection_string_is_refused_and_takes_no_default() {
    for (from, to, option) in [("", "dbname=b", "--from: "), ("dbname=a", " ", "--to: ")] {
        let outcome = cutover_at(from, to, &[]).exits(2);
        assert!(outcome.stderr.contains(option) && outcome.stderr.contains("empty"), "{}", outcome.stderr);
    }
}

#[tokio::test]
async fn a_password_on_the_command_line_is_warned_about_and_never_printed() {
    let (old, new) = used_and_fresh().await;
    let with_password =
        |database: &Database| server().tcp_url(&database.name).unwrap().replacen("postgres@", "postgres:hunter2@", 1);
    let from = with_password(&old);
    assert!(from.contains("hunter2"), "{from}");
    let outcome = cutover_at(&from, &with_password(&new), &[]).exits(0);
    assert!(outcome.stderr.contains("--from: every user of this machine"), "{}", outcome.stderr);
    assert!(!(outcome.stdout + &outcome.stderr).contains("hunter2"));
}
