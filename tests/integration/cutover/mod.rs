//! Cuts over to a subscriber while clients write without a pause.

mod carried;
mod command;
mod drawn;
mod followed;
mod headroom;
mod literal;
mod named;
mod pglogical;
mod published;
mod refused;
mod replicated;
mod subscriber;
mod watching;
mod writers;

use crate::documents::guides::{Guide, complete_server};
use crate::support::Database;
use pgmedic_testserver::{ServerOptions, TestServer};

/// Two databases with the same schema.
async fn both(schema: &str) -> (Database, Database) {
    let (mut old, mut new) = (Database::new().await, Database::new().await);
    old.sql(schema).await;
    new.sql(schema).await;
    (old, new)
}

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
        Self::subscribed_with(&[]).await
    }

    /// The same, with every statement in the servers' logs, after `[application database]`.
    pub async fn logging_statements() -> Self {
        Self::subscribed_with(&[("log_statement", "all"), ("log_line_prefix", "[%a %d] ")]).await
    }

    async fn subscribed_with(settings: &[(&str, &str)]) -> Self {
        let mut pair = Self::unsubscribed_with(settings).await;
        pair.subscribe("FOR ALL TABLES").await;
        pair
    }

    /// The same, with a publication of this.
    pub async fn subscribed_to(publication: &str) -> Self {
        let mut pair = Self::unsubscribed().await;
        pair.subscribe(publication).await;
        pair
    }

    /// Creates the schema on both servers.
    pub async fn unsubscribed() -> Self {
        Self::unsubscribed_with(&[]).await
    }

    /// Publishes this on the old server, subscribes the new one, and waits until everything is copied.
    pub async fn subscribe(&mut self, publication: &str) {
        self.old.sql(&format!("CREATE PUBLICATION cutover {publication}")).await;
        let url = self.old.url().to_owned();
        self.new.sql(&format!("CREATE SUBSCRIPTION cutover CONNECTION '{url}' PUBLICATION cutover")).await;
        self.new.wait_until("SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel").await;
    }

    async fn unsubscribed_with(settings: &[(&str, &str)]) -> Self {
        let settings = [&LOGICAL, settings].concat();
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let options = ServerOptions { settings, ..ServerOptions::default() };
        let mut pair = Self::of([(); 2].map(|()| TestServer::start(&options).unwrap())).await;
        for database in [&mut pair.old, &mut pair.new] {
            database.sql(SCHEMA).await;
        }
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

    /// Waits until every row of the old server is on the new one.
    pub async fn wait_until_arrived(&mut self) {
        wait_until_same(&mut self.old, &mut self.new).await;
    }

    /// Waits until every row of the new server is on the old one.
    pub async fn wait_until_back(&mut self) {
        wait_until_same(&mut self.new, &mut self.old).await;
    }

    /// Waits until the new server has this many orders.
    pub async fn wait_until_orders(&mut self, number: i64) {
        self.new.wait_until(&format!("SELECT count(*) = {number} FROM orders")).await;
    }
}

/// Waits until `to` has as many rows as `from`, to which no client writes.
async fn wait_until_same(from: &mut Database, to: &mut Database) {
    for table in writers::TABLES {
        let rows = from.number(&format!("SELECT count(*) FROM {table}")).await;
        to.wait_until(&format!("SELECT count(*) = {rows} FROM {table}")).await;
    }
}
