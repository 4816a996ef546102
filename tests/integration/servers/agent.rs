//! The agent follows the databases of a server as they come and go, and leads on all of them by one lease.

use super::*;
use crate::support::wait_for;

fn up(database: &str) -> String {
    series("pgmedic_database_up", database, "")
}

fn leader(database: &str) -> String {
    series("pgmedic_leader", database, "")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn databases_that_come_are_repaired_and_those_that_go_are_forgotten() {
    let server = own_server();
    let mut app = create(&server, "app", ORDERS).await;
    let agent = start(&table(&server.url("postgres"), ""));
    app.wait_until(REPAIRED).await;
    let mut crm = create(&server, "crm", ORDERS).await;
    crm.wait_until(REPAIRED).await;
    agent.wait_until(&up("crm"), |up| up == 1.0);
    let reports: serde_json::Value = serde_json::from_str(&agent.get("/api/v1/reports").1).unwrap();
    let names = reports["databases"].as_array().unwrap().iter().map(|database| {
        assert_eq!(database["report"]["server"], "prod");
        (database["name"].as_str().unwrap(), database["server"].as_str().unwrap())
    });
    assert_eq!(names.collect::<Vec<_>>(), [("app", "prod"), ("crm", "prod"), ("postgres", "prod")]);
    assert!(agent.get("/").1.contains("prod/crm"));
    crm.connection.close().await.unwrap();
    let mut postgres = maintenance(&server).await;
    // A standing connection in a database would be in the way of these.
    postgres.sql("DROP DATABASE crm").await;
    wait_for("the series are gone", || (!agent.get("/metrics").1.contains("database=\"crm\"")).then_some(()));
    app.connection.close().await.unwrap();
    postgres.sql("ALTER DATABASE app RENAME TO shop").await;
    agent.wait_until(&up("shop"), |up| up == 1.0);
    assert_eq!(agent.metric(&up("app")), None);
    let log = agent.stop();
    assert!(log.contains("prod/crm is no longer there") && !log.contains("ERROR"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_in_which_nothing_was_done_is_not_entered_and_one_in_which_anything_was_done_is() {
    let server = own_server();
    let mut postgres = maintenance(&server).await;
    for name in ["a", "b", "c"] {
        // What an open session did may be counted seconds later.
        create(&server, name, ORDERS).await.connection.close().await.unwrap();
    }
    let agent = start(&table(&server.url("postgres"), "exclude = [\"postgres\"]"));
    let entered = "SELECT pg_stat_get_db_sessions(oid) FROM pg_database WHERE datname = 'b'";
    let mut before = 0;
    let mut quiet = 0;
    while quiet < 3 {
        passes_again(&agent, "b", 2.0);
        let now = postgres.number(entered).await;
        quiet = if now == before { quiet + 1 } else { 0 };
        before = now;
    }
    let mut b = Database::at("b", server.url("b")).await;
    for (drift, repaired) in [
        (BEHIND, 20),
        ("INSERT INTO orders SELECT generate_series(21, 30)", 30),
        ("ALTER SEQUENCE orders_id_seq RESTART", 30),
    ] {
        b.by_itself(drift).await;
        b.wait_until(&format!("SELECT last_value = {repaired} FROM orders_id_seq")).await;
    }
    agent.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_takes_over_all_databases_by_one_lease() {
    let server = own_server();
    let mut postgres = maintenance(&server).await;
    let mut tenants = Vec::new();
    for name in ["a", "b"] {
        tenants.push(create(&server, name, ORDERS).await);
    }
    let text = table(&server.url("postgres"), "");
    let first = start(&text);
    first.wait_until(&leader("b"), |leads| leads == 1.0);
    let second = Agent::run(first.same_config(), &[]);
    second.wait_until(&leader("b"), |leads| leads == 0.0);
    second.wait_until(&series("pgmedic_pass_skipped_total", "b", "pass=\"sequences\",reason=\"standby\","), |ticks| {
        ticks > 1.0
    });
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'";
    assert_eq!(postgres.number(locks).await, 1, "one lease");
    first.stop();
    second.wait_until(&leader("a"), |leads| leads == 1.0);
    for tenant in &mut tenants {
        tenant.by_itself(BEHIND).await;
        tenant.wait_until(REPAIRED).await;
    }
    second.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_warning_names_a_database_without_the_privilege_and_the_grant_lets_the_agent_in() {
    let server = own_server();
    let mut locked = create(&server, "locked", ORDERS).await;
    locked
        .sql(
            "CREATE ROLE guest LOGIN; REVOKE CONNECT ON DATABASE locked FROM PUBLIC;
             GRANT SELECT ON orders TO guest; GRANT SELECT, USAGE ON orders_id_seq TO guest",
        )
        .await;
    let url = server.url("postgres").replace("user=postgres", "user=guest");
    let agent = start(&table(&url, ""));
    agent.wait_until(&up("locked"), |up| up == 0.0);
    agent
        .wait_until(&series("pgmedic_pass_failures_total", "locked", "pass=\"sequences\","), |failures| failures > 2.0);
    let grant = "GRANT CONNECT ON DATABASE locked TO guest";
    locked.sql(grant).await;
    locked.wait_until(REPAIRED).await;
    agent.wait_until(&up("locked"), |up| up == 1.0);
    let log = agent.stop();
    let named: Vec<&str> = log.lines().filter(|line| line.contains("prod/locked cannot be monitored")).collect();
    assert!(named.len() == 1 && named[0].contains("WARN") && named[0].contains(grant), "{log}");
    assert!(!log.contains("ERROR"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_is_followed_when_it_stops_and_starts_again() {
    let mut server = own_server();
    let tenant = create(&server, "a", ORDERS).await;
    let agent = start(&table(&server.url("postgres"), ""));
    agent.wait_until(&up("a"), |up| up == 1.0);
    drop(tenant);
    server.stop_hard();
    agent.wait_until(&up("a"), |up| up == 0.0);
    server.restart().unwrap();
    agent.wait_until(&up("a"), |up| up == 1.0);
    let mut tenant = Database::at("a", server.url("a")).await;
    tenant.by_itself(BEHIND).await;
    // A crash may have moved the sequence further before that.
    tenant.wait_until("SELECT last_value >= 20 FROM orders_id_seq").await;
    let log = agent.stop();
    // A server that starts refuses in other words, for a moment.
    let mut reasons: Vec<&str> =
        log.lines().filter_map(|line| Some(line.split_once("server prod cannot be monitored")?.1)).collect();
    let said = reasons.len();
    reasons.sort_unstable();
    reasons.dedup();
    assert!(said > 0 && said == reasons.len(), "each reason is said once: {log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_session_stores_of_every_database_are_swept() {
    let server = own_server();
    let table_of_sessions = "CREATE TABLE sessions (id text PRIMARY KEY, expires_at timestamptz NOT NULL);
         INSERT INTO sessions SELECT n::text, now() + interval '1 hour' FROM generate_series(1, 100) n";
    let mut tenants = Vec::new();
    for name in ["a", "b"] {
        tenants.push(create(&server, name, table_of_sessions).await);
    }
    let store = "[[sessions]]\nname = \"web\"\ntable = \"public.sessions\"\nexpires_at = \"expires_at\"\n\
                 encoding = \"timestamptz\"\nschedule = \"* * * * * *\"\n";
    let agent = start(&(table(&server.url("postgres"), "exclude = [\"postgres\"]") + store));
    for name in ["a", "b"] {
        agent.wait_until(&series("pgmedic_pass_runs_total", name, "pass=\"sessions\","), |sweeps| sweeps >= 2.0);
    }
    for tenant in &mut tenants {
        tenant.sql("UPDATE sessions SET expires_at = now() - interval '1 second' WHERE id::int <= 10").await;
        tenant.wait_until("SELECT count(*) = 90 FROM sessions").await;
    }
    agent.stop();
}
