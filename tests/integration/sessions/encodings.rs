//! Every encoding, and naive timestamps in several zones.

use super::logins;
use crate::support::Database;
use serde_json::json;
use sqlx::Row;

/// A store whose `ends` has this type and holds these SQL expressions.
async fn holding(column: &str, values: &str) -> Database {
    let mut database = Database::new().await;
    database
        .sql(&format!("CREATE TABLE sessions (ends {column}); CREATE INDEX ON sessions (ends); INSERT INTO sessions VALUES {values}"))
        .await;
    database
}

const SECONDS: &str = "extract(epoch FROM now())::bigint";

#[tokio::test]
async fn epoch_seconds_and_milliseconds_are_read_as_stated() {
    let both = [
        ("integer", "epoch-seconds", 1, i64::from(i32::MAX)),
        ("bigint", "epoch-seconds", 1, i64::MAX),
        ("bigint", "epoch-millis", 1000, i64::MAX),
    ];
    for (column, encoding, factor, never) in both {
        let values =
            format!("(({SECONDS} - 3600) * {factor}), (({SECONDS} + 3600) * {factor}), (0), (-1), (NULL), ({never})");
        let mut database = holding(column, &values).await;
        let settings = logins(&format!("expires_at = \"ends\"\nencoding = \"{encoding}\""));
        database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "expired": 1, "live": 5 }));
        assert_eq!(database.number("SELECT count(*) FROM sessions").await, 5);
    }
}

#[tokio::test]
async fn a_naive_timestamp_is_read_in_its_writers_zone() {
    for zone in ["America/New_York", "UTC", "Asia/Kolkata", "Pacific/Auckland", "Pacific/Honolulu"] {
        let values = format!(
            "((now() - interval '10 minutes') AT TIME ZONE '{zone}'), ((now() + interval '10 minutes') AT TIME ZONE '{zone}'),
             ('infinity'), (NULL), ('1970-01-01 09:00')"
        );
        let mut database = holding("timestamp(6)", &values).await;
        let settings = logins(&format!("expires_at = \"ends\"\nencoding = \"timestamp\"\ntime_zone = \"{zone}\""));
        database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "expired": 1, "live": 4 }));
        let left = format!("SELECT count(*) FROM sessions WHERE ends > now() AT TIME ZONE '{zone}'");
        assert_eq!(database.number(&left).await, 2);
    }
}

#[tokio::test]
async fn a_zone_that_the_server_does_not_know_is_named() {
    let database = holding("timestamp", "(now())").await;
    let settings = logins("expires_at = \"ends\"\nencoding = \"timestamp\"\ntime_zone = \"Europe/Atlantis\"");
    let outcome = database.once_with(&settings, &[]).exits(1);
    outcome.store_says("logins", "error", &["time_zone: found \"Europe/Atlantis\"", "pg_timezone_names"]);
}

#[tokio::test]
async fn timeouts_count_from_what_the_column_says() {
    let values = format!("({SECONDS} - 3600), ({SECONDS} - 1200), (0)");
    let database = holding("integer", &values).await;
    let settings = logins("last_activity = \"ends\"\nidle_timeout = \"30m\"\nencoding = \"epoch-seconds\"");
    database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "expired": 1, "live": 2 }));
}

#[tokio::test]
async fn a_domain_is_its_base_type() {
    let mut database = Database::new().await;
    database.sql("CREATE DOMAIN moment AS timestamptz; CREATE TABLE sessions (ends moment)").await;
    database.sql("INSERT INTO sessions VALUES (now() - interval '1 hour'), (now() + interval '1 hour')").await;
    let settings = logins("expires_at = \"ends\"\nencoding = \"timestamptz\"");
    database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "expired": 1, "live": 1 }));
}

/// In a zone where the clocks were set forward since the session began, its lifetime by the clock on the wall is an hour longer.
#[tokio::test]
async fn a_lifetime_across_a_change_to_summer_time_is_not_cut() {
    let mut database = Database::new().await;
    let offset = |at: &str| format!("(({at}) AT TIME ZONE z.name - ({at}) AT TIME ZONE 'UTC')");
    // At any time of the year, it is summer in one of them.
    let row = database
        .row(&format!(
            "SELECT z.name, d FROM (VALUES ('Europe/Zurich'), ('Australia/Sydney')) AS z (name), generate_series(1, 300) AS d
             WHERE {} < {} ORDER BY d LIMIT 1",
            offset("now() - d * interval '24 hours'"),
            offset("now()")
        ))
        .await;
    let (zone, days): (String, i32) = (row.get(0), row.get(1));
    database
        .sql(&format!(
            "CREATE TABLE sessions (id int PRIMARY KEY, made timestamp NOT NULL, ttl int NOT NULL); CREATE INDEX ON sessions (made);
             INSERT INTO sessions VALUES
             (1, (now() - {days} * interval '24 hours' + interval '30 minutes') AT TIME ZONE '{zone}', {days} * 86400),
             (2, (now() - interval '1 minute') AT TIME ZONE '{zone}', 86400), (3, now() AT TIME ZONE '{zone}', 86400)"
        ))
        .await;
    let settings = logins(&format!(
        "created_at = \"made\"\nencoding = \"timestamp\"\ntime_zone = \"{zone}\"\nlifetime = {{ column = \"ttl\", unit = \"seconds\" }}"
    ));
    database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "expired": 0, "live": 3, "held": null }));
    database.sql("UPDATE sessions SET made = made - interval '2 hours' WHERE id = 1").await;
    database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "expired": 1 }));
}
