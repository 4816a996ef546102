//! Cuts over to a subscriber while clients write without a pause.

mod followed;
mod literal;
mod pglogical;
mod subscriber;
mod writers;

use crate::guides::{Guide, complete_server};
use crate::support::Database;
use pgmedic_testserver::{ServerOptions, TestServer};

/// Replication workers that have ended are restarted without a delay.
const LOGICAL: [(&str, &str); 3] =
    [("wal_level", "logical"), ("autovacuum", "off"), ("wal_retrieve_retry_interval", "20ms")];

/// A publisher and a subscriber on separate servers, with a database `app` and a role `app` that writes.
pub struct Pair {
    pub old: Database,
    pub new: Database,
    pub servers: [TestServer; 2],
}

/// Four kinds of tables: a serial, an identity, a default that does not own its sequence, and a table without a key, in
/// which a duplicate causes no error.
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
    /// Creates the schema on the old server only, where `file` is part of the server's installation. `settings` are
    /// additional settings.
    pub async fn start(file: &str, settings: &[(&str, &str)]) -> Self {
        let settings = [&LOGICAL, settings].concat();
        let mut pair = Self::of([complete_server(file, &settings), complete_server(file, &settings)]).await;
        pair.old.sql(SCHEMA).await;
        pair
    }

    /// Creates the schema on both servers, subscribes the new one, and waits until everything is copied.
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
        pair.new.wait_until("SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel").await;
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

    /// The cutover guide, with a shell whose variables name both servers.
    pub fn guide(&self) -> Guide {
        let variables = [("OLD", self.old.url()), ("NEW", self.new.url())];
        Guide::named("logical-replication-cutover", self.servers[0].bin_dir(), &variables)
    }

    /// Waits until the new server has this many orders.
    pub async fn wait_until_orders(&mut self, number: i64) {
        self.new.wait_until(&format!("SELECT count(*) = {number} FROM orders")).await;
    }
}
