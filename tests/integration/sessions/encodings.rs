//! Every encoding, and naive timestamps in several zones.

use super::logins;
use crate::support::Database;
use serde_json::json;

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
