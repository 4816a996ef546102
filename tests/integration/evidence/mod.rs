//! Who was behind a drift: each row of the table of `docs/evidence.md`, and what is never told.

mod asked;
mod history;
mod known;
mod stored;

use crate::support::{Database, server_with};
use pgmedic_testserver::TestServer;
use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use std::sync::LazyLock;

/// A server that keeps statistics of statements.
fn statistics_server() -> &'static TestServer {
    static SERVER: LazyLock<TestServer> = LazyLock::new(|| {
        let settings = [("shared_preload_libraries", "pg_stat_statements"), ("autovacuum", "off")];
        server_with(&settings)
    });
    &SERVER
}

/// A database whose table `orders` belongs to the role `etl`, and its sequence too.
struct Scene {
    database: Database,
    /// Its name on the server.
    etl: String,
}

impl Scene {
    /// On a server without `pg_stat_statements`.
    async fn plain() -> Self {
        Self::of(Database::new().await).await
    }

    async fn with_statistics() -> Self {
        let server = statistics_server();
        let mut database = Database::on(server).await;
        database.sql("CREATE EXTENSION pg_stat_statements").await;
        Self::of(database).await
    }

    async fn of(mut database: Database) -> Self {
        let etl = database.role("etl");
        database
            .sql(&format!(
                "CREATE ROLE {etl} LOGIN; GRANT pg_execute_server_program TO {etl}; GRANT ALL ON SCHEMA public TO {etl};
                 CREATE TABLE orders (id serial PRIMARY KEY, note text); ALTER TABLE orders OWNER TO {etl}"
            ))
            .await;
        Self { database, etl }
    }

    /// Runs statements as `etl`, in a session with this name.
    async fn session(&self, application: &str, statements: &str) -> PgConnection {
        let url = format!("{}&application_name={application}", self.database.url_as(&self.etl));
        let mut session = PgConnection::connect(&url).await.expect("a session");
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut session).await.expect(statements);
        session
    }

    /// Runs statements as `etl`, in a session that has ended when this returns.
    async fn ended_session(&mut self, application: &str, statements: &str) {
        self.session(application, statements).await.close().await.expect("a session that ends");
        self.wait_for_end().await;
    }

    async fn wait_for_end(&mut self) {
        let gone = format!("SELECT count(*) = 0 FROM pg_stat_activity WHERE usename = '{}'", self.etl);
        self.database.wait_until(&gone).await;
    }

    /// The evidence of a run that only looks.
    fn evidence(&self) -> Value {
        let outcome = self.database.once(&["--dry-run"]).exits(3);
        outcome.sequence("public.orders_id_seq")["evidence"].clone()
    }

    /// What is told of `etl`.
    fn told(&self) -> Vec<Value> {
        let evidence = self.evidence();
        let statements = evidence["statements"].as_array().expect("statements").clone();
        statements.into_iter().filter(|statement| statement["role"] == self.etl.as_str()).collect()
    }
}
