//! Cutting over to a subscriber, with clients that never stop writing.

mod literal;
mod pglogical;
mod subscriber;
mod writers;

use crate::guides::{Guide, complete_server};
use crate::support::Database;
use pgmedic_testserver::{ServerOptions, TestServer};

/// Workers that have ended are started again without a pause.
const LOGICAL: [(&str, &str); 3] =
    [("wal_level", "logical"), ("autovacuum", "off"), ("wal_retrieve_retry_interval", "20ms")];

/// A publisher and a subscriber on servers of their own, with a database `app` and a role `app` that writes.
pub struct Pair {
    pub old: Database,
    pub new: Database,
    pub servers: [TestServer; 2],
}

/// What users have: a serial, an identity, a default that does not own its sequence, and a table without a key, where a
/// duplicate fails nowhere.
const SCHEMA: &str = "
    CREATE ROLE app LOGIN;
    CREATE TABLE orders (id serial PRIMARY KEY, note text);
    CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
    CREATE SEQUENCE numbers INCREMENT 5;
    CREATE TABLE invoices (id integer DEFAULT nextval('numbers') PRIMARY KEY, note text);
    CREATE TABLE events (id bigserial, note text);
    GRANT ALL ON ALL TABLES IN SCHEMA public TO app;
    GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO app";

impl Pair {
    /// The schema on the old server alone, where `file` is part of the server's installation, with more settings.
    pub async fn start(file: &str, settings: &[(&str, &str)]) -> Self {
        let settings = [&LOGICAL, settings].concat();
        let mut pair = Self::of([complete_server(file, &settings), complete_server(file, &settings)]).await;
        pair.old.sql(SCHEMA).await;
        pair
    }

    /// On any server: the schema on both, and the new one subscribed, with everything copied.
    pub async fn subscribed() -> Self {
        let settings = LOGICAL.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let options = ServerOptions { settings, ..ServerOptions::default() };
        let mut pair = Self::of([(); 2].map(|()| TestServer::start(&options).unwrap())).await;
        for database in [&mut pair.old, &mut pair.new] {
            database.sql(SCHEMA).await;
        }
        pair.old.sql("CREATE PUBLICATION cutover FOR ALL TABLES").await;
        let url = pair.old.url().to_owned();
        pair.new.sql(&format!("CREATE SUBSCRIPTION cutover CONNECTION '{url}' PUBLICATION cutover")).await;
        pair.new.until("SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel").await;
        pair
    }

    async fn of(servers: [TestServer; 2]) -> Self {
        let mut databases = Vec::new();
        for server in &servers {
            Database::at("postgres", server.url("postgres")).await.sql("CREATE DATABASE app").await;
            databases.push(Database::at("app", server.url("app")).await);
        }
        let (Some(new), Some(old)) = (databases.pop(), databases.pop()) else { unreachable!("there are two") };
        Self { old, new, servers }
    }

    /// The cutover's guide, in a shell that knows both.
    pub fn guide(&self) -> Guide {
        let variables = [("OLD", self.old.url()), ("NEW", self.new.url())];
        Guide::named("logical-replication-cutover", self.servers[0].bin_dir(), &variables)
    }

    /// Returns once the new server has as many orders.
    pub async fn until_orders(&mut self, number: i64) {
        self.new.until(&format!("SELECT count(*) = {number} FROM orders")).await;
    }
}
