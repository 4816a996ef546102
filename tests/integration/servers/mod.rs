//! A `[[servers]]` table: the databases of a server are found, followed, repaired and swept, with few connections.

mod agent;
mod fleet;
mod once;
mod page;
mod refused;

use crate::support::{Agent, Database, EVERY_SECOND, Outcome, pgmedic};
use pgmedic_testserver::{ServerOptions, TestServer};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use tempfile::NamedTempFile;

/// A table whose sequence is behind: the next value is 1, and ids up to 20 are taken.
const ORDERS: &str = "CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 20)";
const BEHIND: &str = "SELECT setval('orders_id_seq', 1, false)";
const REPAIRED: &str = "SELECT last_value = 20 FROM orders_id_seq";

fn own_server() -> TestServer {
    TestServer::start(&ServerOptions { tcp: true, ..ServerOptions::default() }).unwrap()
}

/// The server's maintenance database.
async fn maintenance(server: &TestServer) -> Database {
    Database::at("postgres", server.url("postgres")).await
}

/// Creates a database, and runs statements in it.
async fn create(server: &TestServer, name: &str, statements: &str) -> Database {
    let mut connection = PgConnection::connect(&server.url("postgres")).await.unwrap();
    let sql = format!("CREATE DATABASE \"{}\" TEMPLATE template0", name.replace('"', "\"\""));
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let mut database = Database::at(name, server.url(name)).await;
    database.sql(statements).await;
    database
}

/// The table of this server, named `prod`, and more keys of it.
fn table(url: &str, keys: &str) -> String {
    format!("[[servers]]\nname = \"prod\"\nurl = \"{url}\"\n{keys}\n")
}

fn config(text: &str) -> NamedTempFile {
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn run(text: &str, arguments: &[&str]) -> Outcome {
    let file = config(text);
    pgmedic(&[("PGMEDIC_CONFIG", file.path().to_str().unwrap())], arguments)
}

fn once(text: &str, arguments: &[&str]) -> Outcome {
    run(text, &[&["--once", "--format", "json"], arguments].concat())
}

/// An agent that makes a pass each second.
fn start(text: &str) -> Agent {
    Agent::run(config(&format!("{text}\n{EVERY_SECOND}[http]\nlisten = \"127.0.0.1:0\"\n")), &[])
}

/// A series of a database of the server.
fn series(name: &str, database: &str, labels: &str) -> String {
    format!("{name}{{database=\"{database}\",{labels}server=\"prod\"}}")
}

/// Waits for this many more passes over a database of the server.
fn passes_again(agent: &Agent, database: &str, times: f64) {
    let passes = series("pgmedic_pass_runs_total", database, "pass=\"sequences\",");
    let before = agent.metric(&passes).unwrap_or(0.0);
    agent.wait_until(&passes, |passes| passes >= before + times);
}
