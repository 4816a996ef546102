//! A server that crashes, is shut down, is full, or throws the agent out.

use super::{EVERY_SECOND, REPAIRED, REWIND, SAYS_BACK, leader, orders, own_server, repairs, rewind, series, up};
use crate::support::{Agent, Database, shut_down, wait_for, wait_until_ended};
use nix::sys::signal::Signal;
use pgmedic_testserver::TestServer;
use sqlx::{Connection, PgConnection};

#[tokio::test]
async fn it_outlives_its_servers_crash_and_works_again() {
    let (mut server, database) = own_server(&[]).await;
    let agent = Agent::start(&database, EVERY_SECOND);
    let up = series("database_up", &database, "DATABASE");
    agent.wait_until(&up, |up| up == 1.0);
    server.stop_hard();
    agent.wait_until(&up, |up| up == 0.0);
    assert_eq!(
        agent.metric(&series("sequences", &database, "DATABASE,verdict=\"in_sync\"")),
        None,
        "unknown, so no series"
    );
    assert_eq!(agent.get("/livez").0, 200, "the agent itself is alive");
    server.restart().unwrap();
    agent.wait_until(&up, |up| up == 1.0);
    let log = agent.stop();
    assert_eq!(log.matches("is back").count(), 1, "{log}");
}

#[tokio::test]
async fn it_starts_without_its_database_and_is_ready_when_it_comes() {
    let (mut server, mut database) = own_server(&[]).await;
    database.sql(REWIND).await;
    server.stop_hard();
    let agent = Agent::start(&database, EVERY_SECOND);
    agent.wait_until(&series("database_up", &database, "DATABASE"), |up| up == 0.0);
    assert_eq!((agent.get("/livez").0, agent.get("/readyz").0), (200, 503));
    server.restart().unwrap();
    wait_for("ready", || (agent.get("/readyz").0 == 200).then_some(()));
    agent.has_advanced(&database.name, 1.0);
    agent.stop();
}

#[tokio::test]
async fn it_outlives_a_fast_shutdown() {
    let (mut server, mut database) = own_server(&[]).await;
    let agent = Agent::start(&database, EVERY_SECOND);
    agent.wait_until(&up(&database), |up| up == 1.0);
    shut_down(&server, Signal::SIGINT);
    wait_until_ended(&server);
    agent.wait_until(&up(&database), |up| up == 0.0);
    server.restart().unwrap();
    agent.wait_until(&up(&database), |up| up == 1.0);
    database.connection = database.connect().await;
    repairs(&mut database).await;
    let log = agent.stop();
    assert_eq!(log.matches(SAYS_BACK).count(), 1, "{log}");
}

#[tokio::test]
async fn it_says_that_a_server_is_shutting_down_and_does_not_hold_it_up() {
    let (mut server, database) = own_server(&[]).await;
    let (name, up) = (database.name.clone(), up(&database));
    let agent = Agent::start(&database, EVERY_SECOND);
    agent.wait_until(&leader(&database), |leads| leads == 1.0);
    // It waits for this test's connection.
    shut_down(&server, Signal::SIGTERM);
    agent.wait_until(&up, |up| up == 0.0);
    agent.logs("not ready: the database system is shutting down; try again shortly");
    // And for no other connection, so not for the agent's.
    drop(database);
    wait_until_ended(&server);
    server.restart().unwrap();
    agent.wait_until(&up, |up| up == 1.0);
    let mut database = Database::at(&name, server.url(&name)).await;
    repairs(&mut database).await;
    let log = agent.stop();
    assert_eq!(log.matches(SAYS_BACK).count(), 1, "{log}");
}

#[tokio::test]
async fn a_full_server_is_said_and_waited_for() {
    let (server, mut database) =
        own_server(&[("max_connections", "12"), ("superuser_reserved_connections", "3")]).await;
    database.sql("CREATE ROLE medic LOGIN; CREATE ROLE crowd LOGIN; ALTER TABLE orders OWNER TO medic").await;
    let agent = Agent::start_at(&database.url_as("medic"), &database, EVERY_SECOND);
    agent.wait_until(&leader(&database), |leads| leads == 1.0);
    let crowd = crowd(&server, &agent, &up(&database)).await;
    agent.logs("too many connections: ");
    rewind(&database).await;
    drop(crowd);
    agent.wait_until(&up(&database), |up| up == 1.0);
    database.wait_until(REPAIRED).await;
    super::said_once(&agent.stop());
}

/// Takes every place of the server's, until the agent is without.
async fn crowd(server: &TestServer, agent: &Agent, up: &str) -> Vec<PgConnection> {
    let url = server.url("postgres").replace("user=postgres", "user=crowd");
    let mut crowd = Vec::new();
    let full = async {
        while agent.metric(up) != Some(0.0) {
            match PgConnection::connect(&url).await {
                Ok(connection) => crowd.push(connection),
                Err(sqlx::Error::Database(error)) => assert_eq!(error.code().as_deref(), Some("53300"), "{error}"),
                Err(error) => panic!("{error}"),
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), full).await.expect("a full server");
    crowd
}

#[tokio::test]
async fn thrown_out_by_an_administrator_it_comes_back() {
    let mut database = orders().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    agent.wait_until(&leader(&database), |leads| leads == 1.0);
    let own = "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pgmedic'";
    let lease = format!("{own} AND query LIKE '/* pgmedic:lease %'");
    for who in [lease.as_str(), own] {
        assert!(database.number(&format!("SELECT count(*) {who}")).await > 0, "{who}");
        let before = database
            .number(&format!("SELECT coalesce(max(extract(epoch FROM backend_start) * 1000000), 0)::bigint {lease}"))
            .await;
        database.row(&format!("SELECT count(pg_terminate_backend(pid)) {who}")).await;
        database
            .wait_until(&format!(
                "SELECT count(*) = 1 AND min(extract(epoch FROM backend_start) * 1000000) > {before} {lease}"
            ))
            .await;
        repairs(&mut database).await;
        agent.wait_until(&leader(&database), |leads| leads == 1.0);
        agent.wait_until(&up(&database), |up| up == 1.0);
    }
    agent.stop();
}
