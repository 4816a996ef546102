//! `retry_after_repair`, `Attempt` and `SessionStore` inside `tokio::spawn` and inside an axum handler, each with
//! captured variables. Both need futures that are `Send`, so that this file compiles only if they are.
//!
//! The functions then run against a PostgreSQL server whose sequence is behind.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use pgmedic_login::sqlx::postgres::PgPool;
use pgmedic_login::sqlx::{self, AssertSqlSafe};
use pgmedic_login::{Attempt, AttemptOutcome, InlineRepairLimits, SessionStore, SessionTable, retry_after_repair};
use pgmedic_testserver::{ServerOptions, TestServer};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const INSERT: &str = "INSERT INTO user_sessions (user_id, token_hash, expires_at)
                      VALUES ($1, $2, now() + interval '1 hour') RETURNING session_id";

const HOUR: Duration = Duration::from_secs(3600);

#[derive(Clone)]
struct App {
    pool: PgPool,
    store: Arc<SessionStore>,
}

fn spawn_retry(app: App, user: i64, token: String) -> JoinHandle<i64> {
    tokio::spawn(async move {
        let outcome = retry_after_repair(&app.pool, InlineRepairLimits::default(), async move |connection| {
            let insert = sqlx::query_scalar::<_, i64>(INSERT).bind(user).bind(token.as_bytes());
            insert.fetch_one(connection).await
        });
        outcome.await.unwrap().value
    })
}

async fn handle_retry(State(app): State<App>, Path((user, token)): Path<(i64, String)>) -> String {
    let outcome = retry_after_repair(&app.pool, InlineRepairLimits::default(), async move |connection| {
        let insert = sqlx::query_scalar::<_, i64>(INSERT).bind(user).bind(token.as_bytes());
        insert.fetch_one(connection).await
    });
    outcome.await.unwrap().value.to_string()
}

fn spawn_attempt(app: App, user: i64, token: String) -> JoinHandle<i64> {
    tokio::spawn(async move { attempt(&app.pool, user, &token).await })
}

async fn handle_attempt(State(app): State<App>, Path((user, token)): Path<(i64, String)>) -> String {
    attempt(&app.pool, user, &token).await.to_string()
}

/// Borrows the token, which an `async move` closure would have to own.
async fn attempt(pool: &PgPool, user: i64, token: &str) -> i64 {
    let mut attempt = Attempt::begin(pool, InlineRepairLimits::default()).await.unwrap();
    loop {
        let insert = sqlx::query_scalar::<_, i64>(INSERT).bind(user).bind(token.as_bytes());
        let result = insert.fetch_one(attempt.connection()).await;
        match attempt.end(result).await.unwrap() {
            AttemptOutcome::Done(outcome) => return outcome.value,
            AttemptOutcome::Retry(next) => attempt = next,
        }
    }
}

fn spawn_store(app: App, user: i64) -> JoinHandle<i64> {
    tokio::spawn(async move {
        let login = app.store.create_session(user, HOUR).await.unwrap();
        let session = app.store.find(login.token.expose()).await.unwrap().unwrap();
        assert!(app.store.touch(login.token.expose(), HOUR).await.unwrap().is_some());
        session.id
    })
}

async fn handle_store(State(app): State<App>, Path((user, _)): Path<(i64, String)>) -> String {
    let login = app.store.create_session(user, HOUR).await.unwrap();
    assert!(app.store.revoke(login.token.expose()).await.unwrap());
    assert_eq!(app.store.revoke_all(user).await.unwrap(), 0);
    login.id.to_string()
}

fn router(app: App) -> Router {
    Router::new()
        .route("/retry/{user}/{token}", post(handle_retry))
        .route("/attempt/{user}/{token}", post(handle_attempt))
        .route("/store/{user}/{token}", post(handle_store))
        .with_state(app)
}

/// Twenty sessions of user 1, and a sequence that starts before them.
const DRIFT: &str = "
    INSERT INTO user_sessions (session_id, user_id, token_hash, expires_at)
    SELECT id, 1, sha256(id::text::bytea), now() + interval '1 day' FROM generate_series(1, 20) AS id";

const SET_BACK: &str = "SELECT setval(pg_get_serial_sequence('user_sessions', 'session_id'), 1, false)";

async fn execute(pool: &PgPool, statements: &str) {
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(pool).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spawned_tasks_and_axum_handlers_get_an_id_beyond_the_taken_ones() {
    let server = TestServer::start(&ServerOptions::default()).unwrap_or_else(|error| panic!("{error}"));
    let pool = PgPool::connect(&server.url("postgres")).await.unwrap();
    execute(&pool, "CREATE TABLE users (id bigint PRIMARY KEY); INSERT INTO users VALUES (1), (2)").await;
    execute(&pool, include_str!("../../../docs/migrations/user_sessions.sql")).await;
    execute(&pool, DRIFT).await;
    let store = Arc::new(SessionStore::open(pool.clone(), SessionTable::default()).await.unwrap());
    let app = App { pool: pool.clone(), store };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let web_server = tokio::spawn(axum::serve(listener, router(app.clone())).into_future());

    let mut last = 20;
    for name in ["retry", "attempt", "store"] {
        execute(&pool, SET_BACK).await;
        let spawned = match name {
            "retry" => spawn_retry(app.clone(), 2, name.to_owned()),
            "attempt" => spawn_attempt(app.clone(), 2, name.to_owned()),
            _ => spawn_store(app.clone(), 2),
        };
        let id = spawned.await.unwrap();
        assert!(id > last, "{name}: {id} after {last}");
        last = id;

        execute(&pool, SET_BACK).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("POST /{name}/2/handler-{name} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{name}: {response}");
        let id = body.parse().unwrap();
        assert!(id > last, "{name}: {id} after {last}");
        last = id;
    }
    web_server.abort();
    pool.close().await;
}
