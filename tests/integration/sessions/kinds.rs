//! Which rows are sessions, and for how long each lives: `only`, `lifetime`, `user` of several columns.

use super::{by_expiry, filled, left, logins};
use crate::support::Database;
use serde_json::json;

#[tokio::test]
async fn only_the_rows_with_these_values_are_sessions() {
    for (only, expired, live) in [
        ("kind = \"web\"", 2, 2),
        ("kind = [\"web\", \"api\"]", 4, 4),
        ("kind = \"null\"", 2, 2),
        ("kind = [\"web\", \"null\"]", 4, 4),
        ("number = 7", 2, 2),
        ("number = [7, 8, \"null\"]", 6, 6),
        ("flag = true", 2, 2),
        ("flag = [false]", 2, 2),
        ("'\"Odd name\"' = \"it's\"", 2, 2),
        ("kind = \"web\", number = 8", 0, 0),
    ] {
        let mut database = filled(6, 6).await;
        database
            .sql(
                "CREATE TYPE kind AS ENUM ('web', 'api', 'never');
                 ALTER TABLE sessions ADD kind kind, ADD number smallint, ADD flag boolean, ADD \"Odd name\" varchar(5);
                 UPDATE sessions SET kind = 'web', number = 7, flag = true, \"Odd name\" = 'it''s' WHERE id % 3 = 0;
                 UPDATE sessions SET kind = 'api', number = 8, flag = false WHERE id % 3 = 1",
            )
            .await;
        let settings = by_expiry(&format!("only = {{ {only} }}"));
        database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "expired": expired, "live": live }));
        assert_eq!(left(&mut database).await, 12 - expired, "{only}");
    }
}

#[tokio::test]
async fn a_condition_that_cannot_be_is_refused_with_its_key() {
    let mut database = filled(1, 1).await;
    database
        .sql("CREATE DOMAIN state AS text CHECK (VALUE <> 'gone'); ALTER TABLE sessions ADD data json, ADD state state")
        .await;
    let refused = |lines: &str, words: &[&str]| {
        let outcome = database.once_with(&by_expiry(lines), &[]).exits(1);
        outcome.store_says("logins", "error", words);
    };
    refused("only = { sort = \"web\" }", &["only.sort: found no column \"sort\" in public.sessions"]);
    refused("only = { user_id = \"web\" }", &["only.user_id: expected values of integer", "\"web\""]);
    refused("only = { user_id = [1, 99999999999] }", &["only.user_id: expected values of integer"]);
    refused("only = { data = \"web\" }", &["only.data: expected values of json, a type that can be compared"]);
    refused("only = { data = \"{}\" }", &["only.data: expected values of json, a type that can be compared"]);
    refused("only = { state = \"gone\" }", &["only.state: expected values of public.state"]);
    refused("revoke = { column = \"user_id\", value = \"gone\" }", &["revoke.value: expected values of integer"]);
    refused("revoke = { column = \"created_at\" }", &["revoke.column: found created_at, which is NOT NULL"]);
    refused(
        "revoke = { column = \"expires_at\" }",
        &["revoke.column: found expires_at, which says when a session ends"],
    );
    refused(
        "created_at = \"created_at\"\nlifetime = { column = \"revoked_at\", unit = \"seconds\" }",
        &["lifetime.column: found revoked_at of type timestamp with time zone, expected a number"],
    );
    refused(
        "created_at = \"created_at\"\nlifetime = { column = \"ttl\", unit = \"seconds\" }",
        &["lifetime.column: found no column \"ttl\""],
    );
}

#[tokio::test]
async fn each_session_lives_for_as_long_as_its_column_says() {
    for (column, encoding, time) in [
        ("timestamptz", "timestamptz", "now() - age"),
        ("timestamp", "timestamp\"\ntime_zone = \"Asia/Tokyo", "(now() - age) AT TIME ZONE 'Asia/Tokyo'"),
        ("integer", "epoch-seconds", "extract(epoch FROM now() - age)::integer"),
        ("bigint", "epoch-millis", "(extract(epoch FROM now() - age) * 1000)::bigint"),
        ("double precision", "epoch-seconds", "extract(epoch FROM now() - age)::float8"),
        ("numeric", "epoch-nanos", "extract(epoch FROM now() - age)::numeric * 1000000000"),
    ] {
        for (unit, seconds) in
            [("milliseconds", "1000 *"), ("seconds", ""), ("minutes", "1 / 60 *"), ("days", "1 / 86400 *")]
        {
            let mut database = Database::new().await;
            database
                .sql(&format!(
                    "CREATE TABLE sessions (id int, made {column}, ttl numeric);
                     INSERT INTO sessions SELECT n, {time}, ttl::numeric * {seconds} 1
                     FROM (VALUES (1, interval '3 hours', 7200), (2, interval '3 hours', 14400), (3, interval '3 hours', NULL),
                                  (4, interval '3 hours', 0), (5, interval '9 hours', 32000), (6, interval '9 hours', -1),
                                  (7, interval '40 days', 9e15)) AS v (n, age, ttl)"
                ))
                .await;
            let settings = logins(&format!(
                "created_at = \"made\"\nencoding = \"{encoding}\"\nlifetime = {{ column = \"ttl\", unit = \"{unit}\" }}"
            ));
            let outcome = database.once_with(&settings, &[]).exits(0);
            outcome.swept("logins", json!({ "expired": 2, "live": 5 }));
            let left = "SELECT sum(id)::bigint FROM sessions";
            assert_eq!(database.number(left).await, 2 + 3 + 4 + 6 + 7, "{column} {unit}");
        }
    }
}

#[tokio::test]
async fn a_lifetime_may_count_from_the_last_activity_beside_an_absolute_time_out() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE sessions (seen bigint, ttl int);
             INSERT INTO sessions SELECT extract(epoch FROM now())::bigint * 1000 - 1800000, ttl
             FROM (VALUES (600), (1200), (3600), (7200), (NULL), (-1)) AS v (ttl)",
        )
        .await;
    let settings = logins(
        "last_activity = \"seen\"\nencoding = \"epoch-millis\"\nlifetime = { column = \"ttl\", unit = \"seconds\" }",
    );
    database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "expired": 2, "live": 4 }));
}

#[tokio::test]
async fn a_day_belongs_to_its_session_to_the_end() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE sessions (ends date); CREATE INDEX ON sessions (ends);
             INSERT INTO sessions SELECT (now() AT TIME ZONE 'Asia/Tokyo')::date + n FROM generate_series(-5, 3) AS n;
             INSERT INTO sessions VALUES (NULL), ('infinity')",
        )
        .await;
    let settings = logins("expires_at = \"ends\"\nencoding = \"date\"\ntime_zone = \"Asia/Tokyo\"");
    database.once_with(&settings, &["--approve", "logins"]).swept("logins", json!({ "expired": 5, "live": 6 }));
}

#[tokio::test]
async fn a_user_of_several_columns_is_one_user() {
    let mut database = filled(0, 12).await;
    database
        .sql(
            "ALTER TABLE sessions ADD realm text;
             UPDATE sessions SET realm = CASE WHEN id <= 6 THEN 'a' ELSE 'b' END, user_id = id % 2,
                                 created_at = now() - id * interval '1 minute';
             UPDATE sessions SET realm = NULL WHERE id = 12",
        )
        .await;
    let settings = by_expiry("user = [\"realm\", \"user_id\"]\ncreated_at = \"created_at\"\nmax_per_user = 2");
    database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "superseded": 3, "live": 9 }));
    assert_eq!(left(&mut database).await, 9);
}

/// The obvious configuration of a table that holds sessions which never end.
#[tokio::test]
async fn sessions_of_another_kind_are_held_until_only_says_which_are_meant() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE sessions (id int, offline_flag varchar(4), last_refresh int);
             INSERT INTO sessions SELECT n, '0', extract(epoch FROM now())::int - n FROM generate_series(1, 80) AS n;
             INSERT INTO sessions SELECT n, '1', extract(epoch FROM now())::int - 5 * 86400 FROM generate_series(1, 70) AS n",
        )
        .await;
    let lines = "last_activity = \"last_refresh\"\nidle_timeout = \"30m\"\nencoding = \"epoch-seconds\"\n";
    let outcome = database.once_with(&logins(lines), &[]).exits(3);
    outcome.store_says("logins", "held", &["no value of offline_flag in common", "by `only`"]);
    assert_eq!(outcome.store_kinds("logins", "held"), ["several_kinds"]);
    let settings = logins(&format!("{lines}only = {{ offline_flag = \"0\" }}"));
    database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "expired": 0, "live": 80 }));
    assert_eq!(left(&mut database).await, 150);
}

#[tokio::test]
async fn the_equality_of_an_extensions_type_is_its_own() {
    let mut database = filled(4, 4).await;
    database
        .sql("CREATE EXTENSION citext; ALTER TABLE sessions ADD kind citext; UPDATE sessions SET kind = 'Web' WHERE id % 2 = 0")
        .await;
    let settings = by_expiry("only = { kind = [\"web\", \"api\"] }");
    database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "expired": 2, "live": 2 }));
}

#[tokio::test]
async fn a_lifetime_may_be_in_any_unit_and_no_odd_one_ends_a_session() {
    for (unit, hour) in [("nanoseconds", 3_600_000_000_000_i64), ("microseconds", 3_600_000_000), ("hours", 1)] {
        for (column, encoding) in [
            ("timestamptz", "timestamptz"),
            ("bigint", "epoch-seconds"),
            ("numeric", "epoch-nanos"),
            ("float8", "epoch-millis"),
        ] {
            let mut database = Database::new().await;
            let per_second = match encoding {
                "epoch-nanos" => 1_000_000_000_i64,
                "epoch-millis" => 1000,
                _ => 1,
            };
            let ago = |hours: &str| match encoding {
                "timestamptz" => format!("now() - interval '{hours} hours'"),
                _ => format!("(extract(epoch FROM now() - interval '{hours} hours') * {per_second})::{column}"),
            };
            database
                .sql(&format!(
                    "CREATE TABLE sessions (made {column}, lives double precision);
                     INSERT INTO sessions SELECT {}, {hour} FROM generate_series(1, 4);
                     INSERT INTO sessions SELECT {}, {hour} FROM generate_series(1, 5);
                     INSERT INTO sessions SELECT {}, odd FROM unnest('{{NaN, Infinity, -Infinity, 0, -1, NULL}}'::float8[]) AS odd",
                    ago("25.1"),
                    ago("0.9"),
                    ago("30")
                ))
                .await;
            let lines = format!(
                "created_at = \"made\"\nencoding = \"{encoding}\"\nlifetime = {{ column = \"lives\", unit = \"{unit}\" }}"
            );
            let outcome = database.once_with(&logins(&lines), &[]).exits(0);
            outcome.swept("logins", json!({ "expired": 4, "stale": 0, "live": 11, "held": null }));
        }
    }
}

/// As authentik's tokens and Keycloak's offline sessions: those in use are over now and then, too.
#[tokio::test]
async fn sessions_of_a_kind_that_never_ends_are_held_beside_ordinary_ones_that_are_over() {
    let mut database = super::filled(5, 20).await;
    database
        .sql(
            "ALTER TABLE sessions ADD expiring boolean NOT NULL DEFAULT true;
             INSERT INTO sessions (expires_at, expiring) SELECT now() - interval '100 days', false FROM generate_series(1, 20)",
        )
        .await;
    let outcome = database.once_with(&super::by_expiry(""), &[]).exits(3);
    outcome.store_says("logins", "held", &["expiring"]);
    let only = super::by_expiry("only = { expiring = true }");
    database.once_with(&only, &[]).exits(0).swept("logins", json!({ "expired": 5, "live": 20 }));
    // A few of another kind are over because they are over.
    database.sql("DELETE FROM sessions WHERE NOT expiring").await;
    database
        .sql(
            "INSERT INTO sessions (expires_at, expiring) SELECT now() - interval '3 days', n > 3 FROM generate_series(1, 9) n",
        )
        .await;
    database.once_with(&super::by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 9, "live": 20 }));
}
