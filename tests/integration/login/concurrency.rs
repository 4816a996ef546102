//! Many inserts at once, also through a pooler.

use super::{LOGIN, drifted};
use crate::support::{Database, Pooler, server, wait_for};
use pgmedic_login::{InlineRepairLimits, retry_after_repair};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection, Row};
use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::sync::Barrier;

/// Runs this many logins at once, and returns their ids.
async fn logins(pool: &PgPool, number: usize) -> Vec<i64> {
    let start = Arc::new(Barrier::new(number));
    let logins: Vec<_> = (0..number)
        .map(|_| {
            let (pool, start) = (pool.clone(), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                retry_after_repair(&pool, InlineRepairLimits::default(), async |connection| {
                    let login = sqlx::query(LOGIN).persistent(false);
                    login.fetch_one(connection).await?.try_get::<i64, _>(0)
                })
                .await
            })
        })
        .collect();
    let mut ids = Vec::new();
    for login in logins {
        ids.push(login.await.unwrap().unwrap().value);
    }
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_logins_at_once_on_a_drifted_sequence_all_succeed() {
    let mut database = drifted().await;
    let pool = PgPoolOptions::new().max_connections(20).connect(database.url()).await.unwrap();
    let ids = logins(&pool, 100).await;
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 100);
    assert!(ids.iter().all(|id| *id > 695));
    // About one free value a login may be skipped, not more.
    let next = database.nextval("user_sessions_session_id_seq").await;
    assert!(next <= 696 + 100 + 100, "{next}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_logins_through_a_transaction_pooler_all_succeed() {
    let mut database = drifted().await;
    database.sql("ALTER SEQUENCE user_sessions_session_id_seq CACHE 5").await;
    database.sql("SELECT setval('user_sessions_session_id_seq', 658, false)").await;
    let pooler = Pooler::start(server(), "transaction");
    // PgBouncer rejects this parameter.
    let options = PgConnectOptions::from_str(&pooler.url(&database.name)).unwrap().extra_float_digits(None);
    let pool = PgPoolOptions::new().max_connections(40).connect_with(options).await.unwrap();
    for _ in 0..3 {
        let ids = logins(&pool, 40).await;
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 40);
        database.sql("SELECT setval('user_sessions_session_id_seq', 658, false)").await;
    }
    pool.close().await;
}

#[tokio::test]
async fn an_insert_is_retried_when_another_session_repaired_the_sequence_first() {
    let mut database = drifted().await;
    let mut other = database.connect().await;
    let mut runs = 0;
    let repaired = retry_after_repair(&mut database.connection, InlineRepairLimits::default(), async |connection| {
        runs += 1;
        let result = sqlx::query(LOGIN).fetch_one(connection).await;
        if runs == 1 {
            // Another session repairs the sequence between the error and the repair.
            sqlx::query("SELECT setval('user_sessions_session_id_seq', 695)").execute(&mut other).await?;
        }
        result?.try_get::<i64, _>(0)
    });
    let repaired = repaired.await.unwrap();
    assert_eq!((repaired.value, repaired.attempts, repaired.repairs.len()), (696, 2, 0));
    other.close().await.unwrap();
}

/// Six clients insert and delete while blocks of ids are inserted ahead of the sequence: each value is handed out once,
/// and the sequence never moves back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repairing_beside_healthy_inserts_never_rewinds() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id bigserial PRIMARY KEY)").await;
    let stop = Arc::new(AtomicBool::new(false));
    let monitor = {
        let (stop, mut connection) = (Arc::clone(&stop), database.connect().await);
        tokio::spawn(async move {
            let (mut last, mut back) = (0, Vec::new());
            while !stop.load(Ordering::Relaxed) {
                // Unlike SELECT last_value, this waits for a running nextval.
                let look = sqlx::query("SELECT coalesce(pg_sequence_last_value('t_id_seq'), 0)");
                let now: i64 = look.fetch_one(&mut connection).await.unwrap().get(0);
                if now < last {
                    back.push((last, now));
                }
                last = now;
            }
            back
        })
    };
    let mut clients = Vec::new();
    let done: Arc<[AtomicU64; 6]> = Arc::default();
    for client in 0..6 {
        let (stop, done, mut connection) = (Arc::clone(&stop), Arc::clone(&done), database.connect().await);
        clients.push(tokio::spawn(async move {
            let (mut ids, mut repairs) = (Vec::new(), 0);
            while !stop.load(Ordering::Relaxed) {
                let repaired = retry_after_repair(&mut connection, InlineRepairLimits::default(), async |connection| {
                    let insert = "INSERT INTO t DEFAULT VALUES RETURNING id";
                    sqlx::query(insert).fetch_one(connection).await?.try_get::<i64, _>(0)
                });
                let repaired = repaired.await.unwrap();
                ids.push(repaired.value);
                done[client].fetch_add(1, Ordering::Relaxed);
                repairs += repaired.repairs.len();
                if client < 3 {
                    sqlx::query("DELETE FROM t WHERE id = $1")
                        .bind(repaired.value)
                        .execute(&mut connection)
                        .await
                        .unwrap();
                }
            }
            (ids, repairs)
        }));
    }
    for _ in 0..30 {
        let before = database.number("SELECT last_value FROM t_id_seq").await;
        let ahead =
            format!("INSERT INTO t SELECT generate_series({before} + 10, {before} + 200) ON CONFLICT DO NOTHING");
        database.sql(&ahead).await;
        database.wait_until(&format!("SELECT last_value > {before} + 250 FROM t_id_seq")).await;
        // No insert meets more than two drifts: it gives up after four.
        let counts = || done.iter().map(|count| count.load(Ordering::Relaxed)).collect::<Vec<_>>();
        let begun = counts();
        wait_for("an insert of each client", || {
            counts().iter().zip(&begun).all(|(now, before)| now > before).then_some(())
        });
    }
    stop.store(true, Ordering::Relaxed);
    let (mut given, mut all, mut repaired) = (BTreeSet::new(), 0, 0);
    for client in clients {
        let (ids, repairs) = client.await.unwrap();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        all += ids.len();
        repaired += repairs;
        given.extend(ids);
    }
    println!("{all} inserts, {repaired} repairs");
    assert_eq!(given.len(), all, "an id was handed out twice");
    assert!(repaired >= 30, "only {repaired} repairs");
    assert_eq!(monitor.await.unwrap(), []);
}
