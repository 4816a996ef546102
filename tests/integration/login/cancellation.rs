//! A login that is dropped at any of its awaits leaves neither a transaction nor settings to the connection's next user, and
//! how many round trips a login takes.

use super::LOGIN;
use super::store::migrated;
use crate::support::{Database, Proxy, server};
use pgmedic_login::{
    InlineRepairLimits, SessionStore, SessionTable, repair_after, retry_after_repair, retry_statement_after_repair,
};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{Connection, Row};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

/// Polls a future so many times at most, and then drops it.
pub(super) struct Polled<F> {
    pub future: F,
    pub left: usize,
}

impl<F: Future + Unpin> Future for Polled<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        Pin::new(&mut self.future).poll(context).map(Some)
    }
}

/// Drops the login after 0, 1, 2, … polls until it ends before. Each time, the pool's only connection must be as before.
async fn is_safe_to_drop<T>(database: &mut Database, pool: &PgPool, mut login: impl AsyncFnMut() -> T) {
    for polls in 0.. {
        database.sql("SELECT setval('user_sessions_session_id_seq', 1, false)").await;
        let ended = Polled { future: pin!(login()), left: polls }.await;
        // Outside a transaction, both are the time of this message.
        let state = "SELECT statement_timestamp() = transaction_timestamp() AND current_setting('lock_timeout') = '0'
                            AND current_setting('search_path') LIKE '%public%'";
        let state = sqlx::raw_sql(state).fetch_one(pool).await.unwrap_or_else(|error| panic!("after {polls}: {error}"));
        assert!(state.get::<bool, _>(0), "dropped after {polls} polls");
        if ended.is_some() {
            assert!(polls > 3, "only {polls} polls");
            return;
        }
    }
}

async fn pool(database: &Database) -> PgPool {
    PgPoolOptions::new().max_connections(1).connect(database.url()).await.unwrap()
}

#[tokio::test]
async fn a_session_whose_login_is_dropped_leaves_the_connection_as_it_was() {
    let mut database = migrated().await;
    database
        .sql(
            "INSERT INTO user_sessions (session_id, user_id, token_hash, expires_at)
                  SELECT id, 2, sha256(id::text::bytea), now() + interval '1 day' FROM generate_series(1, 20) AS id",
        )
        .await;
    let pool = pool(&database).await;
    let store = SessionStore::open(pool.clone(), SessionTable::default()).await.unwrap();
    is_safe_to_drop(&mut database, &pool, async || store.create_session(1, Duration::from_secs(60)).await.unwrap())
        .await;
}

#[tokio::test]
async fn an_insert_that_is_dropped_leaves_the_connection_as_it_was() {
    let mut database = super::drifted().await;
    let pool = pool(&database).await;
    let limits = InlineRepairLimits::default();
    is_safe_to_drop(&mut database, &pool, async || {
        let login = async |connection: &mut sqlx::PgConnection| sqlx::query(LOGIN).execute(connection).await;
        retry_after_repair(&pool, limits, login).await.unwrap()
    })
    .await;
    is_safe_to_drop(&mut database, &pool, async || {
        let login = async |connection: &mut sqlx::PgConnection| sqlx::query(LOGIN).execute(connection).await;
        let mut connection = pool.acquire().await.unwrap();
        retry_after_repair(&mut *connection, limits, login).await.unwrap()
    })
    .await;
    is_safe_to_drop(&mut database, &pool, async || {
        let login = async |connection: &mut sqlx::PgConnection| sqlx::query(LOGIN).execute(connection).await;
        retry_statement_after_repair(&pool, limits, login).await.unwrap()
    })
    .await;
    is_safe_to_drop(&mut database, &pool, async || {
        let mut connection = pool.acquire().await.unwrap();
        let error = sqlx::raw_sql(LOGIN).execute(&mut *connection).await.unwrap_err();
        repair_after(&mut connection, &error, limits).await.unwrap()
    })
    .await;
}

#[tokio::test]
async fn a_login_of_the_session_store_takes_two_round_trips() {
    let database = migrated().await;
    let proxy = Proxy::to(&server().tcp_url(&database.name).unwrap());
    let options = PgPoolOptions::new().max_connections(1).test_before_acquire(false);
    let pool = options.connect(proxy.url()).await.unwrap();
    let store = SessionStore::open(pool, SessionTable::default()).await.unwrap();
    for user in [1, 2, 1] {
        store.create_session(user, Duration::from_secs(60)).await.unwrap();
        // Returning the connection to the pool takes one more, after the login has ended.
        assert!(store.find("none").await.unwrap().is_none());
        let before = proxy.round_trips();
        store.create_session(user, Duration::from_secs(60)).await.unwrap();
        let taken = proxy.round_trips() - before;
        assert!(taken <= 3, "{taken} round trips");
    }
}

#[tokio::test]
async fn a_retried_insert_takes_as_many_round_trips_as_a_transaction() {
    let database = super::drifted().await;
    let proxy = Proxy::to(&server().tcp_url(&database.name).unwrap());
    let mut connection = sqlx::PgConnection::connect(proxy.url()).await.unwrap();
    let limits = InlineRepairLimits::default();
    let login = async |connection: &mut sqlx::PgConnection| sqlx::raw_sql(LOGIN).execute(connection).await;
    retry_after_repair(&mut connection, limits, login).await.unwrap();
    let before = proxy.round_trips();
    let outcome = retry_after_repair(&mut connection, limits, login).await.unwrap();
    assert_eq!((outcome.attempts, proxy.round_trips() - before), (1, 3), "BEGIN, INSERT, COMMIT");
}
