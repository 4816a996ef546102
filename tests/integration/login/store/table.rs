//! Which tables the session store accepts, and how it refuses the others.

use super::{HOUR, migrated};
use crate::support::Database;
use pgmedic_login::{CloseAction, SessionStore, SessionTable, SessionTableError, StoreError, UserLock};
use sqlx::postgres::PgPool;

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

/// The privileges that the crate's front page lists, and no others.
#[tokio::test]
async fn the_documented_privileges_are_enough() {
    let mut database = migrated().await;
    let role = database.role("app");
    database
        .sql(&format!(
            "ALTER TABLE users ADD seen_at timestamptz; CREATE ROLE {role} LOGIN;
             GRANT SELECT (id), UPDATE (seen_at) ON users TO {role};
             GRANT SELECT, INSERT, UPDATE, DELETE ON user_sessions TO {role};
             GRANT USAGE, SELECT ON SEQUENCE user_sessions_session_id_seq TO {role};
             INSERT INTO user_sessions SELECT id, 5, sha256(id::text::bytea), now(), now() + interval '1 day'
             FROM generate_series(1, 20) AS id"
        ))
        .await;
    let pool = PgPool::connect(&database.url_as(&role)).await.unwrap();
    let store = SessionStore::open(pool, SessionTable::default()).await.unwrap();
    let login = store.create_session(1, HOUR).await.unwrap();
    assert_eq!((login.id, login.repairs.len()), (21, 1));
    assert!(store.touch(login.token.expose(), HOUR).await.unwrap().is_some());
    assert_eq!(store.create_session(1, HOUR).await.unwrap().closed, 1);
    assert_eq!(store.revoke_all(1).await.unwrap(), 1);
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
