//! A pass that takes longer than the time to the next tick.

use super::{EVERY_SECOND, REPAIRED, leader, orders, rewind, skipped};
use crate::support::{Agent, wait_for, wait_until_blocked_on};

#[tokio::test]
async fn ticks_during_a_long_pass_are_counted_and_start_no_second_one() {
    let mut database = orders().await;
    let settings =
        format!("{EVERY_SECOND}lock_timeout = \"100s\"\nstatement_timeout = \"100s\"\nlisten_notify = false\n");
    let agent = Agent::start(&database, &settings);
    agent.wait_until(&leader(&database), |leads| leads == 1.0);
    rewind(&database).await;
    database.wait_until(REPAIRED).await;

    let mut holder = database.connect().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").execute(&mut holder).await.unwrap();
    // It waits for this table, also when it reads another first.
    rewind(&database).await;
    wait_until_blocked_on(&mut database.connection, "orders").await;
    let running = skipped(&database, "running");
    let before = agent.metric(&running).unwrap();
    let passes = agent.passes(&database.name);
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                    AND application_name = 'pgmedic' AND state <> 'idle'";
    for tick in 1..=4 {
        wait_for("a tick", || agent.metric(&running).filter(|skipped| *skipped >= before + f64::from(tick)));
        assert_eq!(database.number(sessions).await, 1, "a pass, and only one");
    }
    assert_eq!(agent.passes(&database.name), passes, "the pass is not over");
    assert_eq!(agent.get("/livez").0, 200);
    assert_eq!(agent.metric(&leader(&database)), Some(1.0));

    sqlx::raw_sql("COMMIT").execute(&mut holder).await.unwrap();
    database.wait_until(REPAIRED).await;
    agent.passes_again(&database.name, 2.0);
    agent.stop();
}
