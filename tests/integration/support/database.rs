//! A database for one test.

use super::{Outcome, server};
use pgmedic_testserver::TestServer;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection, Row};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// An empty database with a unique name, on the shared server. Roles belong to the whole server: name them with
/// [`Database::role`].
pub struct Database {
    pub name: String,
    url: String,
    pub connection: PgConnection,
}

impl Database {
    pub async fn new() -> Self {
        Self::on(server()).await
    }

    /// Creates a database on this server.
    pub async fn on(server: &TestServer) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&server.url("postgres")).await.expect("the maintenance database");
        let create = format!("CREATE DATABASE {name} TEMPLATE template0");
        sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut connection).await.expect("a database");
        let url = server.url(&name);
        let connection = PgConnection::connect(&url).await.expect("the new database");
        Self { name, url, connection }
    }

    /// Connects to a database on the shared server that the test created.
    pub async fn existing(name: &str) -> Self {
        Self::at(name, server().url(name)).await
    }

    /// Connects to an existing database by its URL.
    pub async fn at(name: &str, url: String) -> Self {
        let connection = PgConnection::connect(&url).await.expect("the database");
        Self { name: name.to_owned(), url, connection }
    }

    /// The URL of the database for another role, by the socket.
    pub fn url_as(&self, role: &str) -> String {
        self.url.replace("user=postgres", &format!("user={role}"))
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// A role name that no other test uses.
    pub fn role(&self, name: &str) -> String {
        format!("{}_{name}", self.name)
    }

    /// Opens another connection to the database.
    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.expect("another connection")
    }

    /// Runs one or more statements.
    pub async fn sql(&mut self, statements: &str) {
        if let Err(error) = sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut self.connection).await {
            panic!("{error}\nin: {statements}");
        }
    }

    /// Runs statements in a session that has ended when this returns, so that the server's statistics contain them.
    pub async fn by_itself(&mut self, statements: &str) {
        let mut session = self.connect().await;
        let pid: i32 =
            sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut session).await.expect("its process");
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut session).await.expect(statements);
        session.close().await.expect("a session that ends");
        self.wait_until(&format!("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid})")).await;
    }

    /// Waits until the server's statistics contain what sessions that have ended did, and this one.
    pub async fn flush_statistics(&mut self) {
        if self.number("SELECT current_setting('server_version_num')::bigint").await >= 150_000 {
            return self.sql("SELECT pg_stat_force_next_flush()").await;
        }
        // Before version 15 a session reports to a process that reads the reports one after the other.
        self.sql("CREATE SCHEMA IF NOT EXISTS flushed; CREATE TABLE IF NOT EXISTS flushed.marker ()").await;
        let pid = self.number("SELECT pg_backend_pid()::bigint").await;
        let new = self.connect().await;
        std::mem::replace(&mut self.connection, new).close().await.expect("a session that ends");
        self.wait_until(&format!("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid})")).await;
        let scans = "SELECT pg_stat_get_numscans('flushed.marker'::regclass)";
        let before = self.number(scans).await;
        self.by_itself("SELECT FROM flushed.marker").await;
        self.wait_until(&format!("{scans} > {before}")).await;
    }

    /// Runs a query that returns one row.
    pub async fn row(&mut self, query: &str) -> PgRow {
        match sqlx::query(AssertSqlSafe(query.to_owned())).fetch_one(&mut self.connection).await {
            Ok(row) => row,
            Err(error) => panic!("{error}\nin: {query}"),
        }
    }

    /// Runs a query that returns one bigint.
    pub async fn number(&mut self, query: &str) -> i64 {
        self.row(query).await.get(0)
    }

    /// Runs `nextval`, which moves the sequence.
    pub async fn nextval(&mut self, sequence: &str) -> i64 {
        self.number(&format!("SELECT nextval('{sequence}')")).await
    }

    /// Runs the script of `pgmedic sql install`, which makes the function `pgmedic.repair` and its log.
    pub async fn install_sql(&mut self) {
        self.sql(&pgmedic(&[], &["sql", "install"]).exits(0).stdout).await;
    }

    /// Runs `pgmedic` with these arguments, on this database.
    pub fn pgmedic(&self, arguments: &[&str]) -> Outcome {
        pgmedic(&[("DATABASE_URL", &self.url)], arguments)
    }

    /// Runs `pgmedic --once --format json` with these arguments.
    pub fn once(&self, arguments: &[&str]) -> Outcome {
        self.pgmedic(&[&["--once", "--format", "json"], arguments].concat())
    }

    /// The same as another role.
    pub fn once_as(&self, role: &str, arguments: &[&str]) -> Outcome {
        pgmedic(&[("DATABASE_URL", &self.url_as(role))], &[&["--once", "--format", "json"], arguments].concat())
    }

    /// The same with settings, as another role.
    pub fn once_with_as(&self, role: &str, settings: &str, arguments: &[&str]) -> Outcome {
        let file = self.config_as(role, settings);
        let path = file.path().to_str().expect("a UTF-8 path");
        pgmedic(&[], &[&["--once", "--format", "json", "--config", path], arguments].concat())
    }

    /// Runs `pgmedic --once --format json` with settings: TOML without `[[databases]]`, which is added.
    pub fn once_with(&self, settings: &str, arguments: &[&str]) -> Outcome {
        let file = self.config(settings);
        let path = file.path().to_str().expect("a UTF-8 path");
        pgmedic(&[], &[&["--once", "--format", "json", "--config", path], arguments].concat())
    }

    /// A configuration file with this database, under its real name, and more settings.
    pub fn config(&self, settings: &str) -> tempfile::NamedTempFile {
        self.config_as("postgres", settings)
    }

    /// The same, for another role.
    pub fn config_as(&self, role: &str, settings: &str) -> tempfile::NamedTempFile {
        let file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
        let url = self.url_as(role);
        let text = format!("{settings}\n[[databases]]\nname = \"{}\"\nurl = \"{url}\"\n", self.name);
        std::fs::write(file.path(), text).expect("a configuration");
        file
    }
}

/// A command that runs the binary, with these variables and no others.
pub fn command(variables: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_pgmedic")));
    command.args(arguments).env_clear().stdin(Stdio::null());
    for name in ["PATH", "TMPDIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.envs(variables.iter().copied());
    command
}

/// A shell that runs this script, finds `pgmedic`, and has no other variable of this process than `PATH`.
pub fn shell(script: &str) -> Command {
    let folder = Path::new(env!("CARGO_BIN_EXE_pgmedic")).parent().expect("its folder");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").expect("a PATH"));
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).env_clear().env("PATH", path).stdin(Stdio::null());
    shell
}

/// Runs the binary and waits for its end.
pub fn pgmedic(variables: &[(&str, &str)], arguments: &[&str]) -> Outcome {
    Outcome::of(command(variables, arguments).output().expect("pgmedic runs"))
}
