//! The application whose inserts fail, and the pass that repairs them.

use super::DemoError;
use crate::config::{Database, DeclaredFeed, Environment, Settings};
use crate::once;
use crate::progress::Progress;
use crate::report::{Outcome, Report};
use crate::sequences::PassOptions;
use pgmedic_core::{ColumnName, TableName};
use pgmedic_testserver::TestServer;
use sqlx::postgres::{PgConnection, PgDatabaseError, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Row};
use std::io::Write;

/// Connections of the application: more than one, and fewer than the server allows.
const CONNECTIONS: u32 = 10;

/// The application's database, as pgmedic's settings know it.
pub(super) struct DemoApp {
    settings: Settings,
}

impl DemoApp {
    /// Creates the database. The settings are what `DATABASE_URL` and a file with this text would make them.
    pub(super) async fn create(server: &TestServer, database: &str, text: &str) -> Result<Self, DemoError> {
        let maintenance = settings(server, "postgres", "", &[])?;
        let create = format!("CREATE DATABASE {database}");
        Client::connect(&maintenance).await?.run("create its database", &create).await?;
        Ok(Self { settings: settings(server, database, text, &[])? })
    }

    /// One connection of the application.
    pub(super) async fn client(&self) -> Result<Client, DemoError> {
        Client::connect(&self.settings).await
    }

    /// Several connections, for logins at the same time.
    pub(super) async fn pool(&self) -> Result<PgPool, DemoError> {
        let options = database(&self.settings)?.connect_options()?.first().clone();
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await;
        pool.map_err(|error| failed("connect", error))
    }

    /// States, as a `[[sequences.feeds]]` table would, that `sequence` feeds the column `id` of `table`.
    pub(super) fn declare(&mut self, sequence: &str, table: &str) {
        let named = |name: &str| TableName { schema: "public".to_owned(), name: name.to_owned() };
        let column = ColumnName { table: named(table), column: "id".to_owned() };
        self.settings.sequences.feeds.push(DeclaredFeed::new(named(sequence), column));
    }

    /// What `pgmedic --once` does.
    pub(super) async fn once(&self) -> Result<Report, DemoError> {
        let report = once::run(&self.settings, &PassOptions::default(), &Progress::default()).await?;
        match report.databases.iter().find_map(|database| database.error.as_ref()) {
            Some(error) => Err(DemoError::UnexpectedResult(format!("the pass could not be completed: {error}"))),
            None => Ok(report),
        }
    }
}

/// Without TLS, which the server's socket does not need, also where `PGSSLMODE` asks for it.
pub(super) fn settings(
    server: &TestServer,
    database: &str,
    text: &str,
    variables: &[(&str, &str)],
) -> Result<Settings, DemoError> {
    let url = format!("{}&sslmode=disable", server.url(database));
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile()?;
    file.write_all(text.as_bytes())?;
    let variables = [&[("DATABASE_URL", url.as_str())], variables].concat();
    Ok(Settings::load(Some(file.path()), &Environment::from_iter(variables))?)
}

pub(super) fn database(settings: &Settings) -> Result<&Database, DemoError> {
    match settings.databases.as_slice() {
        [database] => Ok(database),
        _ => Err(DemoError::UnexpectedResult("the demo's settings have more than one database".to_owned())),
    }
}

/// One connection of the application.
pub(super) struct Client(PgConnection);

impl Client {
    async fn connect(settings: &Settings) -> Result<Self, DemoError> {
        let connection = PgConnection::connect_with(database(settings)?.connect_options()?.first()).await;
        connection.map(Self).map_err(|error| failed("connect", error))
    }

    /// Runs statements that must succeed.
    pub(super) async fn run(&mut self, what: &str, statements: &str) -> Result<(), DemoError> {
        let done = sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut self.0).await;
        done.map(drop).map_err(|error| failed(what, error))
    }

    /// An insert that must be refused because its id is taken.
    pub(super) async fn insert_expecting_duplicate(&mut self, insert: &str) -> Result<DuplicateKey, DemoError> {
        match self.insert(insert).await {
            Ok(id) => Err(DemoError::UnexpectedResult(format!("this was to fail, and got id {id}: {insert}"))),
            Err(error) => match error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>())
            {
                Some(refusal) if refusal.code() == DuplicateKey::CODE => Ok(DuplicateKey::of(refusal)),
                _ => Err(failed(&format!("do {insert}"), error)),
            },
        }
    }

    /// An insert that must succeed and return this id.
    pub(super) async fn insert_expecting(&mut self, insert: &str, expected: i64) -> Result<(), DemoError> {
        match self.insert(insert).await {
            Ok(id) if id == expected => Ok(()),
            Ok(id) => {
                Err(DemoError::UnexpectedResult(format!("this was to get id {expected}, and got {id}: {insert}")))
            }
            Err(error) => Err(failed(&format!("do {insert}"), error)),
        }
    }

    /// Sends an insert that returns its new id.
    async fn insert(&mut self, insert: &str) -> Result<i64, sqlx::Error> {
        let row = sqlx::query(AssertSqlSafe(insert.to_owned())).fetch_one(&mut self.0).await?;
        row.try_get::<i32, _>(0).map(i64::from).or_else(|_| row.try_get(0))
    }
}

fn failed(what: &str, error: sqlx::Error) -> DemoError {
    DemoError::Database { what: what.to_owned(), source: error.into() }
}

/// The server's message about a taken id.
pub(super) struct DuplicateKey {
    pub(super) message: String,
    pub(super) detail: String,
}

impl DuplicateKey {
    /// `unique_violation` (PostgreSQL manual, appendix A).
    pub(super) const CODE: &str = "23505";

    fn of(error: &PgDatabaseError) -> Self {
        Self { message: error.message().to_owned(), detail: error.detail().unwrap_or_default().to_owned() }
    }
}

/// Checks that the pass had this outcome for the sequence.
pub(super) fn expect(report: &Report, sequence: &str, expected: Outcome) -> Result<(), DemoError> {
    let mut sequences = report.databases.iter().flat_map(|database| &database.sequences);
    match sequences.find(|found| *found.name == *sequence).and_then(|found| found.outcome()) {
        Some(found) if found == expected => Ok(()),
        found => {
            let found = found.map_or("left alone".to_owned(), |found| format!("{found:?}").to_lowercase());
            let expected = format!("{expected:?}").to_lowercase();
            Err(DemoError::UnexpectedResult(format!("the sequence {sequence} was to be {expected}, and was {found}")))
        }
    }
}
