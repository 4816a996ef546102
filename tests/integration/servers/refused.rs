//! What is wrong with a server's table is one clear error.

use super::*;

#[tokio::test]
async fn patterns_that_leave_no_database_are_an_error_that_names_some() {
    let server = own_server();
    let refused = once(&table(&server.url("postgres"), "include = [\"tenant_*\"]"), &[]).exits(2);
    let expected = "server \"prod\": include and exclude leave none of its 1 databases (\"postgres\")";
    assert!(refused.stderr.contains(expected) && refused.stdout.is_empty(), "{}", refused.stderr);
    let agent = start(&table(&server.url("postgres"), "include = [\"tenant_*\"]"));
    agent.logs(expected);
    agent.wait_until(&series("pgmedic_database_up", "postgres", ""), |up| up == 0.0);
    // The first database that comes is found by the next tick.
    let mut tenant = create(&server, "tenant_1", ORDERS).await;
    tenant.wait_until(REPAIRED).await;
    agent.logs("server prod is back");
    assert_eq!(agent.metric(&series("pgmedic_database_up", "postgres", "")), None, "it stood in for the server");
    agent.stop();
}

#[tokio::test]
async fn one_server_by_two_addresses_is_an_error_that_names_both_tables() {
    let server = own_server();
    let again = table(&server.tcp_url("postgres").unwrap(), "").replace("prod", "again");
    let text = format!("{}{again}", table(&server.url("postgres"), ""));
    let expected = "server \"again\": found the server of \"prod\" by another address";
    let refused = once(&text, &[]).exits(2);
    assert!(refused.stderr.contains(expected) && refused.stdout.is_empty(), "{}", refused.stderr);
    let agent = start(&text);
    agent.logs(expected);
    agent.wait_until(&series("pgmedic_database_up", "postgres", ""), |up| up == 1.0);
    agent.stop();
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_reached() {
    for (keys, expected) in [
        ("max_connections = 1", "servers[0].max_connections: found the number 1, expected a whole number from 2 on"),
        ("exclude = [\"*\"]", "servers[0].exclude[0]: found \"*\""),
        ("excluded = []", "did you mean `exclude`?"),
    ] {
        let refused = run(&table("postgres://u@127.0.0.1:1/", keys), &["check-config"]).exits(2);
        assert!(refused.stderr.contains(expected), "{}", refused.stderr);
    }
    let twice = table("postgres://u@127.0.0.1:1/", "").replace("prod", "again");
    let refused = run(&(table("postgres://u@127.0.0.1:1/", "") + &twice), &["check-config"]).exits(2);
    assert!(refused.stderr.contains("found the server of servers[0] again"), "{}", refused.stderr);
}

#[test]
fn a_server_out_of_reach_is_reported_and_never_taken_for_healthy() {
    let outcome = once(&table("postgres://u@127.0.0.1:1/", ""), &[]).exits(1);
    let database = outcome.database();
    assert_eq!((&database["server"], &database["error"]["kind"]), (&"prod".into(), &"unreachable".into()));
}
