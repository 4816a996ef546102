//! The agent tests whether notifications arrive when it becomes the leader; a slow server is not taken for a pooler.

use super::{EVERY_SECOND, own_server};
use crate::support::Agent;

/// Commits wait for a replica that there is none of, where a session asks for that.
const WAITS: [(&str, &str); 2] = [("synchronous_standby_names", "absent"), ("synchronous_commit", "local")];

#[tokio::test]
async fn a_server_that_takes_its_time_to_notify_is_listened_to_later() {
    let (_server, mut database) = own_server(&WAITS).await;
    // One commit that notifies waits, and so do all the others.
    let mut holder = database.connect().await;
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut holder).await.unwrap();
    let held = tokio::spawn(async move {
        // A commit waits only for what is written.
        let held = "SET synchronous_commit = on; CREATE TABLE held (); NOTIFY elsewhere";
        let _ = sqlx::raw_sql(held).execute(&mut holder).await;
    });
    database
        .wait_until(&format!(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid} AND wait_event = 'SyncRep')"
        ))
        .await;

    let agent = Agent::start(&database, EVERY_SECOND);
    agent.passes_again(&database.name, 1.0);
    database.sql(&format!("SELECT pg_terminate_backend({pid})")).await;
    held.await.unwrap();
    agent.logs("listening for NOTIFY pgmedic");
    let log = agent.stop();
    assert!(!log.contains("pooler"), "{log}");
}
