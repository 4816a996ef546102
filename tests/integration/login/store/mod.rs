//! The session store: what a login writes, and what a token gives access to.

mod concurrency;
mod table;

use super::expires_in;
use crate::support::Database;
use pgmedic_login::{CloseAction, SessionStore, SessionTable, StoreError};
use sqlx::postgres::PgPoolOptions;
use std::num::NonZeroU32;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

/// The migration of the documentation, with users 1 to 5.
pub async fn migrated() -> Database {
    migrated_with("CREATE TABLE users (id bigint PRIMARY KEY); INSERT INTO users SELECT generate_series(1, 5)").await
}

/// The migration of the documentation, with this table of users.
pub async fn migrated_with(users: &str) -> Database {
    let mut database = Database::new().await;
    database.sql(users).await;
    database.sql(include_str!("../../../../docs/migrations/user_sessions.sql")).await;
    database
}

async fn open(database: &Database, table: SessionTable) -> SessionStore {
    let pool = PgPoolOptions::new().max_connections(8).connect(database.url()).await.unwrap();
    SessionStore::open(pool, table).await.unwrap()
}

fn live(per_user: u32) -> SessionTable {
    SessionTable::default().with_max_sessions_per_user(NonZeroU32::new(per_user).unwrap())
}

#[tokio::test]
async fn a_login_gives_a_token_once_and_only_its_hash_is_kept() {
    let mut database = migrated().await;
    let store = open(&database, SessionTable::default()).await;
    let login = store.create_session(3, HOUR).await.unwrap();
    let session = store.find(login.token.expose()).await.unwrap().unwrap();
    assert_eq!((session.id, session.user.as_str(), login.closed), (login.id, "3", 0));
    expires_in(session.expires_in, HOUR);
    let hashes = format!("SELECT count(*) FROM user_sessions WHERE token_hash = sha256('{}')", login.token.expose());
    assert_eq!(database.number(&hashes).await, 1);
    let rows = format!("SELECT count(*) FROM user_sessions s WHERE s::text LIKE '%{}%'", login.token.expose());
    assert_eq!(database.number(&rows).await, 0);
    let shown = format!("{login:?} {session:?} {:?}", login.token);
    assert!(!shown.contains(login.token.expose()) && !shown.contains("id:"), "{shown}");
    for wrong in ["", "x'; DROP TABLE users; --", &"0".repeat(64)] {
        assert!(store.find(wrong).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_second_login_ends_the_first() {
    let mut database = migrated().await;
    let store = open(&database, SessionTable::default()).await;
    let first = store.create_session(1, HOUR).await.unwrap();
    let other = store.create_session(2, HOUR).await.unwrap();
    let second = store.create_session(1, HOUR).await.unwrap();
    assert_eq!(second.closed, 1);
    assert!(store.find(first.token.expose()).await.unwrap().is_none());
    assert!(store.find(second.token.expose()).await.unwrap().is_some());
    assert!(store.find(other.token.expose()).await.unwrap().is_some());
    assert_eq!(database.number("SELECT count(*) FROM user_sessions").await, 2);
}

#[tokio::test]
async fn the_id_of_the_session_that_a_login_ends_is_not_given_out_again() {
    let mut database = migrated().await;
    let store = open(&database, SessionTable::default()).await;
    let first = store.create_session(1, HOUR).await.unwrap();
    let sequence = "pg_get_serial_sequence('user_sessions', 'session_id')";
    database.sql(&format!("SELECT setval({sequence}, {}, false)", first.id)).await;
    let second = store.create_session(1, HOUR).await.unwrap();
    assert!(second.id > first.id, "{} after {}", second.id, first.id);
    assert_eq!(second.closed, 1);
    assert!(store.find(first.token.expose()).await.unwrap().is_none());
    assert!(store.find(second.token.expose()).await.unwrap().is_some());
}

#[tokio::test]
async fn the_newest_sessions_stay_and_expired_ones_do_not_count() {
    let mut database = migrated().await;
    let store = open(&database, live(2)).await;
    let mut logins = Vec::new();
    for _ in 0..3 {
        logins.push(store.create_session(1, HOUR).await.unwrap());
    }
    assert!(store.find(logins[0].token.expose()).await.unwrap().is_none());
    assert!(store.find(logins[1].token.expose()).await.unwrap().is_some());
    let expire = format!("UPDATE user_sessions SET expires_at = now() WHERE session_id = {}", logins[2].id);
    database.sql(&expire).await;
    assert!(store.find(logins[2].token.expose()).await.unwrap().is_none());
    assert!(
        store.touch(logins[2].token.expose(), HOUR).await.unwrap().is_none(),
        "a session that has ended stays ended"
    );
    store.create_session(1, HOUR).await.unwrap();
    assert!(store.find(logins[1].token.expose()).await.unwrap().is_some());
}

#[tokio::test]
async fn sessions_can_be_revoked_instead_of_deleted() {
    let mut database = migrated().await;
    database.sql("ALTER TABLE user_sessions ADD is_active boolean NOT NULL DEFAULT true").await;
    let closes = [
        CloseAction::RevokedAt { column: "revoked_at".to_owned() },
        CloseAction::Flag { column: "is_active".to_owned(), value: false },
    ];
    for close in closes {
        database.sql("TRUNCATE user_sessions").await;
        let store = open(&database, SessionTable::default().with_close(close)).await;
        let first = store.create_session(1, HOUR).await.unwrap();
        let second = store.create_session(1, HOUR).await.unwrap();
        assert_eq!(second.closed, 1);
        assert!(store.find(first.token.expose()).await.unwrap().is_none());
        assert!(store.revoke(second.token.expose()).await.unwrap());
        assert!(!store.revoke(second.token.expose()).await.unwrap());
        assert!(store.find(second.token.expose()).await.unwrap().is_none());
        assert!(store.touch(second.token.expose(), HOUR).await.unwrap().is_none());
        store.create_session(1, HOUR).await.unwrap();
        assert_eq!(store.revoke_all(1).await.unwrap(), 1);
        assert_eq!(database.number("SELECT count(*) FROM user_sessions").await, 3);
    }
}

#[tokio::test]
async fn touching_extends_a_session_up_to_max_age() {
    let database = migrated().await;
    let store = open(&database, SessionTable::default().with_max_age(2 * HOUR)).await;
    let login = store.create_session(1, HOUR / 2).await.unwrap();
    let token = login.token.expose();
    expires_in(store.touch(token, HOUR).await.unwrap().unwrap().expires_in, HOUR);
    expires_in(store.touch(token, 5 * HOUR).await.unwrap().unwrap().expires_in, 2 * HOUR);
    expires_in(store.find(token).await.unwrap().unwrap().expires_in, 2 * HOUR);
    let login = store.create_session(1, 9 * HOUR).await.unwrap();
    expires_in(store.find(login.token.expose()).await.unwrap().unwrap().expires_in, 2 * HOUR);
}

#[tokio::test]
async fn an_infinite_expiry_means_never() {
    let mut database = migrated().await;
    let store = open(&database, SessionTable::default()).await;
    let login = store.create_session(1, HOUR).await.unwrap();
    database.sql("UPDATE user_sessions SET expires_at = 'infinity'").await;
    assert_eq!(store.find(login.token.expose()).await.unwrap().unwrap().expires_in, Duration::MAX);
}

#[tokio::test]
async fn an_unknown_user_and_a_lifetime_of_zero_are_refused() {
    let database = migrated().await;
    let store = open(&database, SessionTable::default()).await;
    assert!(matches!(store.create_session(99, HOUR).await, Err(StoreError::UnknownUser)));
    assert!(matches!(store.revoke_all(99).await, Err(StoreError::UnknownUser)));
    assert!(matches!(store.create_session(1, Duration::ZERO).await, Err(StoreError::Lifetime(_))));
    let error = store.create_session("1; DROP TABLE users", HOUR).await.unwrap_err();
    assert!(error.to_string().contains("invalid input syntax"), "{error}");
}
