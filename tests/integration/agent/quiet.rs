//! Passes in which nothing has changed.

use super::{REPAIRED, orders, rewind, up};
use crate::support::{Agent, Proxy, server, wait_for};

/// No full pass finds what the others miss.
const SETTINGS: &str = "[sequences]\nschedule = \"every 1s\"\nfull_pass_every = 1000\n";

/// Waits until two passes in a row open no connection, and tells how many were opened before.
fn quiet(agent: &Agent, proxy: &Proxy, database: &str) -> usize {
    wait_for("passes that open no connection", || {
        let before = proxy.connections();
        agent.passes_again(database, 2.0);
        (proxy.connections() == before).then_some(before)
    })
}

#[tokio::test]
async fn a_pass_in_which_nothing_changed_opens_no_connection_and_what_changes_is_found_by_the_next() {
    let mut database = orders().await;
    let proxy = Proxy::to(&server().tcp_url(&database.name).unwrap());
    let agent = Agent::start_at(proxy.url(), &database, SETTINGS);
    database.wait_until(REPAIRED).await;
    let before = quiet(&agent, &proxy, &database.name);

    rewind(&database).await;
    database.wait_until(REPAIRED).await;
    // Of a table that is new.
    database.sql("CREATE TABLE bills (id serial PRIMARY KEY); INSERT INTO bills SELECT generate_series(1, 7)").await;
    database.wait_until("SELECT last_value = 7 FROM bills_id_seq").await;
    assert!(proxy.connections() > before, "it was repaired on a separate connection");
    agent.stop();
}

#[tokio::test]
async fn a_role_that_may_not_connect_any_more_is_told_by_the_next_pass() {
    let mut database = orders().await;
    let role = format!("{}_watch", database.name);
    database
        .sql(&format!(
            "SELECT setval('orders_id_seq', 20); CREATE ROLE {role} LOGIN; GRANT pg_read_all_stats TO {role};
             GRANT SELECT ON orders TO {role}; GRANT USAGE, SELECT ON SEQUENCE orders_id_seq TO {role}"
        ))
        .await;
    // What a session did is counted at the latest at its end, and no later change wakes the agent.
    database.connection = database.connect().await;
    let url = server().tcp_url(&database.name).unwrap().replacen("postgres@", &format!("{role}@"), 1);
    assert!(url.contains(&role), "{url}");
    let proxy = Proxy::to(&url);
    let agent = Agent::start_at(proxy.url(), &database, SETTINGS);
    quiet(&agent, &proxy, &database.name);
    database.sql(&format!("ALTER ROLE {role} NOLOGIN")).await;
    agent.wait_until(&up(&database), |up| up == 0.0);
    agent.stop();
    database.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}
