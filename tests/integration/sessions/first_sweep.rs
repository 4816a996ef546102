//! A first sweep, and so every sweep of a single run: there is nothing to compare with but the sessions themselves.

use super::{by_expiry, filled, left, logins};
use crate::support::Database;
use serde_json::json;

/// `session (sid, sess, expire)` of connect-pg-simple, written in Los Angeles.
async fn written_in_los_angeles(soon: u32, later: u32) -> Database {
    let mut database = Database::new().await;
    database
        .sql(&format!(
            "CREATE TABLE session (sid int PRIMARY KEY, sess json, expire timestamp(6) NOT NULL); CREATE INDEX ON session (expire);
             INSERT INTO session
             SELECT n, '{{}}', (now() + interval '7 hours' + n * interval '700 milliseconds') AT TIME ZONE 'America/Los_Angeles'
             FROM generate_series(1, {soon}) AS n;
             INSERT INTO session SELECT -n, '{{}}', (now() + interval '30 days') AT TIME ZONE 'America/Los_Angeles'
             FROM generate_series(1, {later}) AS n"
        ))
        .await;
    database
}

#[tokio::test]
async fn a_wrong_time_zone_ends_no_session_however_few_there_are() {
    for (soon, later, kind) in [(5000, 50, "first_sweep"), (5, 0, "none_left"), (2, 1, "first_sweep")] {
        let mut database = written_in_los_angeles(soon, later).await;
        for zone in ["Europe/Zurich", "Asia/Tokyo"] {
            let settings = format!("[[sessions]]\npreset = \"connect-pg-simple\"\ntime_zone = \"{zone}\"\n");
            let outcome = database.once_with(&settings, &[]).exits(3);
            assert_eq!(outcome.store_kinds("connect-pg-simple", "held"), [kind]);
            if kind == "first_sweep" {
                let text = format!("would end {soon} of {} sessions", soon + later);
                outcome.store_says("connect-pg-simple", "held", &[&text, "--approve 'connect-pg-simple'"]);
            }
            assert_eq!(database.number("SELECT count(*) FROM session").await, i64::from(soon + later));
        }
        let right = "[[sessions]]\npreset = \"connect-pg-simple\"\ntime_zone = \"America/Los_Angeles\"\n";
        database.once_with(right, &[]).exits(0).swept("connect-pg-simple", json!({ "expired": 0, "held": null }));
    }
}

#[tokio::test]
async fn a_backlog_of_more_than_a_day_is_over_in_any_time_zone() {
    let mut database = filled(900, 100).await;
    database
        .once_with(&by_expiry(""), &["--dry-run"])
        .exits(0)
        .swept("logins", json!({ "would_end": 900, "held": null }));
    database.sql("UPDATE sessions SET expires_at = expires_at + interval '30 hours' WHERE user_id <= 101 AND expires_at < now()").await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(3);
    outcome.store_says("logins", "held", &["would end 900 of 1000", "101 of them have been over for less than a day"]);
    database.sql("UPDATE sessions SET expires_at = expires_at - interval '30 hours' WHERE user_id = 101").await;
    database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 900, "live": 100 }));
}

/// As Gitea's `expiry` is.
#[tokio::test]
async fn an_end_whose_newest_value_is_the_last_minute_is_the_last_use() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE session (key char(16) PRIMARY KEY, data bytea, expiry bigint NOT NULL); CREATE INDEX ON session (expiry);
             INSERT INTO session SELECT n::text, '', extract(epoch FROM now())::bigint - 61 - 600 * n FROM generate_series(0, 89) AS n",
        )
        .await;
    let wrong = "[[sessions]]\nname = \"web\"\ntable = \"public.session\"\nexpires_at = \"expiry\"\nencoding = \"epoch-seconds\"\n";
    let outcome = database.once_with(wrong, &[]).exits(3);
    outcome.store_says("web", "held", &["expires_at = expiry", "when a session was last used"]);
    assert_eq!(outcome.store_kinds("web", "held"), ["implausible"]);
    let right = "[[sessions]]\npreset = \"gitea\"\nidle_timeout = \"1d\"\n";
    database.once_with(right, &[]).exits(0).swept("gitea", json!({ "expired": 0, "live": 90 }));
}

#[tokio::test]
async fn an_activity_that_is_the_creation_nearly_everywhere_is_none() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE sessions (id bigserial PRIMARY KEY, user_id bigint, created_at timestamp, updated_at timestamp);
             INSERT INTO sessions (user_id, created_at, updated_at)
             SELECT n, t.at, t.at FROM generate_series(1, 60) AS n,
                    LATERAL (SELECT (now() - n * interval '1 minute') AT TIME ZONE 'UTC' AS at) AS t;
             UPDATE sessions SET updated_at = updated_at + interval '5 minutes' WHERE id = 60",
        )
        .await;
    let settings = "[[sessions]]\npreset = \"rails\"\nlast_activity = \"updated_at\"\nidle_timeout = \"30m\"\n";
    let outcome = database.once_with(settings, &[]).exits(3);
    outcome.store_says("rails", "held", &["last_activity = updated_at", "equals created_at in 59 of 60 sessions"]);
    database
        .sql("UPDATE sessions SET updated_at = (now() - interval '1 minute') AT TIME ZONE 'UTC' WHERE id > 20")
        .await;
    database.once_with(settings, &[]).exits(0).swept("rails", json!({ "expired": 0, "live": 60 }));
    // The preset itself offers none.
    let outcome = database.once_with("[[sessions]]\npreset = \"rails\"\nidle_timeout = \"30m\"\n", &[]).exits(2);
    assert!(outcome.stderr.contains("`idle_timeout` without `last_activity`"), "{}", outcome.stderr);
}

/// Sessions of an evening, nine hours ago.
async fn evening(column: &str, sessions: u32, spacing: u32) -> Database {
    let mut database = Database::new().await;
    database
        .sql(&format!(
            "CREATE TABLE sessions (id bigserial PRIMARY KEY, user_id bigint, {column} NOT NULL);
             INSERT INTO sessions (user_id, last_activity)
             SELECT n, extract(epoch FROM now())::int - 9 * 3600 - n * {spacing} FROM generate_series(1, {sessions}) AS n"
        ))
        .await;
    database
}

#[tokio::test]
async fn a_store_that_is_idle_at_night_is_swept_to_the_last_session_with_or_without_a_robots() {
    let settings = "[[sessions]]\npreset = \"laravel\"\nidle_timeout = \"30m\"\n";
    for sessions in [500, 7, 1] {
        let mut database = evening("last_activity int", sessions, 30).await;
        database.once_with(settings, &[]).exits(0).swept("laravel", json!({ "expired": sessions, "live": 0 }));
        assert_eq!(left(&mut database).await, 0);
    }
    // All at one time: something else wrote them.
    let mut database = evening("last_activity int", 500, 0).await;
    database.once_with(settings, &[]).exits(3).store_says("laravel", "held", &["none be left"]);
    // In use: the last one was a minute ago.
    database.sql("UPDATE sessions SET last_activity = extract(epoch FROM now())::int - id * 60 - 5").await;
    database.once_with(settings, &[]).exits(3).store_says("laravel", "held", &["would end 470 of 500"]);
    assert_eq!(left(&mut database).await, 500);
}

#[tokio::test]
async fn microseconds_read_as_milliseconds_never_end_and_are_held() {
    for (encoding, factor, looks) in [
        ("epoch-millis", 1_000_000_i64, "microseconds"),
        ("epoch-millis", 1_000_000_000, "nanoseconds"),
        ("epoch-micros", 1_000_000_000, "nanoseconds"),
        ("epoch-micros", 1000, "milliseconds"),
        ("epoch-nanos", 1_000_000, "microseconds"),
    ] {
        let mut database = Database::new().await;
        database
            .sql(&format!(
                "CREATE TABLE sessions (ends bigint); CREATE INDEX ON sessions (ends);
                 INSERT INTO sessions SELECT (extract(epoch FROM now())::bigint + (n - 20) * 3600) * {factor}
                 FROM generate_series(1, 40) AS n"
            ))
            .await;
        let settings = logins(&format!("expires_at = \"ends\"\nencoding = \"{encoding}\""));
        database.once_with(&settings, &[]).exits(3).store_says("logins", "held", &["look like", looks]);
        assert_eq!(left(&mut database).await, 40);
    }
}

/// Hours that are read as seconds, and minutes: beside a store in use, and beside one that seems idle.
#[tokio::test]
async fn a_lifetime_in_a_wrong_unit_ends_no_session() {
    for (table, unit, sessions) in [
        (
            "SELECT n, now() - interval '3 hours' - n * interval '11 hours', 720 FROM generate_series(0, 39) AS n",
            "hours",
            40,
        ),
        ("SELECT n, now() - n * interval '1 hour', 129600 FROM generate_series(0, 2000) AS n", "minutes", 2001),
    ] {
        let mut database = Database::new().await;
        database
            .sql(&format!(
                "CREATE TABLE tokens (id int PRIMARY KEY, created_at timestamptz NOT NULL, ttl int NOT NULL);
                 CREATE INDEX ON tokens (created_at); INSERT INTO tokens {table}"
            ))
            .await;
        let settings = |unit: &str| {
            format!(
                "[[sessions]]\nname = \"tokens\"\ntable = \"public.tokens\"\ncreated_at = \"created_at\"\n\
                 encoding = \"timestamptz\"\nlifetime = {{ column = \"ttl\", unit = \"{unit}\" }}\n"
            )
        };
        let outcome = database.once_with(&settings("seconds"), &[]).exits(3);
        outcome.store_says("tokens", "held", &["--approve tokens"]);
        assert_eq!(database.number("SELECT count(*) FROM tokens").await, sessions);
        database.once_with(&settings(unit), &[]).exits(0).swept("tokens", json!({ "expired": 0, "held": null }));
    }
}

#[tokio::test]
async fn an_abbreviation_of_summer_time_is_no_time_zone() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE sessions (id int PRIMARY KEY, user_id int, expires_at timestamp)").await;
    for zone in ["CEST", "BST"] {
        let settings =
            logins(&format!("expires_at = \"expires_at\"\nencoding = \"timestamp\"\ntime_zone = \"{zone}\""));
        let outcome = database.once_with(&settings, &[]).exits(1);
        outcome.store_says("logins", "error", &[&format!("time_zone: found \"{zone}\""), "wrong in winter"]);
    }
}

#[tokio::test]
async fn a_run_that_may_not_write_leaves_sessions_and_says_so() {
    let mut database = filled(900, 100).await;
    let name = database.name.clone();
    database.sql(&format!("ALTER DATABASE \"{name}\" SET default_transaction_read_only = on")).await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(3);
    outcome.store_says("logins", "held", &["default_transaction_read_only", "none of the 900 sessions"]);
    assert_eq!(outcome.store_kinds("logins", "held"), ["read_only"]);
    database.once_with(&by_expiry(""), &["--dry-run"]).exits(0).swept("logins", json!({ "held": null }));
}

/// The clock of the application is ahead, and most rows were never used.
#[tokio::test]
async fn a_last_use_that_is_taken_for_an_end_ends_nothing_beside_rows_without_one_and_by_a_clock_that_is_ahead() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE sessions (id serial PRIMARY KEY, last_used_at timestamptz);
             INSERT INTO sessions (last_used_at) SELECT NULL FROM generate_series(1, 120);
             INSERT INTO sessions (last_used_at) SELECT now() - interval '6 min' - i * interval '7 min' FROM generate_series(1, 90) i",
        )
        .await;
    let settings = super::logins("expires_at = \"last_used_at\"\nencoding = \"timestamptz\"");
    database.once_with(&settings, &[]).exits(3).swept("logins", json!({ "expired": 0 }));
    database.sql("INSERT INTO sessions (last_used_at) VALUES (now() + interval '20 s')").await;
    let outcome = database.once_with(&settings, &[]).exits(3);
    outcome.store_says("logins", "held", &["s ahead", "when a session was last used"]);
    assert_eq!(left(&mut database).await, 211);
}

#[tokio::test]
async fn rows_without_an_end_and_a_backlog_of_days_are_no_mistake() {
    let mut database = super::filled(30, 0).await;
    database.sql("INSERT INTO sessions (expires_at) SELECT NULL FROM generate_series(1, 120)").await;
    database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 30, "live": 120 }));
}

#[tokio::test]
async fn an_activity_that_is_a_creation_which_the_configuration_does_not_name_is_none_either() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE sessions (id serial PRIMARY KEY, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL);
             INSERT INTO sessions (created_at, updated_at)
             SELECT t.at, t.at FROM generate_series(1, 90) i,
                    LATERAL (SELECT now() - interval '130 min' - i * interval '3 min' AS at) AS t",
        )
        .await;
    let settings = super::logins("last_activity = \"updated_at\"\nidle_timeout = \"30m\"\nencoding = \"timestamptz\"");
    let outcome = database.once_with(&settings, &[]).exits(3);
    outcome.store_says("logins", "held", &["last_activity = updated_at", "equals created_at in 90 of 90"]);
    assert_eq!(left(&mut database).await, 90);
}

/// Guests have the user 0.
#[tokio::test]
async fn a_user_that_stands_for_all_loses_no_sessions_in_a_small_store() {
    let mut database = super::filled(0, 60).await;
    database.sql("UPDATE sessions SET user_id = id % 3, created_at = now() - id * interval '1 min'").await;
    let settings = by_expiry("user = \"user_id\"\nmax_per_user = 1\ncreated_at = \"created_at\"");
    database.once_with(&settings, &[]).exits(3).swept("logins", json!({ "superseded": 0, "live": 60 }));
    database.once_with(&settings, &["--approve", "logins"]).exits(0).swept("logins", json!({ "superseded": 57 }));
}

#[tokio::test]
async fn one_session_of_a_robot_keeps_no_idle_store_unswept() {
    let settings = "[[sessions]]\npreset = \"laravel\"\nidle_timeout = \"30m\"\n";
    let mut database = evening("last_activity int", 500, 30).await;
    database.sql("INSERT INTO sessions (user_id, last_activity) VALUES (0, extract(epoch FROM now())::int)").await;
    database.once_with(settings, &[]).exits(0).swept("laravel", json!({ "expired": 500, "live": 1 }));
}

#[tokio::test]
async fn a_lifetime_and_days_are_no_ends_although_nothing_would_go() {
    for number in [3600, 20_000] {
        let mut database = Database::new().await;
        database
            .sql(&format!(
                "CREATE TABLE sessions (e bigint); INSERT INTO sessions SELECT {number} + n FROM generate_series(0, 99) AS n"
            ))
            .await;
        let outcome = database.once_with(&logins("expires_at = \"e\"\nencoding = \"epoch-seconds\""), &[]).exits(3);
        outcome.store_says("logins", "held", &["before the year 2000"]);
    }
}
