//! `pgmedic cutover --watch`.

use super::both;
use super::command::Watching;
use crate::support::Database;
use nix::sys::signal::Signal;

/// Waits until so many values lie between the two.
async fn wait_until_ahead(old: &mut Database, new: &mut Database, values: i64) {
    let next = old.number("SELECT last_value FROM ids").await;
    new.wait_until(&format!("SELECT last_value >= {} FROM ids", next + values)).await;
}

#[tokio::test]
async fn the_new_database_stays_ahead_until_it_is_stopped() {
    let (mut old, mut new) = both("CREATE SEQUENCE ids; SELECT setval('ids', 40)").await;
    let watching = Watching::start(&old, &new, &["--headroom", "1000"]);
    wait_until_ahead(&mut old, &mut new, 1000).await;
    for _ in 0..5 {
        // Less than half, so at no moment less than half is left.
        old.sql("SELECT nextval('ids') FROM generate_series(1, 300)").await;
        wait_until_ahead(&mut old, &mut new, 1000).await;
    }
    let report = watching.stop(Signal::SIGINT).exits(0);
    let watch = report.json()["watch"].clone();
    assert_eq!(watch["below_half"], 0, "{watch}");
    assert!(watch["lowest_headroom"].as_i64().unwrap() >= 500, "{watch}");
    assert!(watch["moves"].as_i64().unwrap() >= 2, "{watch}");
    assert_eq!(report.json()["verdict"], "ready");
}

#[tokio::test]
async fn a_burst_beyond_half_of_the_headroom_is_said_and_made_good() {
    let (mut old, mut new) = both("CREATE SEQUENCE ids; SELECT setval('ids', 40)").await;
    let watching = Watching::start(&old, &new, &["--headroom", "1000"]);
    old.sql("SELECT nextval('ids') FROM generate_series(1, 900)").await;
    wait_until_ahead(&mut old, &mut new, 1000).await;
    let report = watching.stop(Signal::SIGTERM).exits(0);
    assert!(report.json()["watch"]["below_half"].as_i64().unwrap() >= 1, "{}", report.stdout);
}

#[tokio::test]
async fn writers_that_have_moved_to_the_new_database_burn_no_headroom() {
    let (mut old, mut new) = both("CREATE TABLE t (id serial PRIMARY KEY); CREATE SEQUENCE ids").await;
    old.sql("INSERT INTO t SELECT FROM generate_series(1, 50); SELECT setval('ids', 7)").await;
    let watching = Watching::start(&old, &new, &["--headroom", "1000"]);
    let first = new.number("INSERT INTO t DEFAULT VALUES RETURNING id::bigint").await;
    for compared in 1..=3 {
        new.sql("INSERT INTO t SELECT FROM generate_series(1, 10)").await;
        watching.wait_until_logged("compared the ids", compared);
    }
    let report = watching.stop(Signal::SIGTERM).exits(0);
    let last = new.number("INSERT INTO t DEFAULT VALUES RETURNING id::bigint").await;
    assert!(last - first < 100, "{first} {last}\n{}", report.stdout);
}

#[tokio::test]
async fn a_lost_connection_is_opened_again() {
    let (mut old, mut new) = both("CREATE SEQUENCE ids; SELECT setval('ids', 40)").await;
    let watching = Watching::start(&old, &new, &["--headroom", "1000"]);
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'pgmedic'";
    old.number(end).await;
    new.number(end).await;
    old.sql("SELECT nextval('ids') FROM generate_series(1, 400)").await;
    wait_until_ahead(&mut old, &mut new, 1000).await;
    watching.stop(Signal::SIGTERM).exits(0);
}
