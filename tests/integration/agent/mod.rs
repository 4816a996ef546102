//! The agent as a real process: its schedule, its leader, its database's fall and rise, its signals, its pages.

mod budget;
mod faults;
mod guest;
mod held;
mod holders;
mod leadership;
mod life;
mod listening;
mod network;
mod overlap;
mod password;
mod pooler;
mod promotion;
mod quiet;
mod reload;
mod repair_log;
mod replica;
mod sweeps;
mod tls;
mod webhook;

use crate::support::{Database, EVERY_SECOND, server_with};
use pgmedic_testserver::TestServer;

const REWIND: &str = "SELECT setval('orders_id_seq', 1, false)";
const REPAIRED: &str = "SELECT last_value = 20 FROM orders_id_seq";

const SAYS_DOWN: &str = "cannot be monitored";
const SAYS_BACK: &str = "is back";

async fn fill(mut database: Database) -> Database {
    database.sql("CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 20)").await;
    database
}

async fn orders() -> Database {
    fill(Database::new().await).await
}

/// The same on a server for one test, with these settings.
async fn own_server(settings: &[(&str, &str)]) -> (TestServer, Database) {
    let server = server_with(settings);
    let database = fill(Database::on(&server).await).await;
    (server, database)
}

/// Rewinds the sequence in a session that ends, and so reports what it did.
async fn rewind(database: &Database) {
    let mut saboteur = database.connect().await;
    sqlx::raw_sql(REWIND).execute(&mut saboteur).await.unwrap();
    sqlx::Connection::close(saboteur).await.unwrap();
}

/// Drift, and its repair by the running agent.
async fn repairs(database: &mut Database) {
    rewind(database).await;
    database.wait_until(REPAIRED).await;
}

fn series(name: &str, database: &Database, labels: &str) -> String {
    format!("pgmedic_{name}{{{}}}", labels.replace("DATABASE", &format!("database=\"{}\"", database.name)))
}

fn up(database: &Database) -> String {
    series("database_up", database, "DATABASE")
}

fn leader(database: &Database) -> String {
    series("leader", database, "DATABASE")
}

/// Passes that were due and not made, for this reason.
fn skipped(database: &Database, reason: &str) -> String {
    series("pass_skipped_total", database, &format!("DATABASE,pass=\"sequences\",reason=\"{reason}\""))
}

/// The agent said once that its database was down, and once that it was back.
#[track_caller]
fn said_once(log: &str) {
    assert_eq!(log.matches(SAYS_DOWN).count(), 1, "{log}");
    assert_eq!(log.matches(SAYS_BACK).count(), 1, "{log}");
}
