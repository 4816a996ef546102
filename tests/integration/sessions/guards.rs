//! Guards of a single pass: held, said, and let through once by name.

use super::{by_expiry, filled, left, logins, run_fix};
use crate::support::Database;
use serde_json::json;

#[tokio::test]
async fn a_sweep_that_would_leave_no_live_session_is_held_until_it_is_approved_by_name() {
    let mut database = filled(101, 0).await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(3);
    outcome.swept("logins", json!({ "expired": 0, "stale": 101, "live": 0, "error": null }));
    outcome.store_says("logins", "held", &["all 101 sessions would go", "--approve logins"]);
    assert_eq!(left(&mut database).await, 101);
    let other = database.once_with(&by_expiry(""), &["--approve", "others"]).exits(3);
    assert!(other.stderr.contains("--approve others"), "{}", other.stderr);
    assert_eq!(outcome.store_kinds("logins", "held"), ["none_left"]);
    let approve = format!("{} --format json", outcome.store_fix("logins", "held"));
    let approved = run_fix(&database, "postgres", &by_expiry(""), &approve).exits(0);
    approved.swept("logins", json!({ "expired": 101, "held": null }));
    assert!(!approved.stderr.contains("--approve"), "{}", approved.stderr);
    assert_eq!(left(&mut database).await, 0);
}

#[tokio::test]
async fn the_approval_of_an_awkward_name_is_quoted_for_the_shell() {
    let mut database = filled(101, 0).await;
    let name = "it's $(mine); exit 9";
    let settings = by_expiry("").replace("\"logins\"", &format!("\"{name}\""));
    let approve = database.once_with(&settings, &[]).exits(3).store_fix(name, "held");
    run_fix(&database, "postgres", &settings, &approve).exits(0);
    assert_eq!(left(&mut database).await, 0);
}

#[tokio::test]
async fn a_single_session_is_no_fewer_and_a_ratio_of_1_lets_all_go() {
    let mut database = filled(1, 0).await;
    for arguments in [&[][..], &["--dry-run"]] {
        database.once_with(&by_expiry(""), arguments).exits(3).store_says(
            "logins",
            "held",
            &["all 1 sessions would go"],
        );
    }
    let all = by_expiry("max_ended_ratio = 1");
    database.once_with(&all, &[]).exits(0).swept("logins", json!({ "expired": 1, "held": null }));
    assert_eq!(left(&mut database).await, 0);
}

/// The creation time of a session, configured as its end: sessions of the last minute seem to be live.
#[tokio::test]
async fn a_column_that_never_lies_ahead_ends_no_session() {
    let mut database = filled(150, 0).await;
    database.sql("UPDATE sessions SET created_at = now() - (id % 200) * interval '10 seconds'").await;
    database.sql("ALTER TABLE sessions ALTER created_at DROP DEFAULT").await;
    let wrong = logins("expires_at = \"created_at\"\nencoding = \"timestamptz\"");
    database.once_with(&wrong, &[]).exits(3).store_says("logins", "held", &["when a session was last used"]);
    assert_eq!(left(&mut database).await, 150);
}

#[tokio::test]
async fn seconds_read_as_milliseconds_are_held_however_few() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE sessions (id int, expires_at bigint);
             INSERT INTO sessions SELECT n, extract(epoch FROM now())::bigint + 3600 FROM generate_series(1, 5) AS n",
        )
        .await;
    let read_as = |encoding: &str| logins(&format!("expires_at = \"expires_at\"\nencoding = \"{encoding}\""));
    let outcome = database.once_with(&read_as("epoch-millis"), &[]).exits(3);
    outcome.swept("logins", json!({ "expired": 0, "error": null }));
    outcome.store_says("logins", "held", &["expires_at = expires_at", "look like seconds"]);
    assert_eq!(outcome.store_kinds("logins", "held"), ["implausible"]);
    database.once_with(&read_as("epoch-seconds"), &[]).exits(0).swept("logins", json!({ "live": 5 }));
    database.sql("UPDATE sessions SET expires_at = expires_at * 1000").await;
    let outcome = database.once_with(&read_as("epoch-seconds"), &[]).exits(3);
    outcome.store_says("logins", "held", &["look like milliseconds"]);
    assert_eq!(left(&mut database).await, 5);
}

#[tokio::test]
async fn seconds_among_milliseconds_are_held() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE sessions (id int, expires_at bigint);
             INSERT INTO sessions SELECT n, (extract(epoch FROM now())::bigint + 3600) * CASE WHEN n < 50 THEN 1000 ELSE 1 END
             FROM generate_series(1, 200) AS n",
        )
        .await;
    let settings = logins("expires_at = \"expires_at\"\nencoding = \"epoch-millis\"");
    database.once_with(&settings, &[]).exits(3).store_says("logins", "held", &["before the year 2000"]);
    assert_eq!(left(&mut database).await, 200);
}

#[tokio::test]
async fn birthdays_are_no_ends_and_ends_are_no_activity() {
    let mut database = filled(3, 3).await;
    database.sql("ALTER TABLE sessions ADD born timestamptz; UPDATE sessions SET born = '2001-02-03'").await;
    let wrong = logins("expires_at = \"born\"\nencoding = \"timestamptz\"");
    database.once_with(&wrong, &[]).exits(3).store_says("logins", "held", &["expires_at = born", "years back"]);
    database.sql("UPDATE sessions SET expires_at = now() + interval '14 days'").await;
    let wrong = logins("last_activity = \"expires_at\"\nidle_timeout = \"30m\"\nencoding = \"timestamptz\"");
    database.once_with(&wrong, &[]).exits(3).store_says("logins", "held", &["lie in the future"]);
    assert_eq!(left(&mut database).await, 6);
}

#[tokio::test]
async fn a_few_rows_that_never_end_are_no_sign_of_life() {
    let mut database = filled(500, 0).await;
    database.sql("INSERT INTO sessions (expires_at) VALUES (NULL)").await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(3);
    outcome.store_says("logins", "held", &["none be left"]);
    database.sql("INSERT INTO sessions (expires_at) SELECT NULL FROM generate_series(1, 100)").await;
    database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 500, "live": 101 }));
}

#[tokio::test]
async fn a_time_before_the_year_2000_ends_no_session() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE sessions (expires_at bigint); CREATE INDEX ON sessions (expires_at);
             INSERT INTO sessions SELECT (extract(epoch FROM now()) * 1000)::bigint + 3600000 FROM generate_series(1, 20);
             INSERT INTO sessions SELECT (extract(epoch FROM now()) * 1000)::bigint - 3600000 FROM generate_series(1, 5);
             INSERT INTO sessions SELECT extract(epoch FROM now())::bigint + 3600 FROM generate_series(1, 80)",
        )
        .await;
    let settings = logins("expires_at = \"expires_at\"\nencoding = \"epoch-millis\"");
    database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "expired": 5, "live": 100 }));
    assert_eq!(left(&mut database).await, 100);
}
