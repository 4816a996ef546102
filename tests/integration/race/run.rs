//! Six clients insert, pgmedic or a script repairs, and a monitor observes the sequences and may move them back.

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

/// The minimal number of inserts of a client into each table. A client continues until the repairs are done.
const INSERTS: usize = 100;

/// A table with a sequence, and the ids that are inserted ahead of it, which make it drift.
#[derive(Debug)]
pub struct Target {
    pub table: &'static str,
    pub increment: i64,
    cache: i64,
    /// In values of the sequence.
    ahead: i64,
    /// How many ids are inserted, the last one of them so far ahead. All lie so near that the next inserts meet them soon.
    ids: i64,
}

/// Two targets that are repaired by an advance, then two by a leap.
pub const TARGETS: [Target; 4] = [
    Target { table: "plain", increment: 1, cache: 1, ahead: 2000, ids: 1 },
    Target { table: "descending", increment: -3, cache: 1, ahead: 2000, ids: 1 },
    Target { table: "cached", increment: 1, cache: 10, ahead: 2000, ids: 1 },
    Target { table: "far", increment: 1, cache: 1, ahead: 7000, ids: 5001 },
];

pub const SETTINGS: &str = "
    [sequences]
    advance_limit = 5000
    lock_timeout = \"10s\"
";

/// The kind of repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepairKind {
    Pass,
    /// `setval(max)`, as in many scripts.
    SetvalMax,
}

#[derive(Debug, Clone, Copy)]
pub struct Race {
    pub repair: RepairKind,
    /// Whether the monitor moves sequences back at random times.
    pub saboteur: bool,
    /// In each round, an id is inserted ahead of every sequence and two repairs run: one with drift, one without.
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

    /// Inserts ids ahead of the sequence, and returns the furthest.
    pub async fn put_ahead(&self, connection: &mut PgConnection) -> i64 {
        let Self { table, increment, ahead, ids, .. } = self;
        // A saboteur may have set the sequence back before ids that were inserted earlier.
        let insert = format!(
            "WITH last AS (SELECT last_value + {ahead} * {increment} AS id FROM {table}_id_seq),
                  inserted AS (INSERT INTO {table}
                               SELECT id - n * {increment} FROM last, generate_series(0, {ids} - 1) AS n
                               ON CONFLICT DO NOTHING)
             SELECT id FROM last"
        );
        number(connection, insert).await
    }

    /// The ids that `put_ahead` inserted, of which `furthest` is the last.
    pub fn ids_up_to(&self, furthest: i64) -> impl Iterator<Item = i64> {
        let increment = self.increment;
        (0..self.ids).map(move |n| furthest - n * increment)
    }
}

pub async fn race_tables() -> Database {
    let mut database = Database::new().await;
    let sql: String = TARGETS.iter().map(Target::sql).collect();
    database.sql(&sql).await;
    database
}

/// Runs the clients, the monitor and the repairs, and returns what was observed.
pub async fn run_race(database: &mut Database, race: Race) -> Seen {
    let stop = Arc::new(AtomicBool::new(false));
    let inserts = Arc::new(AtomicUsize::new(0));
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        // Two clients delete what they inserted: the sequence must not hand out these ids again.
        let client = client(database.connect().await, number < 2, Arc::clone(&stop), Arc::clone(&inserts));
        clients.push(tokio::spawn(client));
    }
    let monitor = tokio::spawn(monitor(database.connect().await, race.saboteur, Arc::clone(&stop)));
    let mut seen = Seen::default();
    for _ in 0..race.rounds {
        // Repairs and inserts alternate, however the machine schedules them.
        let enough = inserts.load(Ordering::Relaxed) + CLIENTS * TARGETS.len();
        while inserts.load(Ordering::Relaxed) < enough {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        for (target, explicit) in TARGETS.iter().zip(&mut seen.explicit) {
            let furthest = target.put_ahead(&mut database.connection).await;
            explicit.extend(target.ids_up_to(furthest));
        }
        for _ in 0..2 {
            match race.repair {
                RepairKind::Pass => seen.findings.extend(repair(database).await),
                RepairKind::SetvalMax => setval_max(&mut database.connection).await,
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

/// Runs one pass of the library.
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

/// Inserts into the tables in turn, and records every value that the sequences return.
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

/// The id that an insert found taken. Panics for any other error.
fn taken_key(error: &sqlx::Error) -> i64 {
    let refused = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    let refused = refused.filter(|refused| refused.code() == "23505").unwrap_or_else(|| panic!("{error}"));
    let detail = refused.detail().expect("Key (id)=(7) already exists.");
    let key = detail.split(['(', ')']).nth(3).and_then(|key| key.parse().ok());
    key.unwrap_or_else(|| panic!("{detail}"))
}

/// Observes every sequence without a pause. It is also the saboteur, so that it knows exactly which moves back it made.
///
/// `pg_sequence_last_value()` waits for a running `nextval` (and is null before the first one). `SELECT last_value`
/// does not wait, and may return a value that `nextval` writes only to the log, up to 32 values ahead.
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
            // Called for the first time between the two reads.
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
