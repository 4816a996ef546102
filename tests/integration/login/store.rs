//! The session store: what a login writes, and what a token gives access to.

use super::expires_in;
use crate::support::{Database, Pooler, server};
use pgmedic_login::{CloseAction, SessionStore, SessionTable, SessionTableError, StoreError, UserLock};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

/// The migration of the documentation, with users 1 to 5.
async fn migrated() -> Database {
    migrated_with("CREATE TABLE users (id bigint PRIMARY KEY); INSERT INTO users SELECT generate_series(1, 5)").await
}

/// The migration of the documentation, with this table of users.
pub async fn migrated_with(users: &str) -> Database {
    let mut database = Database::new().await;
    database.sql(users).await;
    database.sql(include_str!("../../../docs/migrations/user_sessions.sql")).await;
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

#[tokio::test]
async fn a_table_that_does_not_fit_is_refused_and_the_error_names_what_is_missing() {
    let mut database = migrated().await;
    database.sql("CREATE TABLE bare (LIKE user_sessions); CREATE UNIQUE INDEX ON bare (token_hash, user_id)").await;
    let table = SessionTable::default;
    for (table, words) in [
        (table().with_table("public.nothing".parse().unwrap()), "no table public.nothing"),
        (table().with_user("uid"), "public.user_sessions has no column \"uid\""),
        (
            table().with_expires_at("user_id"),
            "public.user_sessions.user_id is bigint; expected timestamp with time zone",
        ),
        (
            table().with_table("public.bare".parse().unwrap()),
            "CREATE UNIQUE INDEX CONCURRENTLY ON public.bare (token_hash)",
        ),
        (
            table().with_close(CloseAction::RevokedAt { column: "gone".to_owned() }),
            "public.user_sessions has no column \"gone\"",
        ),
    ] {
        let pool = PgPool::connect(database.url()).await.unwrap();
        let error = SessionStore::open(pool, table).await.unwrap_err();
        assert!(matches!(error, StoreError::UnusableTable(_)), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn the_fix_of_a_missing_index_lets_the_store_open() {
    let mut database = migrated().await;
    database.sql("CREATE TABLE bare (LIKE user_sessions)").await;
    let bare = SessionTable::default().with_table("public.bare".parse().unwrap());
    let pool = PgPool::connect(database.url()).await.unwrap();
    let error = SessionStore::open(pool.clone(), bare.clone()).await.unwrap_err();
    let StoreError::UnusableTable(error @ SessionTableError::NoTokenIndex { .. }) = error else { panic!("{error:?}") };
    database.sql(&error.fix().unwrap()).await;
    SessionStore::open(pool, bare).await.unwrap();
}

#[tokio::test]
async fn an_index_that_would_fail_every_second_login_is_refused() {
    let mut database = migrated().await;
    let revoked = || CloseAction::RevokedAt { column: "revoked_at".to_owned() };
    let unique = "ALTER TABLE user_sessions ADD CONSTRAINT one UNIQUE (user_id)";
    for (index, close, expected) in [
        (
            "CREATE UNIQUE INDEX one ON user_sessions (user_id)",
            CloseAction::Delete,
            "inserted before the older are deleted",
        ),
        (&format!("{unique} DEFERRABLE"), CloseAction::Delete, "inserted before the older are deleted"),
        (&format!("{unique} DEFERRABLE INITIALLY DEFERRED"), revoked(), "rows stay"),
        (&format!("{unique} DEFERRABLE INITIALLY DEFERRED"), CloseAction::Delete, ""),
        ("CREATE UNIQUE INDEX one ON user_sessions (user_id) WHERE revoked_at IS NULL", revoked(), ""),
        ("CREATE UNIQUE INDEX one ON user_sessions (user_id, created_at)", CloseAction::Delete, ""),
    ] {
        database.sql("ALTER TABLE user_sessions DROP CONSTRAINT IF EXISTS one; DROP INDEX IF EXISTS one").await;
        database.sql(index).await;
        let pool = PgPool::connect(database.url()).await.unwrap();
        match SessionStore::open(pool, SessionTable::default().with_close(close)).await {
            Ok(store) => {
                assert_eq!(expected, "", "{index}");
                store.create_session(1, HOUR).await.unwrap();
                assert_eq!(store.create_session(1, HOUR).await.unwrap().closed, 1, "{index}");
                database.sql("DELETE FROM user_sessions").await;
            }
            Err(error) => {
                let error = error.to_string();
                assert!(!expected.is_empty() && error.contains(expected) && error.contains("one lets each"), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn any_names_and_any_type_of_user_key_work() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SCHEMA \"my 'app\"; CREATE TABLE \"my 'app\".\"S\"\"essions\" (
                 \"the id\" serial PRIMARY KEY, \"who?\" text, \"hash\\\" bytea UNIQUE, \"from\" timestamptz,
                 \"until\" timestamptz);
             INSERT INTO \"my 'app\".\"S\"\"essions\" VALUES (1), (2), (3);
             CREATE FUNCTION public.never(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
             CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.never);",
        )
        .await;
    let role = database.role("app");
    database
        .sql(&format!(
            "CREATE ROLE {role} LOGIN; ALTER ROLE {role} SET search_path = public, pg_catalog;
             ALTER ROLE {role} SET standard_conforming_strings = off; GRANT USAGE ON SCHEMA \"my 'app\" TO {role};
             GRANT ALL ON ALL TABLES IN SCHEMA \"my 'app\" TO {role};
             GRANT ALL ON ALL SEQUENCES IN SCHEMA \"my 'app\" TO {role}"
        ))
        .await;
    let table = SessionTable::default()
        .with_table("\"my 'app\".\"S\"\"essions\"".parse().unwrap())
        .with_id("the id")
        .with_user("who?")
        .with_token_hash("hash\\")
        .with_created_at("from")
        .with_expires_at("until")
        .with_lock(UserLock::Advisory);
    let store = SessionStore::open(PgPool::connect(&database.url_as(&role)).await.unwrap(), table).await.unwrap();
    let user = "o'brien\\ ; --";
    let first = store.create_session(user, HOUR).await.unwrap();
    assert_eq!((first.id, first.repairs.len()), (4, 1));
    let second = store.create_session(user, HOUR).await.unwrap();
    assert_eq!((second.id, second.closed), (5, 1));
    assert_eq!(store.find(second.token.expose()).await.unwrap().unwrap().user, user);
    assert!(store.touch(second.token.expose(), HOUR).await.unwrap().is_some());
    assert_eq!(store.revoke_all(user).await.unwrap(), 1);
}

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
