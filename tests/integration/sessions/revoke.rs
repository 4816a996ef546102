//! `revoke`: a column is set, and the row stays.

use super::{by_expiry, filled, left};
use serde_json::json;

#[tokio::test]
async fn a_time_is_set_once() {
    let mut database = filled(5, 2).await;
    let settings = by_expiry("revoke = { column = \"revoked_at\" }");
    database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "expired": 5, "stale": 0, "live": 2 }));
    assert_eq!(
        database.number("SELECT count(*) FROM sessions WHERE revoked_at > now() - interval '1 minute'").await,
        5
    );
    let before = database.number("SELECT sum(extract(epoch FROM revoked_at) * 1000000)::bigint FROM sessions").await;
    database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "expired": 0, "live": 2, "remaining": 2 }));
    let after = database.number("SELECT sum(extract(epoch FROM revoked_at) * 1000000)::bigint FROM sessions").await;
    assert_eq!((before, left(&mut database).await), (after, 7));
}

#[tokio::test]
async fn a_value_of_any_type_is_set() {
    let mut database = filled(4, 2).await;
    database.sql("CREATE TYPE state AS ENUM ('on', 'it''s over')").await;
    for (column, value) in [
        ("boolean DEFAULT true", "false"),
        ("integer", "7"),
        ("character(4)", "\"over\""),
        ("state DEFAULT 'on'", "\"it's over\""),
    ] {
        database
            .sql(
                &format!("ALTER TABLE sessions DROP IF EXISTS mark, ADD mark {column}")
                    .replace("DROP IF", "DROP COLUMN IF"),
            )
            .await;
        let settings = by_expiry(&format!("revoke = {{ column = \"mark\", value = {value} }}"));
        database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "expired": 4, "live": 2 }));
        database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "expired": 0, "live": 2 }));
    }
    assert_eq!(left(&mut database).await, 6);
}

#[tokio::test]
async fn a_value_that_its_column_does_not_take_is_refused_and_not_cut() {
    for column in ["character(4)", "character varying(4)", "integer"] {
        let mut database = filled(4, 2).await;
        database.sql(&format!("ALTER TABLE sessions ADD mark {column}")).await;
        let settings = by_expiry("revoke = { column = \"mark\", value = \"ended\" }");
        let outcome = database.once_with(&settings, &[]).exits(1);
        let words =
            if column == "integer" { "revoke.value: expected values of integer" } else { "`revoke.value` must be" };
        outcome.store_says("logins", "error", &[words]);
        assert_eq!(database.number("SELECT count(*) FROM sessions WHERE mark IS NULL").await, 6);
    }
}

#[tokio::test]
async fn superseded_sessions_are_revoked_too() {
    let mut database = filled(0, 3).await;
    database.sql("UPDATE sessions SET user_id = 1, created_at = now() - id * interval '1 minute'").await;
    let settings = by_expiry(
        "revoke = { column = \"revoked_at\" }\nuser = \"user_id\"\nmax_per_user = 1\ncreated_at = \"created_at\"",
    );
    database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "superseded": 2, "live": 1 }));
    database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "superseded": 0, "live": 1 }));
    assert_eq!(database.number("SELECT id::bigint FROM sessions WHERE revoked_at IS NULL").await, 1);
}

#[tokio::test]
async fn a_trigger_that_keeps_the_row_or_changes_it_back_is_named() {
    for body in ["RETURN NULL;", "NEW.revoked_at = NULL; RETURN NEW;"] {
        let mut database = filled(30, 20).await;
        database
            .sql(&format!(
                "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} END$$;
                 CREATE TRIGGER keep BEFORE UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION keep()"
            ))
            .await;
        let outcome = database.once_with(&by_expiry("revoke = { column = \"revoked_at\" }"), &[]).exits(1);
        outcome.swept("logins", json!({ "expired": 0, "stale": 30, "live": 20 }));
        outcome.store_says("logins", "error", &["a trigger keeps the session as it is (keep on public.sessions"]);
        assert_eq!(outcome.store_kinds("logins", "error"), ["trigger_keeps_rows"]);
    }
}

#[tokio::test]
async fn the_index_for_it_is_partial() {
    let mut database = filled(1, 1).await;
    database.sql("DROP INDEX sessions_expires_at_idx").await;
    let settings = by_expiry("revoke = { column = \"revoked_at\" }");
    let fix = "CREATE INDEX CONCURRENTLY ON public.sessions (expires_at) WHERE revoked_at IS NULL";
    let outcome = database.once_with(&settings, &[]).exits(0);
    assert_eq!(outcome.store_fix("logins", "warnings"), fix);
    database.sql(fix).await;
    database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "warnings": [] }));
}

#[tokio::test]
async fn the_index_for_a_value_is_partial_too_and_can_be_created_as_printed() {
    let mut database = filled(1, 1).await;
    database
        .sql(
            "DROP INDEX sessions_expires_at_idx; CREATE TYPE state AS ENUM ('on', 'it''s over');
             ALTER TABLE sessions ADD mark state DEFAULT 'on'",
        )
        .await;
    let settings = by_expiry("revoke = { column = \"mark\", value = \"it's over\" }");
    let outcome = database.once_with(&settings, &[]).exits(0);
    assert_eq!(outcome.store_kinds("logins", "warnings"), ["missing_index"]);
    database.sql(&outcome.store_fix("logins", "warnings")).await;
    database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "warnings": [] }));
}
