//! Tables under fire: six clients insert, pgmedic or a script repairs, a monitor watches the sequences, and may sabotage them.

use super::seen::{Draw, Rewind, Seen};
use crate::support::Database;
use pgmedic::config::{Environment, Settings};
use pgmedic::progress::Progress;
use pgmedic::report::SequenceReport;
use pgmedic::sequences::{PassOptions, SequencePassState, pass};
use proptest::prelude::RngExt;
use proptest::test_runner::{RngAlgorithm, TestRng};
use sqlx::postgres::{PgConnection, PgDatabaseError};
use sqlx::{AssertSqlSafe, Row};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const CLIENTS: usize = 6;

/// Every client goes on until the repairing is done, and inserts this many times into each table at least.
const INSERTS: usize = 100;

/// A table with a sequence, and how far ahead the ids are put that make it drift.
#[derive(Debug)]
pub struct Target {
    pub table: &'static str,
    pub increment: i64,
    cache: i64,
    /// In values of the sequence.
    ahead: i64,
}

/// Two that are repaired by advance, then two by leap.
pub const TARGETS: [Target; 4] = [
    Target { table: "plain", increment: 1, cache: 1, ahead: 2000 },
    Target { table: "descending", increment: -3, cache: 1, ahead: 2000 },
    Target { table: "cached", increment: 1, cache: 10, ahead: 2000 },
    Target { table: "far", increment: 1, cache: 1, ahead: 9000 },
];

pub const SETTINGS: &str = "
    [sequences]
    advance_limit = 5000
    lock_timeout = \"10s\"
";

/// Who repairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mender {
    Pass,
    /// What everybody does instead.
    SetvalMax,
}

#[derive(Debug, Clone, Copy)]
pub struct Order {
    pub mender: Mender,
    /// The monitor rewinds sequences at random moments.
    pub saboteur: bool,
    /// Each puts ids ahead of every sequence and repairs twice: the drift, and then none.
    pub rounds: usize,
}

impl Target {
    pub fn sequence(&self) -> String {
        format!("{}_id_seq", self.table)
    }

    fn sql(&self) -> String {
        let Self { table, increment, cache, .. } = self;
        let start = 1_000_000 * increment;
        format!(
            "CREATE SEQUENCE {table}_id_seq INCREMENT {increment} START {start} CACHE {cache};
             CREATE TABLE {table} (id bigint PRIMARY KEY DEFAULT nextval('{table}_id_seq'));
             ALTER SEQUENCE {table}_id_seq OWNED BY {table}.id;
             SELECT nextval('{table}_id_seq');"
        )
    }

    /// Puts one id ahead.
    pub async fn put_ahead(&self, connection: &mut PgConnection) -> i64 {
        let Self { table, increment, ahead, .. } = self;
        let insert =
            format!("INSERT INTO {table} SELECT last_value + {ahead} * {increment} FROM {table}_id_seq RETURNING id");
        number(connection, insert).await
    }
}

pub async fn field() -> Database {
    let mut database = Database::new().await;
    let sql: String = TARGETS.iter().map(Target::sql).collect();
    database.sql(&sql).await;
    database
}

/// Ends when the repairing has been done so often.
pub async fn fight(database: &mut Database, order: Order) -> Seen {
    let stop = Arc::new(AtomicBool::new(false));
    let inserts = Arc::new(AtomicUsize::new(0));
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        // Two of them delete what they inserted: their ids may not come back.
        let client = client(database.connect().await, number < 2, Arc::clone(&stop), Arc::clone(&inserts));
        clients.push(tokio::spawn(client));
    }
    let monitor = tokio::spawn(monitor(database.connect().await, order.saboteur, Arc::clone(&stop)));
    let mut seen = Seen::default();
    for _ in 0..order.rounds {
        // However the machine shares out its time, repairing and inserting take turns.
        let enough = inserts.load(Ordering::Relaxed) + CLIENTS * TARGETS.len();
        while inserts.load(Ordering::Relaxed) < enough {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        for (target, explicit) in TARGETS.iter().zip(&mut seen.explicit) {
            explicit.insert(target.put_ahead(&mut database.connection).await);
        }
        for _ in 0..2 {
            match order.mender {
                Mender::Pass => seen.findings.extend(repair(database).await),
                Mender::SetvalMax => setval_max(&mut database.connection).await,
            }
        }
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        for (all, own) in seen.draws.iter_mut().zip(client.await.expect("a client")) {
            all.push(own);
        }
    }
    (seen.backward, seen.sabotages) = monitor.await.expect("the monitor");
    seen
}

/// One pass of the library's.
pub async fn repair(database: &Database) -> Vec<Arc<SequenceReport>> {
    let file = database.config(SETTINGS);
    let settings = Settings::load(Some(file.path()), &Environment::default()).expect("settings");
    let orders = PassOptions::default();
    let mut memory = SequencePassState::default();
    let report = pass(&settings.databases[0], &settings.sequences, &orders, &mut memory, &Progress::default()).await;
    assert_eq!(report.error, None);
    report.sequences
}

async fn setval_max(connection: &mut PgConnection) {
    for Target { table, increment, .. } in &TARGETS {
        let extreme = if *increment > 0 { "max" } else { "min" };
        let naive =
            format!("SELECT setval('{table}_id_seq', (SELECT {extreme}(id) + {increment} FROM {table}), false)");
        number(connection, naive).await;
    }
}

/// Inserts into one table after the other, and keeps every value that the sequences gave it.
async fn client(
    mut connection: PgConnection,
    deletes: bool,
    stop: Arc<AtomicBool>,
    inserts: Arc<AtomicUsize>,
) -> [Vec<Draw>; TARGETS.len()] {
    let mut draws: [Vec<Draw>; TARGETS.len()] = Default::default();
    while !stop.load(Ordering::Relaxed) || draws[0].len() < INSERTS {
        for (Target { table, .. }, draws) in TARGETS.iter().zip(&mut draws) {
            inserts.fetch_add(1, Ordering::Relaxed);
            let insert = AssertSqlSafe(format!("INSERT INTO {table} DEFAULT VALUES RETURNING id"));
            match sqlx::query(insert).fetch_one(&mut connection).await {
                Ok(row) => draws.push(Draw { value: row.get(0), collided: false }),
                Err(error) => {
                    draws.push(Draw { value: taken_key(&error), collided: true });
                    continue;
                }
            }
            if let (true, Some(Draw { value, .. })) = (deletes, draws.last()) {
                let delete = AssertSqlSafe(format!("DELETE FROM {table} WHERE id = {value}"));
                sqlx::query(delete).execute(&mut connection).await.expect("a deletion");
            }
        }
    }
    draws
}

/// The id that an insert found taken. Any other error is no part of this game.
fn taken_key(error: &sqlx::Error) -> i64 {
    let refused = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    let refused = refused.filter(|refused| refused.code() == "23505").unwrap_or_else(|| panic!("{error}"));
    let detail = refused.detail().expect("Key (id)=(7) already exists.");
    let key = detail.split(['(', ')']).nth(3).and_then(|key| key.parse().ok());
    key.unwrap_or_else(|| panic!("{detail}"))
}

/// Watches every sequence without a pause. It is the saboteur itself, so that it knows exactly which moves back are
/// its own.
///
/// It asks `pg_sequence_last_value()`, which waits for a running `nextval` (and is null before the first). `SELECT
/// last_value` does not wait, and may see what `nextval` writes for the log only, for a moment: up to 32 values ahead.
async fn monitor(mut connection: PgConnection, saboteur: bool, stop: Arc<AtomicBool>) -> (Vec<Rewind>, usize) {
    let looks: Vec<String> = TARGETS
        .iter()
        .map(|target| {
            let (sequence, increment) = (target.sequence(), target.increment);
            format!(
                "coalesce(pg_sequence_last_value('{sequence}') + {increment},
                          (SELECT last_value FROM {sequence} WHERE NOT is_called))"
            )
        })
        .collect();
    let look = format!("SELECT ARRAY[{}]", looks.join(", "));
    let mut chance = TestRng::from_seed(RngAlgorithm::XorShift, &[7; 16]);
    let (mut rewinds, mut sabotages) = (Vec::new(), 0);
    let mut before = [None; TARGETS.len()];
    while !stop.load(Ordering::Relaxed) {
        let row = sqlx::query(AssertSqlSafe(look.clone())).fetch_one(&mut connection).await.expect("a look");
        let next: Vec<Option<i64>> = row.get(0);
        for ((target, before), now) in TARGETS.iter().zip(&mut before).zip(next) {
            // Called for the first time just between the two looks.
            let Some(now) = now else { continue };
            if let Some(before) = before.filter(|before| (now - before) * target.increment.signum() < 0) {
                rewinds.push(Rewind { table: target.table, before, now });
            }
            *before = Some(now);
        }
        if saboteur && chance.random_ratio(1, 40) {
            let choice = chance.random_range(0..TARGETS.len());
            let Target { table, increment, .. } = TARGETS[choice];
            let back = chance.random_range(1..500) * increment;
            let rewind = format!("SELECT setval('{table}_id_seq', last_value - {back}, true) FROM {table}_id_seq");
            before[choice] = Some(number(&mut connection, rewind).await + increment);
            sabotages += 1;
        }
    }
    (rewinds, sabotages)
}

async fn number(connection: &mut PgConnection, query: String) -> i64 {
    match sqlx::query(AssertSqlSafe(query.clone())).fetch_one(connection).await {
        Ok(row) => row.get(0),
        Err(error) => panic!("{error}\nin: {query}"),
    }
}
