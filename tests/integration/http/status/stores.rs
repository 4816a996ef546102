//! Session stores: how they are, and what was ended.

use super::{EVERY_SECOND, HEALTHY, fix, says};
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
    let entry = ["1 sweep ended 30 sessions in logins", "Expired 30, replaced by a newer login 0."];
    says(&agent, &[&["logins 70 0 30 Swept", HEALTHY], entry.as_slice()].concat());
    agent.stop();
}

#[tokio::test]
async fn a_held_sweep_needs_attention_and_shows_what_lets_it_through() {
    let database = logins(150, 0).await;
    let agent = Agent::start(&database, &format!("{EVERY_SECOND}{STORE}"));
    let why = "Why All 150 sessions would go, and none be left";
    says(&agent, &["No insert is failing; 1 decision is waiting", "logins session store in", why]);
    assert_eq!(fix(&agent), "pgmedic --once --approve logins");
    agent.stop();
}

/// The table that a foreign key's action leads to belongs to a third role.
#[tokio::test]
async fn a_store_that_cannot_be_swept_shows_the_command_that_lets_it_be() {
    let mut database = logins(3, 7).await;
    let (medic, owner, other) = (database.role("medic"), database.role("owner"), database.role("other"));
    database
        .sql(&format!(
            "CREATE ROLE {medic} LOGIN; CREATE ROLE {owner}; CREATE ROLE {other}; GRANT {owner} TO {other};
             ALTER TABLE logins OWNER TO {owner};
             GRANT SELECT, UPDATE, DELETE ON logins TO {medic};
             CREATE TABLE child (id bigint PRIMARY KEY REFERENCES logins ON DELETE CASCADE);
             ALTER TABLE child OWNER TO {other}; CREATE TABLE orders (id serial);
             GRANT SELECT ON orders, orders_id_seq, logins_id_seq TO {medic}"
        ))
        .await;
    let settings = format!("{EVERY_SECOND}include = [\"*.orders_id_seq\"]\n{STORE}");
    let agent = Agent::start_at(&database.url_as(&medic), &database, &settings);
    let what = format!("logins session store in {}", database.name);
    says(&agent, &["1 session store cannot be swept", &what, "to which a foreign key's action"]);
    let shown = format!("ALTER TABLE public.child OWNER TO {owner}; GRANT ALL ON TABLE public.child TO {other};");
    assert_eq!(fix(&agent), shown);
    database.sql(&fix(&agent)).await;
    says(&agent, &[HEALTHY, "logins 7 0 3 Swept"]);
    agent.stop();
}
