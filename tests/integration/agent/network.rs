//! A network that silently drops packets, or is slow.

use super::{EVERY_SECOND, REPAIRED, SAYS_BACK, leader, orders, repairs, rewind, said_once, series, up};
use crate::support::{Agent, Database, Proxy, server, wait_for, wait_until_blocked_on};
use std::time::Duration;

/// Enough time for a test to cut the network between two passes.
const EVERY_THREE_SECONDS: &str = "[sequences]\nschedule = \"*/3 * * * * *\"\n";

fn proxy(database: &Database) -> Proxy {
    Proxy::to(&server().tcp_url(&database.name).unwrap())
}

/// An agent that leads through the proxy, cut off between two passes, and down.
async fn cut_off(database: &Database, proxy: &Proxy) -> Agent {
    let agent = Agent::start_at(proxy.url(), database, EVERY_THREE_SECONDS);
    agent.wait_until(&leader(database), |leads| leads == 1.0);
    agent.passes_again(&database.name, 1.0);
    proxy.cut();
    agent.wait_until(&up(database), |up| up == 0.0);
    agent
}

#[tokio::test]
async fn cut_off_it_says_so_once_stays_alive_and_works_again() {
    let mut database = orders().await;
    let proxy = proxy(&database);
    let agent = cut_off(&database, &proxy).await;
    agent.logs("no answer within 5s");
    // It tries again and again, without effect.
    let tries = proxy.connections();
    wait_for("three tries more", || {
        assert_eq!(agent.get("/livez").0, 200);
        (proxy.connections() >= tries + 3).then_some(())
    });
    assert_eq!(agent.metric(&up(&database)), Some(0.0));
    rewind(&database).await;
    proxy.restore();
    agent.wait_until(&up(&database), |up| up == 1.0);
    database.wait_until(REPAIRED).await;
    said_once(&agent.stop());
}

#[tokio::test]
async fn cut_off_in_the_middle_of_a_pass_it_says_each_reason_once_and_works_again() {
    let mut database = orders().await;
    let proxy = proxy(&database);
    let settings = format!("{EVERY_SECOND}lock_timeout = \"60s\"\nstatement_timeout = \"1s\"\n");
    let agent = Agent::start_at(proxy.url(), &database, &settings);
    agent.wait_until(&leader(&database), |leads| leads == 1.0);
    rewind(&database).await;
    database.wait_until(REPAIRED).await;
    rewind(&database).await;
    let mut holder = database.connect().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").execute(&mut holder).await.unwrap();
    wait_until_blocked_on(&mut database.connection, "orders").await;
    proxy.cut();
    sqlx::raw_sql("COMMIT").execute(&mut holder).await.unwrap();
    agent.wait_until(&up(&database), |up| up == 0.0);
    let tries = proxy.connections();
    wait_for("three tries more", || (proxy.connections() >= tries + 3).then_some(()));
    proxy.restore();
    agent.wait_until(&up(&database), |up| up == 1.0);
    repairs(&mut database).await;
    let log = agent.stop();
    for reason in ["the connection was lost: no answer within 11s", "no answer within 5s"] {
        assert_eq!(log.matches(reason).count(), 1, "{reason}:\n{log}");
    }
    assert_eq!(log.matches(SAYS_BACK).count(), 1, "{log}");
}

#[tokio::test]
async fn cut_off_it_ends_when_it_is_told_to() {
    let database = orders().await;
    let proxy = proxy(&database);
    let agent = cut_off(&database, &proxy).await;
    agent.stop();
}

/// The server still holds its old lease, because it does not know that the connection is dead.
#[tokio::test]
async fn after_a_firewall_dropped_its_connection_it_is_standby_until_the_server_ends_the_old_lease() {
    let mut database = orders().await;
    let proxy = proxy(&database);
    let agent = cut_off(&database, &proxy).await;
    proxy.restore_forgetfully();
    agent.wait_until(&up(&database), |up| up == 1.0);
    let lead = "FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory'
                AND a.datname = current_database() AND l.granted";
    assert_eq!(database.number(&format!("SELECT count(*) {lead}")).await, 1);
    agent.logs("is standby on");
    // The server ends that connection in less than a minute.
    agent.wait_until(&leader(&database), |leads| leads == 1.0);
    repairs(&mut database).await;
    let log = agent.stop();
    assert_eq!(log.matches(SAYS_BACK).count(), 1, "{log}");
}

#[tokio::test]
async fn a_slow_network_changes_nothing_but_the_time_it_takes() {
    let mut database = orders().await;
    let proxy = proxy(&database);
    proxy.delay(Duration::from_millis(150));
    let agent = Agent::start_at(proxy.url(), &database, EVERY_SECOND);
    agent.passes_again(&database.name, 1.0);
    repairs(&mut database).await;
    agent.wait_until(&series("drift_detected_total", &database, "cause=\"rewound\",DATABASE"), |drift| drift == 1.0);
    agent.passes_again(&database.name, 2.0);
    assert_eq!(agent.metric(&series("sequences", &database, "DATABASE,verdict=\"in_sync\"")), Some(1.0));
    let log = agent.stop();
    assert!(!log.contains("ERROR") && !log.contains("WARN"), "{log}");
}
