//! Any role that may connect can take pgmedic's advisory lock. Only an agent's counts.

use super::{EVERY_SECOND, leader, orders, repairs, skipped};
use crate::support::Agent;
use sqlx::{Connection, PgConnection};

/// The first lock of the lease, by the keys that the agent computes for the default patterns.
const TAKE: &str = "SELECT pg_advisory_lock(1885826404, 1453664126)";

#[tokio::test]
async fn a_strangers_lock_is_said_and_ignored_and_two_agents_beside_it_have_one_leader() {
    let mut database = orders().await;
    let stranger = format!("{}_stranger", database.name);
    database.sql(&format!("CREATE ROLE {stranger} LOGIN")).await;
    let mut session = PgConnection::connect(&database.url_as(&stranger)).await.unwrap();
    sqlx::raw_sql(TAKE).execute(&mut session).await.unwrap();
    let first = Agent::start(&database, EVERY_SECOND);
    first.logs(&format!("role \"{stranger}\" holds pgmedic's advisory lock"));
    first.wait_until(&leader(&database), |leads| leads == 1.0);
    let second = Agent::start(&database, EVERY_SECOND);
    second.wait_until(&skipped(&database, "standby"), |ticks| ticks >= 1.0);
    repairs(&mut database).await;
    // The stranger's lock is free again, and the agent that leads by another one is seen.
    session.close().await.unwrap();
    let ticks = second.metric(&skipped(&database, "standby")).unwrap();
    second.wait_until(&skipped(&database, "standby"), |now| now >= ticks + 2.0);
    assert_eq!((first.metric(&leader(&database)), second.metric(&leader(&database))), (Some(1.0), Some(0.0)));
    second.stop();
    let log = first.stop();
    assert_eq!(log.matches("can be no agent").count(), 1, "{log}");
    database.sql(&format!("DROP ROLE {stranger}")).await;
}
