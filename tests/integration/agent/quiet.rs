//! Passes in which nothing has changed.

use super::{REPAIRED, orders, rewind};
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
