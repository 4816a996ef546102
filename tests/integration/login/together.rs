//! Many at once, and through a pooler.

use super::{LOGIN, drifted};
use crate::support::{Pooler, server};
use pgmedic::login::{Limits, heal_and_retry};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection, Row};
use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;
use tokio::sync::Barrier;

/// All of them begin at once; the ids that they got.
async fn logins(pool: &PgPool, number: usize) -> Vec<i64> {
    let start = Arc::new(Barrier::new(number));
    let logins: Vec<_> = (0..number)
        .map(|_| {
            let (pool, start) = (pool.clone(), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                heal_and_retry(&pool, Limits::default(), async |connection| {
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
    // Nobody has burnt more than a value or so of those that were free.
    let next = database.nextval("user_sessions_session_id_seq").await;
    assert!(next <= 696 + 100 + 100, "{next}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_through_a_pooler_that_changes_servers_underneath() {
    let mut database = drifted().await;
    database.sql("ALTER SEQUENCE user_sessions_session_id_seq CACHE 5").await;
    database.sql("SELECT setval('user_sessions_session_id_seq', 658, false)").await;
    let pooler = Pooler::start(server(), "transaction");
    // PgBouncer knows no such parameter.
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
async fn a_session_that_was_overtaken_by_another_ones_repair_tries_again() {
    let mut database = drifted().await;
    let mut other = database.connect().await;
    let mut runs = 0;
    let healed = heal_and_retry(&mut database.connection, Limits::default(), async |connection| {
        runs += 1;
        let result = sqlx::query(LOGIN).fetch_one(connection).await;
        if runs == 1 {
            // Between our error and our look, somebody else mends.
            sqlx::query("SELECT setval('user_sessions_session_id_seq', 695)").execute(&mut other).await?;
        }
        result?.try_get::<i64, _>(0)
    });
    let healed = healed.await.unwrap();
    assert_eq!((healed.value, healed.runs, healed.repairs.len()), (696, 2, 0));
    other.close().await.unwrap();
}
