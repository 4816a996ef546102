//! A database in one sentence; what needs attention, and the command that fixes it.

use super::{EVERY_SECOND, fix, orders, says};
use crate::support::{Agent, Database, command, wait_until_blocked_on};
use pgmedic_testserver::{ServerOptions, TestServer};
use std::process::Command;

const REWIND: &str = "SELECT setval('orders_id_seq', 1, false)";
const HEALTHY: &str = "The only sequence is ahead of its data; last checked";
const LONG_TIMEOUTS: &str = "lock_timeout = \"100s\"\nstatement_timeout = \"100s\"\n";

/// Rewinds the sequence in a session that ends, and so reports what it did.
async fn rewind(database: &Database) {
    let mut saboteur = database.connect().await;
    sqlx::raw_sql(REWIND).execute(&mut saboteur).await.unwrap();
    sqlx::Connection::close(saboteur).await.unwrap();
}

#[tokio::test]
async fn a_healthy_database_is_called_healthy_and_a_repair_is_listed_with_its_cause() {
    let database = orders().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    let page = says(
        &agent,
        &["✓ All sequences healthy", HEALTHY, "This agent leads", "PostgreSQL", "a pass at least every 1 s"],
    );
    assert!(!page.contains("Needs attention") && !page.contains("repaired public"), "{page}");
    rewind(&database).await;
    let entry = format!("repaired public.orders_id_seq in {}, from 1 to 21, lag 20, by advance.", database.name);
    says(&agent, &[&entry, "Cause: the sequence was moved back.", "✓ All sequences healthy"]);
    agent.stop();
}

#[tokio::test]
async fn several_sequences_are_counted_and_those_that_cannot_be_judged_are_not_healthy() {
    let mut database = orders().await;
    database.sql("CREATE TABLE a (id serial); CREATE TABLE b (id serial)").await;
    let agent = Agent::start(&database, EVERY_SECOND);
    says(&agent, &["All 3 sequences are ahead of their data; last checked"]);
    database.sql("CREATE SEQUENCE lonely").await;
    says(&agent, &["All 3 sequences that can be judged are ahead of their data; 1 cannot be; last checked"]);
    agent.stop();
}

#[tokio::test]
async fn what_a_dry_run_finds_behind_is_only_watched_until_the_command_is_run() {
    let database = orders().await;
    rewind(&database).await;
    let config = database.config(&format!("{EVERY_SECOND}[http]\nlisten = \"127.0.0.1:0\"\n"));
    let path = config.path().to_str().unwrap().to_owned();
    let agent = Agent::run(config, &["--dry-run"]);
    says(
        &agent,
        &[
            "dry run: nothing is changed",
            "! 1 database needs attention",
            "1 of 1 sequence needs attention: 1 behind and only watched; last checked",
            "20 values behind: it hands out 1 next, and ids go up to 20.",
        ],
    );
    fixes(&fix(&agent), &path);
    says(&agent, &[HEALTHY]);
    agent.stop();
}

/// Runs a command that the page shows in a shell.
#[track_caller]
fn fixes(shown: &str, config: &str) {
    let binary = command(&[], &[]).get_program().to_owned();
    let script = format!("pgmedic() {{ \"$BINARY\" \"$@\"; }}; {shown}");
    let variables = [("BINARY", binary), ("PGMEDIC_CONFIG", config.into())];
    let output = Command::new("sh").args(["-c", &script]).envs(variables).output().unwrap();
    assert!(output.status.success(), "{shown}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn what_is_held_says_why_and_the_command_lets_it_through() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE \"pay's\" (id serial PRIMARY KEY); INSERT INTO \"pay's\" VALUES (1800000000)").await;
    let config = database.config(&format!("{EVERY_SECOND}[http]\nlisten = \"127.0.0.1:0\"\n"));
    let path = config.path().to_str().unwrap().to_owned();
    let agent = Agent::run(config, &[]);
    let why = "Why: no insert fails yet: one id, 1800000000, of public.\"pay's\".id lies 1799999999 values ahead";
    says(&agent, &["1 of 1 sequence needs attention: 1 held; last checked", "! held public.\"pay's_id_seq\"", why]);
    fixes(&fix(&agent), &path);
    // Not before it has gone: what is left is a sequence that runs out.
    says(&agent, &["The only sequence is ahead of its data; 1 runs out of values", "◔ running out", "2 147 483 647"]);
    agent.stop();
}

#[tokio::test]
async fn what_cannot_be_read_is_not_called_healthy_and_the_command_lets_it_be_read() {
    let mut database = orders().await;
    let role = database.role("medic");
    database.sql(&format!("CREATE ROLE {role} LOGIN; GRANT USAGE ON SEQUENCE orders_id_seq TO {role}")).await;
    let agent = Agent::start_at(&database.url_as(&role), &database, EVERY_SECOND);
    let mut commands = Vec::new();
    says(&agent, &["1 of 1 sequence needs attention: 1 unreadable", "Whether it is behind is not known."]);
    // One privilege after the other, should more be missing than one.
    while commands.len() < 5 && super::html(&agent, "/").contains("1 unreadable") {
        let command = fix(&agent);
        assert!(command.starts_with("GRANT "), "{command}");
        database.sql(&command).await;
        agent.passes_again(&database.name, 2.0);
        commands.push(command);
    }
    says(&agent, &[HEALTHY, "✓ All sequences healthy"]);
    agent.stop();
}

#[tokio::test]
async fn a_database_that_is_down_is_said_to_be_with_the_reason_and_when_it_was_last_seen() {
    let mut server = TestServer::start(&ServerOptions::default()).unwrap();
    let mut database = Database::of(server.url("postgres"), |name| server.url(name)).await;
    database.sql("CREATE TABLE orders (id serial PRIMARY KEY)").await;
    let agent = Agent::start(&database, EVERY_SECOND);
    says(&agent, &[HEALTHY]);
    server.stop_hard();
    let page = says(&agent, &["✕ 1 database is not monitored", "It cannot be monitored:", "This agent does not lead"]);
    assert!(page.contains("? Last checked") && !page.contains("is ahead of its data"), "{page}");
    server.restart().unwrap();
    says(&agent, &["✓ All sequences healthy"]);
    agent.stop();
}

#[tokio::test]
async fn a_standby_says_so_and_shows_no_sequences() {
    let database = orders().await;
    let leader = Agent::start(&database, EVERY_SECOND);
    says(&leader, &[HEALTHY]);
    let standby = Agent::start(&database, EVERY_SECOND);
    let page = says(&standby, &["= Standby", "Another agent leads here; this one is standby", "Another agent leads"]);
    assert!(page.contains("No sequence is known at the moment.") && !page.contains("ahead of its data"), "{page}");
    standby.stop();
    leader.stop();
}

#[tokio::test]
async fn before_the_first_pass_is_over_nothing_is_called_healthy() {
    let mut database = orders().await;
    let mut holder = database.connect().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").execute(&mut holder).await.unwrap();
    let agent = Agent::start(&database, &format!("{EVERY_SECOND}{LONG_TIMEOUTS}"));
    wait_until_blocked_on(&mut database.connection, "orders").await;
    says(&agent, &["? The first look is under way", "No pass was completed yet: the first is under way."]);
    sqlx::raw_sql("COMMIT").execute(&mut holder).await.unwrap();
    says(&agent, &["✓ All sequences healthy"]);
    agent.stop();
}

#[tokio::test]
async fn a_database_whose_pass_does_not_end_is_not_monitored() {
    let mut database = orders().await;
    let agent = Agent::start(&database, &format!("{EVERY_SECOND}{LONG_TIMEOUTS}"));
    says(&agent, &[HEALTHY]);
    let mut holder = database.connect().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").execute(&mut holder).await.unwrap();
    rewind(&database).await;
    wait_until_blocked_on(&mut database.connection, "orders").await;
    let page =
        says(&agent, &["Its current state is unknown: no pass was completed for", "though one is due every 1 s"]);
    assert!(page.contains("✕ not monitored") && !page.contains("All sequences healthy"), "{page}");
    sqlx::raw_sql("COMMIT").execute(&mut holder).await.unwrap();
    says(&agent, &["✓ All sequences healthy"]);
    agent.stop();
}
