//! `max_per_user`: older sessions of a user go, the newest never.

use super::{by_expiry, left, logins};
use crate::support::Database;
use serde_json::json;
use sqlx::Connection;
use sqlx::postgres::PgConnection;

/// `users` with as many sessions each as their number, made one minute apart.
async fn users(users: u32) -> Database {
    let mut database = Database::new().await;
    database
        .sql(&format!(
            "CREATE TABLE sessions (id serial PRIMARY KEY, user_id integer, expires_at timestamptz, created_at timestamptz);
             CREATE INDEX ON sessions (expires_at);
             INSERT INTO sessions (user_id, expires_at, created_at)
             SELECT u, now() + interval '1 day', now() - n * interval '1 minute'
             FROM generate_series(1, {users}) AS u, generate_series(1, u) AS n"
        ))
        .await;
    database
}

const NEWEST: &str = "user = \"user_id\"\ncreated_at = \"created_at\"\n";

#[tokio::test]
async fn each_user_keeps_the_newest() {
    let mut database = users(12).await;
    let settings = by_expiry(&format!("{NEWEST}max_per_user = 2\nbatch_size = 5"));
    let outcome = database.once_with(&settings, &[]).exits(0);
    outcome.swept("logins", json!({ "expired": 0, "superseded": 55, "live": 23, "remaining": 23 }));
    let kept = "SELECT count(*) FROM sessions WHERE created_at >= now() - interval '2 minutes 30 seconds'";
    assert_eq!((left(&mut database).await, database.number(kept).await), (23, 23));
    database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "superseded": 0 }));
}

#[tokio::test]
async fn of_equal_age_none_is_ended_and_a_null_is_no_user() {
    let mut database = users(0).await;
    database
        .sql(
            "INSERT INTO sessions (user_id, expires_at, created_at)
             SELECT u, now() + interval '1 day', '2026-01-01' FROM (VALUES (1), (1), (1), (NULL), (NULL)) AS v (u);
             INSERT INTO sessions (user_id, expires_at, created_at)
             VALUES (2, now() + interval '1 day', NULL), (2, now() + interval '1 day', '2026-01-02')",
        )
        .await;
    let settings = by_expiry(&format!("{NEWEST}max_per_user = 1"));
    database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "superseded": 0, "live": 7 }));
}

#[tokio::test]
async fn a_session_without_a_time_or_of_a_clock_that_is_ahead_ends_no_other() {
    let mut database = users(0).await;
    database
        .sql(
            "INSERT INTO sessions (user_id, expires_at, created_at)
             SELECT u, now() + interval '1 day', made
             FROM (VALUES (1, NULL), (2, now() + interval '4 minutes')) AS old (u, made)
             UNION ALL
             SELECT u, now() + interval '1 day', now() - n * interval '1 minute'
             FROM generate_series(1, 2) AS u, generate_series(0, 1) AS n",
        )
        .await;
    let settings = by_expiry(&format!("{NEWEST}max_per_user = 1"));
    database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "superseded": 2, "live": 4 }));
    let login = "SELECT count(*) FROM sessions WHERE created_at BETWEEN now() - interval '50 seconds' AND now()";
    assert_eq!(database.number(login).await, 2, "both who have just logged in still are");
}

#[tokio::test]
async fn a_user_who_stands_for_many_is_held() {
    let mut database = users(0).await;
    database
        .sql(
            "INSERT INTO sessions (user_id, expires_at, created_at)
             SELECT CASE WHEN n <= 150 THEN 0 ELSE n END, now() + interval '1 day', now() - n * interval '1 second'
             FROM generate_series(1, 1000) AS n",
        )
        .await;
    let settings = by_expiry(&format!("{NEWEST}max_per_user = 1"));
    let outcome = database.once_with(&settings, &[]).exits(3);
    outcome.store_says("logins", "held", &["149 sessions of one user alone", "`user`"]);
    assert_eq!(outcome.store_kinds("logins", "held"), ["too_many_of_one_user"]);
    assert_eq!(left(&mut database).await, 1000);
}

#[tokio::test]
async fn a_session_that_becomes_the_newest_meanwhile_stays() {
    let mut database = users(2).await;
    let mut other = database.connect().await;
    // The user comes back in the older session, in a transaction that the sweep cannot see yet.
    let touch = "BEGIN; UPDATE sessions SET created_at = now() WHERE user_id = 2 AND created_at < now() - interval '90 seconds'";
    sqlx::raw_sql(touch).execute(&mut other).await.unwrap();
    let settings = by_expiry(&format!("{NEWEST}max_per_user = 1"));
    let outcome = database.once_with(&settings, &[]).exits(3);
    outcome.swept("logins", json!({ "superseded": 0, "live": 3 }));
    outcome.store_says("logins", "warnings", &["1 of the live sessions beyond their users' newest 1"]);
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "superseded": 1, "live": 2 }));
    let newest = "SELECT count(*) FROM sessions WHERE user_id = 2 AND created_at > now() - interval '30 seconds'";
    assert_eq!(database.number(newest).await, 1);
}

#[tokio::test]
async fn a_column_that_is_the_same_for_all_is_held() {
    let mut database = users(20).await;
    database.sql("ALTER TABLE sessions ADD tenant int; UPDATE sessions SET tenant = 1").await;
    let wrong = by_expiry("user = \"tenant\"\ncreated_at = \"created_at\"\nmax_per_user = 1");
    let outcome = database.once_with(&wrong, &[]).exits(3);
    outcome.store_says("logins", "held", &["max_per_user would end 190 sessions of one user alone", "`user`"]);
    assert_eq!(left(&mut database).await, 210);
    database.once_with(&wrong, &["--approve", "logins"]).exits(0).swept("logins", json!({ "superseded": 190 }));
}

#[tokio::test]
async fn without_a_creation_time_it_is_refused() {
    let database = users(0).await;
    let settings =
        logins("expires_at = \"expires_at\"\nencoding = \"timestamptz\"\nuser = \"user_id\"\nmax_per_user = 1");
    let outcome = database.once_with(&settings, &[]).exits(2);
    assert!(outcome.stderr.contains("sessions[0].created_at"), "{}", outcome.stderr);
}

#[tokio::test]
async fn in_partitions_the_same_address_is_another_session() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE sessions (part int, user_id int, expires_at timestamptz, created_at timestamptz) PARTITION BY LIST (part);
             CREATE TABLE one PARTITION OF sessions FOR VALUES IN (1);
             CREATE TABLE two PARTITION OF sessions FOR VALUES IN (2);
             -- In one, users have two sessions each, the newer second; in two, each session is a user's only one.
             INSERT INTO sessions SELECT 1, n / 2, now() + interval '1 day', now() + (n - 90) * interval '1 minute'
             FROM generate_series(0, 39) AS n;
             INSERT INTO sessions SELECT 2, 100 + n, now() + interval '1 day', now() - interval '1 hour'
             FROM generate_series(0, 39) AS n",
        )
        .await;
    let settings = by_expiry(&format!("{NEWEST}max_per_user = 1\nbatch_size = 7"));
    database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "superseded": 20, "live": 60 }));
    assert_eq!(database.number("SELECT count(*) FROM two").await, 40);
    assert_eq!(database.number("SELECT count(DISTINCT user_id) FROM one").await, 20);
}

/// Where a foreign key makes the first batches small.
#[tokio::test]
async fn a_session_that_another_transaction_has_locked_does_not_stop_the_others() {
    let mut database = users(12).await;
    database
        .sql("CREATE TABLE notes (session int REFERENCES sessions ON DELETE CASCADE); CREATE INDEX ON notes (session)")
        .await;
    let mut other = PgConnection::connect(database.url()).await.unwrap();
    let lock = "BEGIN; SELECT FROM sessions WHERE user_id = 2 ORDER BY created_at LIMIT 1 FOR UPDATE";
    sqlx::raw_sql(lock).execute(&mut other).await.unwrap();
    let settings = by_expiry(&format!("{NEWEST}max_per_user = 1\nmax_ended_ratio = 1"));
    let outcome = database.once_with(&settings, &[]).exits(3);
    outcome.swept("logins", json!({ "superseded": 65, "error": null, "takes_along": ["public.notes"] }));
    let left = "1 of the live sessions beyond their users' newest 1 (max_per_user) were locked by other transactions";
    outcome.store_says("logins", "warnings", &[left]);
    assert_eq!(outcome.store_kinds("logins", "warnings"), ["unfinished"]);
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "superseded": 1 }));
}
