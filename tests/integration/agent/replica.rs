//! On a streaming replica: it observes and reports, changes nothing, and repairs from the moment of promotion.

use super::{EVERY_SECOND, leader, series};
use crate::support::{Agent, Database, replica_of, wait_until};
use nix::sys::signal::Signal;
use pgmedic_testserver::{ServerOptions, TestServer};
use sqlx::Row;

/// Ids further away than the 32 values that a replica may read a sequence ahead.
const ORDERS: &str = "CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 200)";
const REWIND: &str = "SELECT setval('orders_id_seq', 1, false)";
const LAST_VALUE: &str = "SELECT last_value FROM orders_id_seq";
const REPAIRED: &str = "SELECT last_value = 200 FROM orders_id_seq";

/// Waits until the replica has done everything that the primary has.
pub async fn catches_up(primary: &mut Database, replica: &mut Database) {
    let row = primary.row("SELECT pg_current_wal_lsn()::text").await;
    let done: String = row.get(0);
    replica.wait_until(&format!("SELECT pg_last_wal_replay_lsn() >= '{done}'::pg_lsn")).await;
}

fn verdict(agent: &Agent, database: &Database, verdict: &str) {
    let labels = format!("DATABASE,verdict=\"{verdict}\"");
    agent.wait_until(&series("sequences", database, &labels), |sequences| sequences == 1.0);
}

#[tokio::test]
async fn a_replica_is_observed_only_until_it_is_promoted() {
    let mut server = TestServer::start(&ServerOptions::default()).unwrap();
    let mut primary = Database::on(&server).await;
    primary.sql(&format!("{ORDERS}; {REWIND}")).await;
    let replica_server = replica_of(&mut server);
    primary.connection = primary.connect().await;
    let mut replica = Database::at(&primary.name, replica_server.url(&primary.name)).await;
    primary.wait_until("SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'").await;

    let agent = Agent::start(&replica, EVERY_SECOND);
    agent.wait_until(&series("database_in_recovery", &replica, "DATABASE"), |replica| replica == 1.0);
    assert_eq!(agent.metric(&leader(&replica)), Some(0.0), "no agent leads on a replica");
    verdict(&agent, &replica, "behind");
    let finding = agent.report()["sequences"][0].clone();
    assert_eq!((&finding["next_value"], &finding["max_id"], &finding["lag"]), (&1.into(), &200.into(), &200.into()));
    assert_eq!(finding["repair"]["outcome"], "held", "{finding:#}");
    assert_eq!(finding["repair"]["reason"]["text"], "the server is a replica: observed only");
    agent.passes_again(&replica.name, 2.0);
    assert_eq!(primary.number(LAST_VALUE).await, 1);

    // Its report follows the primary as far as the replica does.
    replica.sql("SELECT pg_wal_replay_pause()").await;
    replica.wait_until("SELECT pg_is_wal_replay_paused()").await;
    primary.sql("SELECT setval('orders_id_seq', 200)").await;
    agent.passes_again(&replica.name, 2.0);
    verdict(&agent, &replica, "behind");
    replica.sql("SELECT pg_wal_replay_resume()").await;
    catches_up(&mut primary, &mut replica).await;
    verdict(&agent, &replica, "in_sync");
    primary.sql(REWIND).await;
    catches_up(&mut primary, &mut replica).await;
    verdict(&agent, &replica, "behind");

    replica.sql("SELECT pg_promote()").await;
    wait_until(&mut replica.connection, REPAIRED).await;
    verdict(&agent, &replica, "in_sync");
    agent.wait_until(&leader(&replica), |leads| leads == 1.0);
    assert_eq!(primary.number(LAST_VALUE).await, 1, "only the promoted server was repaired");
    let log = agent.stop();
    assert_eq!(log.matches("the server is a replica: observed only").count(), 2, "once for each drift:\n{log}");
    assert!(!log.contains("ERROR"), "{log}");
}

#[tokio::test]
async fn what_came_to_a_healthy_replica_just_before_its_promotion_is_seen_by_the_first_pass_after_it() {
    let mut server = TestServer::start(&ServerOptions::default()).unwrap();
    let mut primary = Database::on(&server).await;
    primary.sql(ORDERS).await;
    primary.sql("SELECT setval('orders_id_seq', 200)").await;
    let replica_server = replica_of(&mut server);
    primary.connection = primary.connect().await;
    let mut replica = Database::at(&primary.name, replica_server.url(&primary.name)).await;
    primary.wait_until("SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'").await;

    // No full pass is due: only the promotion makes it read the sequence again.
    let agent = Agent::start(&replica, &format!("{EVERY_SECOND}full_pass_every = 1000000\n"));
    verdict(&agent, &replica, "in_sync");
    agent.passes_again(&replica.name, 1.0);
    // The test does not read the sequence or the table on the replica: the statistics would count that.
    agent.signal(Signal::SIGSTOP);
    primary.sql(REWIND).await;
    catches_up(&mut primary, &mut replica).await;
    replica.sql("SELECT pg_promote()").await;
    agent.signal(Signal::SIGCONT);
    agent.has_advanced(&replica.name, 1.0);
    agent.stop();
}
