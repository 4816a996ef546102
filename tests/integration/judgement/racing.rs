//! A sequence that begins to race towards ids that were far ahead.

use crate::support::{Agent, Database, EVERY_SECOND, wait_for};
use pgmedic_login::{InlineRepairLimits, retry_after_repair};
use sqlx::Connection;
use sqlx::postgres::PgConnection;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::task::JoinHandle;

const INSERT: &str = "INSERT INTO t DEFAULT VALUES RETURNING id::bigint";
/// The first of the ids ahead. A pass that has seen no insert takes them for far.
const AHEAD: i64 = 1_200;
/// More than the clients run into before a pass ends.
const LAST: i64 = 70_000;

/// What several clients met, who insert as fast as they can.
#[derive(Default)]
struct Race {
    stop: AtomicBool,
    /// The number of passes, as last seen.
    passes: AtomicU64,
    inserted: AtomicU64,
    errors: Mutex<Vec<String>>,
    /// The number of passes at the first and at the last failure.
    first_failure: AtomicU64,
    last_failure: AtomicU64,
}

impl Race {
    fn start(self: &Arc<Self>, database: &Database, retries: bool) -> Vec<JoinHandle<()>> {
        let client = || {
            let (race, url) = (Arc::clone(self), database.url().to_owned());
            tokio::spawn(async move {
                let mut connection = PgConnection::connect(&url).await.unwrap();
                while !race.stop.load(Ordering::Relaxed) {
                    race.record(insert(&mut connection, retries).await);
                }
            })
        };
        (0..4).map(|_| client()).collect()
    }

    fn record(&self, outcome: Result<(), String>) {
        let Err(error) = outcome else {
            self.inserted.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let passes = self.passes.load(Ordering::Relaxed);
        let mut errors = self.errors.lock().unwrap();
        if errors.is_empty() {
            self.first_failure.store(passes, Ordering::Relaxed);
        }
        errors.push(error);
        self.last_failure.fetch_max(passes, Ordering::Relaxed);
    }
}

async fn insert(connection: &mut PgConnection, retries: bool) -> Result<(), String> {
    if !retries {
        let inserted = sqlx::query(INSERT).fetch_one(connection).await;
        return inserted.map(drop).map_err(|error| error.to_string());
    }
    let insert = retry_after_repair(connection, InlineRepairLimits::default(), async |connection| {
        sqlx::query(INSERT).persistent(false).fetch_one(connection).await
    });
    insert.await.map(drop).map_err(|error| format!("{error:?}"))
}

/// Lets clients race through the free values into a block of ids until many inserts have succeeded beyond it.
async fn raced(retries: bool) -> Arc<Race> {
    let mut database = Database::new().await;
    let rows = format!("INSERT INTO t SELECT generate_series({AHEAD}, {LAST})");
    // Ids within a hundredth of the range would be passed early.
    let table = "CREATE TABLE t (id serial PRIMARY KEY); ALTER SEQUENCE t_id_seq MAXVALUE 100000";
    database.sql(&format!("{table}; {rows}")).await;
    let agent = Agent::start(&database, EVERY_SECOND);
    agent.passes_again(&database.name, 1.0);
    assert_eq!(database.number("SELECT last_value FROM t_id_seq").await, 1, "the ids are far ahead");
    let race = Arc::new(Race::default());
    let clients = race.start(&database, retries);
    wait_for("inserts beyond the block", || {
        race.passes.store(agent.passes(&database.name) as u64, Ordering::Relaxed);
        (race.inserted.load(Ordering::Relaxed) >= AHEAD as u64 + 500).then_some(())
    });
    race.stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    assert!(database.number("SELECT last_value FROM t_id_seq").await > LAST, "the block was passed");
    agent.stop();
    race
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_most_the_inserts_of_one_interval_fail() {
    let race = raced(false).await;
    let (first, last) = (race.first_failure.load(Ordering::Relaxed), race.last_failure.load(Ordering::Relaxed));
    assert!(!race.errors.lock().unwrap().is_empty(), "the clients were faster than the agent");
    // The pass that runs at the first failure may have read the sequence before it. The next one passes the block.
    assert!(last - first <= 1, "inserts failed from pass {first} to pass {last}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn none_fails_with_the_retry_of_the_login_path() {
    let race = raced(true).await;
    assert_eq!(*race.errors.lock().unwrap(), [] as [String; 0]);
}
