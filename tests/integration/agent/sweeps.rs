//! Session stores under the agent: the leader sweeps each by its schedule.

use super::{EVERY_SECOND, leader, orders, repairs, series};
use crate::support::{Agent, Database, wait_for, wait_until_blocked_on};
use nix::sys::signal::Signal;
use serde_json::json;

const STORE: &str = "[[sessions]]\nname = \"logins\"\ntable = \"public.logins\"\nexpires_at = \"expires_at\"\n\
                     encoding = \"timestamptz\"\nschedule = \"* * * * * *\"\n";

/// With 20 ids in `orders`, and in `logins` so many sessions that are over and so many that are not.
pub async fn logins(expired: u32, live: u32) -> Database {
    let mut database = orders().await;
    database.sql("CREATE TABLE logins (id bigserial PRIMARY KEY, expires_at timestamptz)").await;
    database.sql("CREATE INDEX ON logins (expires_at)").await;
    add(&mut database, expired, "-1 hour").await;
    add(&mut database, live, "1 hour").await;
    database
}

async fn add(database: &mut Database, sessions: u32, end: &str) {
    let insert =
        format!("INSERT INTO logins (expires_at) SELECT now() + interval '{end}' FROM generate_series(1, {sessions})");
    database.sql(&insert).await;
}

pub fn settings(more: &str) -> String {
    format!("{EVERY_SECOND}{STORE}{more}")
}

fn of_store(name: &str, database: &Database) -> String {
    series(name, database, "DATABASE,store=\"logins\"")
}

fn of_pass(name: &str, database: &Database) -> String {
    series(name, database, "DATABASE,pass=\"sessions\"")
}

#[tokio::test]
async fn stale_sessions_are_ended_by_a_tick_and_shown_everywhere() {
    let mut database = logins(30, 70).await;
    let agent = Agent::start(&database, &settings(""));
    assert!(agent.metric(&of_store("sessions_expired_total", &database)).is_some(), "it exists from zero");
    database.wait_until("SELECT count(*) = 70 FROM logins").await;
    agent.wait_until(&of_store("sessions_expired_total", &database), |expired| expired == 30.0);
    agent.wait_until(&of_store("sessions_stale", &database), |stale| stale == 0.0);
    assert_eq!(agent.metric(&of_store("sessions_live", &database)), Some(70.0));
    assert_eq!(agent.metric(&of_store("sessions_held", &database)), Some(0.0));
    assert_eq!(agent.metric(&of_store("sessions_superseded_total", &database)), Some(0.0));
    assert_eq!(agent.metric(&of_pass("pass_failures_total", &database)), Some(0.0));
    assert_eq!(agent.metric(&of_pass("pass_interval_seconds", &database)), Some(1.0));
    assert!(agent.metric(&of_pass("pass_last_success_timestamp_seconds", &database)) > Some(1e9));
    // The first pass only counted.
    agent.wait_until(&of_pass("pass_runs_total", &database), |passes| passes >= 2.0);

    add(&mut database, 5, "0").await;
    agent.wait_until(&of_store("sessions_expired_total", &database), |expired| expired == 35.0);
    let report = agent.report();
    let store = &report["sessions"][0];
    assert_eq!((&store["name"], &store["live"]), (&json!("logins"), &json!(70)), "{report:#}");
    let log = agent.stop();
    assert_eq!(log.matches("sessions of logins were ended").count(), 2, "{log}");
}

#[tokio::test]
async fn only_the_leader_sweeps_and_its_successor_looks_first() {
    let mut database = logins(0, 50).await;
    let first = Agent::start(&database, &settings(""));
    first.wait_until(&of_pass("pass_runs_total", &database), |passes| passes >= 2.0);
    let second = Agent::start(&database, &settings(""));
    let standby = series("pass_skipped_total", &database, "DATABASE,pass=\"sessions\",reason=\"standby\"");
    second.wait_until(&standby, |skipped| skipped >= 2.0);
    assert_eq!(second.metric(&of_pass("pass_runs_total", &database)), Some(0.0));
    assert_eq!(second.metric(&of_store("sessions_live", &database)), None, "it has made no pass");
    first.signal(Signal::SIGKILL);
    second.wait_until(&leader(&database), |leads| leads == 1.0);
    add(&mut database, 10, "0").await;
    second.wait_until(&of_store("sessions_expired_total", &database), |expired| expired == 10.0);
    assert!(second.metric(&of_pass("pass_runs_total", &database)) >= Some(2.0));
    second.stop();
}

#[tokio::test]
async fn a_held_sweep_is_shown_and_logged_once() {
    let mut database = logins(150, 0).await;
    let agent = Agent::start(&database, &settings(""));
    agent.wait_until(&of_store("sessions_held", &database), |held| held == 1.0);
    // A higher number is not logged again.
    for stale in 151..=153 {
        add(&mut database, 1, "-1 hour").await;
        agent.wait_until(&of_store("sessions_stale", &database), |seen| seen == f64::from(stale));
    }
    assert_eq!(database.number("SELECT count(*) FROM logins").await, 153);
    let log = agent.stop();
    assert_eq!(log.matches("the sweep of logins is held").count(), 1, "{log}");
    assert!(log.contains("--approve logins"), "{log}");
}

#[tokio::test]
async fn a_store_that_is_not_there_is_said_once_and_concerns_no_other_and_no_sequence() {
    let mut database = logins(10, 20).await;
    let other = STORE.replace("logins", "nowhere");
    let agent = Agent::start(&database, &settings(&other));
    agent.wait_until(&of_store("sessions_expired_total", &database), |expired| expired == 10.0);
    agent.wait_until(&of_pass("pass_failures_total", &database), |failures| failures >= 3.0);
    assert_eq!(agent.metric(&of_pass("pass_last_success_timestamp_seconds", &database)), None);
    assert_eq!(agent.metric(&series("database_up", &database, "DATABASE")), Some(1.0));
    assert_eq!(agent.metric(&series("sessions_held", &database, "DATABASE,store=\"nowhere\"")), None);
    repairs(&mut database).await;

    // Gone from the configuration, gone from the metrics.
    agent.edit(|text| text.replace(&other, ""));
    agent.signal(Signal::SIGHUP);
    let gone = series("sessions_expired_total", &database, "DATABASE,store=\"nowhere\"");
    wait_for("no such series", || agent.metric(&gone).is_none().then_some(()));
    assert!(agent.metric(&of_store("sessions_expired_total", &database)).is_some());
    let log = agent.stop();
    assert_eq!(log.matches("nowhere cannot be swept").count(), 1, "{log}");
}

#[tokio::test]
async fn a_sweep_that_waits_for_a_lock_delays_no_repair_and_no_shutdown() {
    let mut database = logins(10, 20).await;
    let long_timeouts = "lock_timeout = \"100s\"\nstatement_timeout = \"100s\"\n";
    let settings = format!("{EVERY_SECOND}{long_timeouts}exclude = [\"public.logins*\"]\n{STORE}");
    let mut holder = database.connect().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE logins IN ACCESS EXCLUSIVE MODE").execute(&mut holder).await.unwrap();
    let agent = Agent::start(&database, &settings);
    wait_until_blocked_on(&mut database.connection, "logins").await;
    repairs(&mut database).await;
    let running = series("pass_skipped_total", &database, "DATABASE,pass=\"sessions\",reason=\"running\"");
    agent.wait_until(&running, |skipped| skipped >= 1.0);
    agent.stop();
    database
        .wait_until("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '/* pgmedic:%')")
        .await;
}
