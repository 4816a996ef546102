//! Session stores: how they are, and what was ended.

use super::{EVERY_SECOND, fix, says};
use crate::support::{Agent, Database};

const STORE: &str = "[[sessions]]\nname = \"logins\"\ntable = \"public.logins\"\nexpires_at = \"expires_at\"\n\
                     encoding = \"timestamptz\"\nschedule = \"* * * * * *\"\n";

async fn logins(expired: u32, live: u32) -> Database {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE logins (id bigserial PRIMARY KEY, expires_at timestamptz)").await;
    database.sql("CREATE INDEX ON logins (expires_at)").await;
    for (number, end) in [(expired, "-1 hour"), (live, "1 hour")] {
        let insert = "INSERT INTO logins (expires_at) SELECT now() + interval";
        database.sql(&format!("{insert} '{end}' FROM generate_series(1, {number})")).await;
    }
    database
}

#[tokio::test]
async fn what_a_sweep_ended_is_told() {
    let database = logins(30, 70).await;
    let agent = Agent::start(&database, &format!("{EVERY_SECOND}{STORE}"));
    let entry = format!("ended 30 sessions of logins in {}: 30 expired, 0 superseded", database.name);
    says(&agent, &["✓ swept logins 70 live, 0 over and not yet ended", &entry, "✓ All sequences healthy"]);
    agent.stop();
}

#[tokio::test]
async fn a_held_sweep_needs_attention_and_shows_what_lets_it_through() {
    let database = logins(150, 0).await;
    let agent = Agent::start(&database, &format!("{EVERY_SECOND}{STORE}"));
    let why = "Why: all 150 sessions would go, and none be left";
    says(&agent, &["1 session store needs attention", "! held session store logins in", why]);
    assert_eq!(fix(&agent), "pgmedic --once --approve logins");
    agent.stop();
}
