//! Clients that insert without a pause into the server that the test names, and record every id.

use super::Pair;
use crate::support::Database;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Row};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

const CLIENTS: usize = 4;
/// Between two rounds of a client, so that the number of inserts while a step runs stays far below the headroom.
const PAUSE: Duration = Duration::from_millis(10);
pub const TABLES: [&str; 4] = ["orders", "users", "invoices", "events"];

/// The connection URL of the application. `None` tells the clients to end.
type Address = Option<String>;

pub struct Writers {
    address: watch::Sender<Address>,
    clients: Vec<JoinHandle<Written>>,
    inserts: &'static AtomicUsize,
}

/// What the application knows after its clients have ended.
#[derive(Debug, Default)]
pub struct Written {
    /// The ids of the successful inserts, for each of [`TABLES`].
    pub ids: [Vec<i64>; 4],
    pub duplicates: usize,
}

impl Writers {
    /// Starts the clients, which insert as `app` into the old server.
    pub fn start(pair: &Pair) -> Self {
        let (address, _) = watch::channel(Some(pair.old.url_as("app")));
        let inserts: &AtomicUsize = Box::leak(Box::default());
        let clients = (0..CLIENTS).map(|_| tokio::spawn(client(address.subscribe(), inserts))).collect();
        Self { address, clients, inserts }
    }

    /// Waits until the clients have inserted into every table several more times.
    pub async fn go_on(&self) {
        let enough = self.inserts.load(Ordering::Relaxed) + 10 * CLIENTS * TABLES.len();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
        while self.inserts.load(Ordering::Relaxed) < enough {
            assert!(tokio::time::Instant::now() < deadline, "the clients do not get on");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Makes the clients write to this database.
    pub fn point_at(&self, database: &Database) {
        self.address.send_replace(Some(database.url_as("app")));
    }

    /// Ends the clients and returns what they recorded.
    pub async fn end(self) -> Written {
        self.address.send_replace(None);
        let mut all = Written::default();
        for client in self.clients {
            let written = client.await.expect("a client");
            all.duplicates += written.duplicates;
            for (all, ids) in all.ids.iter_mut().zip(written.ids) {
                all.extend(ids);
            }
        }
        all
    }
}

/// One client. It connects again when its connection ends, as a pool does.
async fn client(mut address: watch::Receiver<Address>, inserts: &AtomicUsize) -> Written {
    let mut written = Written::default();
    loop {
        let Some(url) = address.borrow_and_update().clone() else { return written };
        match PgConnection::connect(&url).await {
            Ok(mut connection) => write(&mut connection, &address, inserts, &mut written).await,
            // The role may have no LOGIN at the moment.
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Inserts until the connection fails or the address changes.
async fn write(
    connection: &mut PgConnection,
    address: &watch::Receiver<Address>,
    inserts: &AtomicUsize,
    written: &mut Written,
) {
    while !address.has_changed().unwrap_or(true) {
        for (table, ids) in TABLES.iter().zip(&mut written.ids) {
            let insert = AssertSqlSafe(format!("INSERT INTO {table} (note) VALUES ('a note') RETURNING id::bigint"));
            match sqlx::query(insert).fetch_one(&mut *connection).await {
                Ok(row) => ids.push(row.get(0)),
                Err(error) if error.as_database_error().is_some_and(|error| error.is_unique_violation()) => {
                    written.duplicates += 1;
                }
                Err(_) => return,
            }
            inserts.fetch_add(1, Ordering::Relaxed);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl Written {
    /// The number of ids that `database` holds twice in the table without a key, and of recorded rows that it lacks.
    pub async fn twice_and_lost(&self, database: &mut Database) -> (i64, usize) {
        let (mut twice, mut lost) = (0, 0);
        for (table, ids) in TABLES.iter().zip(&self.ids) {
            twice += database.number(&format!("SELECT count(*) - count(DISTINCT id) FROM {table}")).await;
            let row = database.row(&format!("SELECT array_agg(DISTINCT id::bigint) FROM {table}")).await;
            let there: std::collections::HashSet<i64> = row.get::<Vec<i64>, _>(0).into_iter().collect();
            lost += ids.iter().filter(|id| !there.contains(id)).count();
        }
        (twice, lost)
    }
}
