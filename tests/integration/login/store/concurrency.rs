//! Concurrent logins: as many sessions stay as are allowed, also while the sequence is set back, and through a pooler.

use super::{HOUR, live, migrated};
use crate::support::{Database, Pooler, server};
use pgmedic_login::{SessionStore, SessionTable, UserLock};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// 480 logins of three users in 8 tasks. With `saboteur`, another session keeps setting the sequence back.
async fn many_logins(database: &mut Database, pool: PgPool, table: SessionTable, saboteur: bool) {
    let per_user = i64::from(table.max_sessions_per_user.get());
    let store = Arc::new(SessionStore::open(pool, table).await.unwrap());
    let done = Arc::new(AtomicBool::new(false));
    let logins = Arc::new(AtomicUsize::new(0));
    let sabotage = {
        let (done, logins, mut connection) = (Arc::clone(&done), Arc::clone(&logins), database.connect().await);
        tokio::spawn(async move {
            let mut times = 0;
            while saboteur && !done.load(Ordering::Relaxed) {
                let back = "SELECT setval('user_sessions_session_id_seq', 2950)";
                sqlx::query(back).execute(&mut connection).await.unwrap();
                times += 1;
                // At most once in 20 logins, or a login may run out of retries.
                let enough = logins.load(Ordering::Relaxed) + 20;
                while logins.load(Ordering::Relaxed) < enough && !done.load(Ordering::Relaxed) {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
            times
        })
    };
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let (store, logins) = (Arc::clone(&store), Arc::clone(&logins));
            tokio::spawn(async move {
                let mut repairs = 0;
                for login in 0..60 {
                    let login = store.create_session((task + login) % 3 + 1, HOUR).await.unwrap();
                    repairs += login.repairs.len();
                    logins.fetch_add(1, Ordering::Relaxed);
                }
                repairs
            })
        })
        .collect();
    let mut repairs = 0;
    for task in tasks {
        repairs += task.await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    let sabotages = sabotage.await.unwrap();
    println!("{sabotages} sabotages, {repairs} repairs");
    assert_eq!(saboteur, repairs > 0);
    for user in 1..=3 {
        let left = format!("SELECT count(*) FROM user_sessions WHERE user_id = {user} AND expires_at > now()");
        assert_eq!(database.number(&left).await, per_user, "user {user}");
    }
}

async fn pool(url: &str) -> PgPool {
    // PgBouncer rejects this parameter.
    let options = PgConnectOptions::from_str(url).unwrap().extra_float_digits(None);
    PgPoolOptions::new().max_connections(8).connect_with(options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_logins_leave_exactly_as_many_sessions_as_allowed() {
    for (per_user, lock) in [(1, None), (3, Some(UserLock::Advisory))] {
        let mut database = migrated().await;
        let pool = pool(database.url()).await;
        let table = live(per_user).with_lock(lock.unwrap_or(SessionTable::default().lock));
        many_logins(&mut database, pool, table, false).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_logins_succeed_while_the_sequence_is_set_back() {
    let mut database = migrated().await;
    let pool = pool(database.url()).await;
    // The sequence is set back among the ids of these sessions.
    database
        .sql(
            "INSERT INTO user_sessions SELECT id, 5, sha256(id::text::bytea), now(), now() + interval '1 day'
             FROM generate_series(1, 3000) AS id",
        )
        .await;
    many_logins(&mut database, pool, live(1), true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_logins_through_a_pooler_leave_as_many_sessions_as_allowed() {
    let mut database = migrated().await;
    let pooler = Pooler::start(server(), "transaction");
    let pool = pool(&pooler.url(&database.name)).await;
    many_logins(&mut database, pool.clone(), live(2), false).await;
    let store = SessionStore::open(pool.clone(), live(2)).await.unwrap();
    let login = store.create_session(1, HOUR).await.unwrap();
    assert!(store.find(login.token.expose()).await.unwrap().is_some());
    assert!(store.revoke(login.token.expose()).await.unwrap());
    pool.close().await;
}
