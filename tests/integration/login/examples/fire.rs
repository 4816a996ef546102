//! Concurrent logins, and a session that sets the sequence back (the saboteur).
//!
//! Every 100 ms the saboteur sets the sequence back among existing ids, but never twice during one login: on a busy
//! machine, that could use up any number of retries. It first waits for the transactions that have inserted something,
//! because a repair cannot see ids that are not committed.

use super::log_in;
use super::scene::{IDLE, SEQUENCE, Scene, USERS};
use proptest::prelude::RngExt;
use proptest::test_runner::{RngAlgorithm, TestRng};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Row};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Three clients for each user.
const CLIENTS: usize = 3 * USERS;
const SABOTAGES: usize = 15;
const PAUSE: Duration = Duration::from_millis(100);
/// The test fails if the sequence was not set back often enough within this many logins.
const MOST_LOGINS: usize = 100_000;

/// The most live sessions that any user has.
const MOST_LIVE: &str = "SELECT max(live) FROM (
    SELECT count(*) AS live FROM user_sessions WHERE expires_at > now() GROUP BY user_id) AS users";

/// What the clients and the saboteur observed.
#[derive(Debug)]
pub struct Seen {
    pub logins: usize,
    /// The statuses of the logins that failed.
    pub failed: Vec<u16>,
    /// The most live sessions that any user had at once.
    pub most_live: i64,
    /// Times that the sequence moved back without the saboteur: the next value before, and after.
    pub back: Vec<(i64, i64)>,
}

/// Logs in users until the sequence has been set back [`SABOTAGES`] times.
pub async fn under_fire(scene: &Scene, address: SocketAddr) -> Seen {
    let stop = Arc::new(AtomicBool::new(false));
    let done: Arc<[AtomicUsize; CLIENTS]> = Arc::default();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (stop, done) = (Arc::clone(&stop), Arc::clone(&done));
            tokio::spawn(async move {
                let mut failed = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let (status, _) = log_in(address, &format!("user{}", client % USERS + 1), "secret").await;
                    failed.extend((status != 204).then_some(status));
                    done[client].fetch_add(1, Ordering::Relaxed);
                }
                failed
            })
        })
        .collect();
    let (most_live, back) = sabotage(scene.database.connect().await, &done).await;
    stop.store(true, Ordering::Relaxed);
    let mut failed = Vec::new();
    for client in clients {
        failed.extend(client.await.unwrap());
    }
    let seen = Seen { logins: counts(&done).iter().sum(), failed, most_live, back };
    let Seen { logins, failed, back, .. } = &seen;
    println!(
        "{logins} logins, {} failed; set back {SABOTAGES} times, and {} times by others",
        failed.len(),
        back.len()
    );
    seen
}

/// Watches the sequence without a pause, and sets it back: so it knows which of the moves back are others'.
///
/// Reads `pg_sequence_last_value()`, which waits for a running `nextval` and is null before the first one. `SELECT
/// last_value` may briefly show the value that `nextval` writes to the WAL, up to 32 values ahead.
async fn sabotage(mut connection: PgConnection, done: &[AtomicUsize; CLIENTS]) -> (i64, Vec<(i64, i64)>) {
    let look = format!(
        "SELECT coalesce(pg_sequence_last_value('{SEQUENCE}') + 1,
                         (SELECT last_value FROM {SEQUENCE} WHERE NOT is_called))"
    );
    let mut chance = TestRng::from_seed(RngAlgorithm::XorShift, &[7; 16]);
    let (mut back, mut most_live, mut next) = (Vec::new(), 0, 0);
    let (mut at_last, mut due) = ([0; CLIENTS], Instant::now());
    for _ in 0..SABOTAGES {
        while Instant::now() < due || counts(done).iter().zip(&at_last).any(|(now, then)| now == then) {
            let row = sqlx::query(AssertSqlSafe(look.clone())).fetch_one(&mut connection).await.unwrap();
            // None if `nextval` was called for the first time between the two reads of the statement.
            let Some(now) = row.get::<Option<i64>, _>(0) else { continue };
            if now < next {
                back.push((next, now));
            }
            next = now;
            assert!(counts(done).iter().sum::<usize>() < MOST_LOGINS, "the sequence was not set back often enough");
        }
        let mut transaction = connection.begin().await.unwrap();
        // Waits for transactions that have inserted, and blocks new inserts.
        let lock = "LOCK TABLE public.user_sessions IN SHARE ROW EXCLUSIVE MODE";
        sqlx::raw_sql(lock).execute(&mut *transaction).await.unwrap();
        let live = sqlx::query(MOST_LIVE).fetch_one(&mut *transaction).await.unwrap();
        most_live = most_live.max(live.get(0));
        // At least 50 taken ids follow.
        next = chance.random_range(1..IDLE - 50);
        let set_back = AssertSqlSafe(format!("SELECT setval('{SEQUENCE}', {next}, false)"));
        sqlx::raw_sql(set_back).execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
        (at_last, due) = (counts(done), Instant::now() + PAUSE);
    }
    (most_live, back)
}

fn counts(done: &[AtomicUsize; CLIENTS]) -> [usize; CLIENTS] {
    std::array::from_fn(|client| done[client].load(Ordering::Relaxed))
}
