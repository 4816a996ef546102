//! Every state of the page fits at every width, in the light and the dark scheme, and passes the accessibility rules.

use super::{EVERY_SECOND, REWIND, orders};
use crate::support::{Agent, Database, Page};

const STORE: &str = "expires_at = \"expires_at\"\nencoding = \"timestamptz\"\nschedule = \"* * * * * *\"\n";

/// What an agent shows, once it says all of this.
#[track_caller]
fn shows(agent: &Agent, name: &str, parts: &[&str]) {
    let page = Page::open(&agent.url(""));
    page.says(parts);
    page.is_for_everyone(name);
    page.close();
}

#[tokio::test]
async fn all_healthy_and_what_was_repaired() {
    let mut database = orders().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    shows(&agent, "healthy", &["The only sequence is ahead of its data", "Nothing needs attention"]);
    database.sql(REWIND).await;
    shows(&agent, "repaired", &["The only sequence is ahead of its data", "public.orders_id_seq moved from 1 to 21"]);
    agent.stop();
}

#[tokio::test]
async fn held_unreadable_exhausted_running_out() {
    let mut database = orders().await;
    database
        .sql(
            "CREATE TABLE payments (id serial PRIMARY KEY); INSERT INTO payments VALUES (2000000000);
             CREATE TABLE \"Days\" (id smallserial); SELECT setval('\"Days_id_seq\"', 32767);
             CREATE TABLE colors (id smallserial); SELECT setval('colors_id_seq', 30500);
             CREATE TABLE secrets (id serial); CREATE SEQUENCE lonely",
        )
        .await;
    let role = database.role("medic");
    database
        .sql(&format!(
            "CREATE ROLE {role} LOGIN; GRANT SELECT, USAGE ON ALL SEQUENCES IN SCHEMA public TO {role};
             GRANT SELECT ON orders, payments, \"Days\", colors TO {role}"
        ))
        .await;
    let agent = Agent::start_at(&database.url_as(&role), &database, EVERY_SECOND);
    let needed = "Inserts are failing on 1 table in";
    let also = "Also: 1 sequence cannot be checked, 1 sequence runs out of ids";
    shows(
        &agent,
        "attention",
        &[needed, also, "GRANT SELECT (id) ON public.secrets", "--approve public.payments_id_seq"],
    );
    let page = Page::open(&agent.url(""));
    let link = page.look("document.querySelector('#attention a[href^=\"sequence?\"]').href");
    page.close();
    let page = Page::open(link.as_str().expect("a link"));
    page.says(&["are failing", "Check it now"]);
    page.is_for_everyone("sequence");
    page.close();
    agent.stop();
}

#[tokio::test]
async fn session_stores_that_fail_are_held_or_go_well() {
    let mut database = orders().await;
    for table in ["logins", "carts", "visits"] {
        database.sql(&format!("CREATE TABLE {table} (id bigserial PRIMARY KEY, expires_at timestamptz)")).await;
        database.sql(&format!("CREATE INDEX ON {table} (expires_at)")).await;
    }
    database.sql("INSERT INTO carts (expires_at) SELECT now() - interval '1 h' FROM generate_series(1, 150)").await;
    database.sql("INSERT INTO visits (expires_at) SELECT now() + interval '1 h' FROM generate_series(1, 150)").await;
    let stores = ["logins", "carts", "visits"]
        .map(|table| format!("[[sessions]]\nname = \"{table}\"\ntable = \"public.{table}\"\n{STORE}"));
    let agent = Agent::start(&database, &format!("{EVERY_SECOND}{}", stores.concat()));
    let page = Page::open(&agent.url(""));
    page.says(&["visits 150 0 0 Swept", "carts session store in"]);
    database.sql("ALTER TABLE logins RENAME expires_at TO ends_at").await;
    page.says(&["1 session store cannot be swept", "1 decision is waiting"]);
    page.is_for_everyone("stores");
    page.close();
    agent.stop();
}

#[tokio::test]
async fn leader_and_standby() {
    let database = orders().await;
    let leader = Agent::start(&database, EVERY_SECOND);
    leader.wait_until(&format!("pgmedic_leader{{database=\"{}\"}}", database.name), |leader| leader == 1.0);
    let standby = Agent::start(&database, EVERY_SECOND);
    shows(&standby, "standby", &["Standby: another agent leads", "Another agent has the numbers."]);
    standby.stop();
    leader.stop();
}

#[tokio::test]
async fn a_database_that_cannot_be_reached() {
    let database = Database::new().await;
    let agent = Agent::start_at("postgres://medic@127.0.0.1:1/shop", &database, EVERY_SECOND);
    shows(&agent, "unreachable", &["cannot be checked", "Not checked since the agent started."]);
    agent.stop();
}
