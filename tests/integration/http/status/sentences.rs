//! A database in one sentence; what needs attention, and the command that fixes it.

use super::{EVERY_SECOND, HEALTHY, fix, orders, says};
use crate::support::{Agent, Database, command, wait_until_blocked_on};
use pgmedic_testserver::{ServerOptions, TestServer};
use std::process::Command;

const REWIND: &str = "SELECT setval('orders_id_seq', 1, false)";
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
    let page = says(&agent, &["✔ All healthy", HEALTHY, "this agent leads", "PostgreSQL", "checked", "every 1 s"]);
    assert!(page.contains("Nothing needs attention") && !page.contains("moved from"), "{page}");
    rewind(&database).await;
    let entry = "public.orders_id_seq moved from 1 to 21 Rewound: the sequence itself was moved back.";
    says(&agent, &[entry, HEALTHY, "Repaired 24 h 1", "ago · rewound"]);
    agent.stop();
}

#[tokio::test]
async fn several_sequences_are_counted_and_those_that_cannot_be_judged_are_not_healthy() {
    let mut database = orders().await;
    database.sql("CREATE TABLE a (id serial); CREATE TABLE b (id serial)").await;
    let agent = Agent::start(&database, EVERY_SECOND);
    says(&agent, &["All 3 sequences are ahead of their data"]);
    database.sql("CREATE SEQUENCE lonely").await;
    says(&agent, &["All 3 sequences are ahead of their data", "1 sequence is not judged.", "Not judged 1"]);
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
            "✖ 1 failing",
            "Inserts are failing on 1 table in",
            "Inserts fail with a duplicate key. The next value is 1, and taken ids go",
            "up to 20 (lag 20).",
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
    let what = "1 id, 1800000000, lies far ahead of the next value 1.";
    let page = says(&agent, &["No insert is failing; 1 decision is waiting", "public.\"pay's\"", what]);
    assert!(page.contains("SELECT * FROM public.\"pay's\" WHERE id >= 1800000000;"), "{page}");
    let html = super::html(&agent, "/");
    let approve =
        html.split("<code>").filter_map(|code| code.split("</code>").next()).find(|code| code.contains("--approve"));
    fixes(&super::text(&format!("<code>{}", approve.expect("a command"))), &path);
    // Not before it has gone: what is left is a sequence that runs out.
    says(&agent, &["is running out of ids: 83.8% are used", "of the values up to 2147483647 are used"]);
    agent.stop();
}

#[tokio::test]
async fn what_cannot_be_read_is_not_called_healthy_and_the_command_lets_it_be_read() {
    let mut database = orders().await;
    let role = database.role("medic");
    database.sql(&format!("CREATE ROLE {role} LOGIN; GRANT USAGE ON SEQUENCE orders_id_seq TO {role}")).await;
    let agent = Agent::start_at(&database.url_as(&role), &database, EVERY_SECOND);
    let mut commands = Vec::new();
    let unknown = "Not checked. Inserts may be failing; pgmedic cannot tell.";
    says(&agent, &["1 sequence in", "cannot be checked", unknown]);
    // One privilege after the other, should more be missing than one.
    while commands.len() < 5 && super::html(&agent, "/").contains(unknown) {
        let command = fix(&agent);
        assert!(command.starts_with("GRANT "), "{command}");
        database.sql(&command).await;
        agent.passes_again(&database.name, 2.0);
        commands.push(command);
    }
    says(&agent, &[HEALTHY, "✔ All healthy"]);
    agent.stop();
}

#[tokio::test]
async fn a_database_that_is_down_is_said_to_be_with_the_reason_and_when_it_was_last_seen() {
    let mut server = TestServer::start(&ServerOptions::default()).unwrap();
    let mut database = Database::on(&server).await;
    database.sql("CREATE TABLE orders (id serial PRIMARY KEY)").await;
    let agent = Agent::start(&database, EVERY_SECOND);
    says(&agent, &[HEALTHY]);
    server.stop_hard();
    let page = says(&agent, &["cannot be checked", "Not checked for", "Inserts may be failing; pgmedic cannot tell."]);
    assert!(page.contains("? 1 unknown") && !page.contains(HEALTHY), "{page}");
    server.restart().unwrap();
    says(&agent, &[HEALTHY]);
    agent.stop();
}

#[tokio::test]
async fn a_standby_says_so_and_shows_no_sequences() {
    let database = orders().await;
    let leader = Agent::start(&database, EVERY_SECOND);
    says(&leader, &[HEALTHY]);
    let standby = Agent::start(&database, EVERY_SECOND);
    let page = says(&standby, &["○ Standby", "Standby: another agent leads", "Another agent has the numbers."]);
    assert!(!page.contains("orders") && !page.contains("ahead of its data"), "{page}");
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
    says(&agent, &["Starting: the first check of", "Nothing is known yet.", "Not counted yet"]);
    sqlx::raw_sql("COMMIT").execute(&mut holder).await.unwrap();
    says(&agent, &[HEALTHY]);
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
        says(&agent, &["cannot be checked", "Not checked for", "A check is due every 1 s, and none was completed."]);
    assert!(page.contains("? 1 unknown") && !page.contains(HEALTHY), "{page}");
    sqlx::raw_sql("COMMIT").execute(&mut holder).await.unwrap();
    says(&agent, &[HEALTHY]);
    agent.stop();
}
