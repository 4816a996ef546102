//! Of several agents one works. The others take over, and need few resources until then.

use super::{EVERY_SECOND, REPAIRED, leader, orders, own_server, rewind, series, skipped};
use crate::support::{Agent, wait_for, wait_until_blocked_on};
use nix::sys::signal::Signal;

#[tokio::test]
async fn one_agent_leads_and_another_takes_over_when_it_is_killed() {
    let mut database = orders().await;
    let leader = series("leader", &database, "DATABASE");
    let first = Agent::start(&database, EVERY_SECOND);
    first.wait_until(&leader, |leads| leads == 1.0);
    let second = Agent::start(&database, EVERY_SECOND);
    second
        .wait_until(&series("pass_skipped_total", &database, "DATABASE,pass=\"sequences\",reason=\"standby\""), |n| {
            n >= 2.0
        });
    assert_eq!(second.metric(&leader), Some(0.0));
    assert_eq!(second.get("/readyz").0, 200, "a standby is ready");
    assert_eq!(
        second.metric(&series("sequences", &database, "DATABASE,verdict=\"in_sync\"")),
        None,
        "it has made no pass"
    );
    first.signal(Signal::SIGKILL);
    second.wait_until(&leader, |leads| leads == 1.0);
    rewind(&database).await;
    database.wait_until(REPAIRED).await;
    second.stop();
    database.wait_until("SELECT NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))").await;
}

#[tokio::test]
async fn a_killed_leader_is_succeeded_within_two_intervals() {
    let database = orders().await;
    let settings = "[sequences]\nschedule = \"*/2 * * * * *\"\n";
    let first = Agent::start(&database, settings);
    first.wait_until(&leader(&database), |leads| leads == 1.0);
    let second = Agent::start(&database, settings);
    let standby = skipped(&database, "standby");
    second.wait_until(&standby, |ticks| ticks >= 2.0);
    first.signal(Signal::SIGKILL);
    // Counted in its ticks, which do not depend on the speed of the machine.
    let before = second.metric(&standby).unwrap();
    second.wait_until(&leader(&database), |leads| leads == 1.0);
    let ticks = second.metric(&standby).unwrap() - before;
    assert!(ticks <= 2.0, "{ticks} ticks without a leader");
    second.stop();
}

#[tokio::test]
async fn a_standby_opens_one_short_connection_a_tick() {
    let (server, mut database) = own_server(&[("log_connections", "on")]).await;
    let first = Agent::start(&database, EVERY_SECOND);
    first.wait_until(&leader(&database), |leads| leads == 1.0);
    let url = format!("{}&application_name=standby", database.url());
    let second = Agent::start_at(&url, &database, EVERY_SECOND);
    let standby = skipped(&database, "standby");
    let log = server.data_dir().parent().unwrap().join("server.log");
    for ticks in 1..=5 {
        second.wait_until(&standby, |skipped| skipped >= f64::from(ticks));
        let open = "FROM pg_stat_activity WHERE application_name = 'standby'";
        database.wait_until(&format!("SELECT NOT EXISTS (SELECT {open})")).await;
    }
    // Read before and after, because a tick may come in between.
    let ticks = second.metric(&standby).unwrap();
    let connections = std::fs::read_to_string(&log).unwrap().matches("application_name=standby").count() as f64;
    let later = second.metric(&standby).unwrap();
    assert!(connections >= ticks, "the log has {connections} connections for {ticks} ticks");
    assert!(connections <= later + 1.0, "{connections} connections for {later} ticks");
    second.stop();
    first.stop();
}

#[tokio::test]
async fn after_a_lead_that_was_lost_and_taken_again_the_first_pass_reads_everything() {
    let mut database = orders().await;
    // Else a pass reads the table when this session reports its inserts, and not because of the lead.
    database.flush_statistics().await;
    let settings =
        format!("{EVERY_SECOND}full_pass_every = 1000000\nlisten_notify = false\n[log]\nlevel = \"debug\"\n");
    let agent = Agent::start(&database, &settings);
    let read = |since: usize, number: u32| {
        let what = format!("a pass that reads {number} sequences; the log:\n{}", agent.log());
        let text = format!("changed={number} ");
        wait_for(&what, || agent.log()[since..].contains(&text).then_some(()));
    };
    read(0, 0);
    let since = agent.log().len();
    database
        .sql(
            "SELECT pg_terminate_backend(pid) FROM pg_locks
             WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        .await;
    // Another agent may have led meanwhile, and the counters may have begun anew.
    read(since, 1);
    agent.stop();
}

#[tokio::test]
async fn a_lease_that_is_lost_during_a_pass_is_not_claimed_and_acquired_again_after_the_pass() {
    let mut database = orders().await;
    let hourly = "[sequences]\nschedule = \"0 0 * * * *\"\nlock_timeout = \"100s\"\nstatement_timeout = \"100s\"\n";
    let mut holder = database.connect().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").execute(&mut holder).await.unwrap();
    let agent = Agent::start(&database, hourly);
    wait_until_blocked_on(&mut database.connection, "orders").await;
    assert_eq!(agent.metric(&leader(&database)), Some(1.0));
    database
        .sql(
            "SELECT pg_terminate_backend(pid) FROM pg_locks
             WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        .await;
    agent.wait_until(&leader(&database), |leads| leads == 0.0);
    sqlx::raw_sql("COMMIT").execute(&mut holder).await.unwrap();
    agent.wait_until(&leader(&database), |leads| leads == 1.0);
    agent.stop();
}
