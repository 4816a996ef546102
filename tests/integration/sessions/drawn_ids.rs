//! Ids that a trigger draws from a sequence, and texts that are made of its values.

use super::{by_expiry, left};
use crate::support::Database;
use serde_json::json;

/// Ids 1 to 100 of live sessions and 101 to 150 of expired ones, of this type, and a sequence `sq` that stands at 100.
async fn drawn(id_type: &str, more: &str) -> Database {
    let mut database = Database::new().await;
    database
        .sql(&format!(
            "CREATE SEQUENCE sq; CREATE TABLE sessions (id {id_type} PRIMARY KEY, expires_at timestamptz);
             CREATE INDEX ON sessions (expires_at); {more};
             INSERT INTO sessions SELECT n, now() + (100.5 - n) * interval '1 day' FROM generate_series(1, 100) AS n;
             INSERT INTO sessions SELECT n, now() - interval '3 days' FROM generate_series(101, 150) AS n;
             SELECT setval('sq', 100)"
        ))
        .await;
    database
}

/// A trigger that draws ids, with this body.
fn draws(body: &str) -> String {
    format!(
        "CREATE FUNCTION number_it() RETURNS trigger LANGUAGE plpgsql AS $$DECLARE v bigint; BEGIN {body} RETURN NEW; END$$;
         CREATE TRIGGER number_it BEFORE INSERT ON sessions FOR EACH ROW WHEN (NEW.id IS NULL)
             EXECUTE FUNCTION number_it()"
    )
}

#[tokio::test]
async fn ids_that_a_trigger_draws_are_compared_with_its_sequence() {
    for body in [
        "IF NEW.id IS NULL THEN NEW.id := nextval('sq'); END IF;",
        "NEW.\"id\" = coalesce(NEW.id, pg_catalog.nextval('public.sq'::regclass));",
        "/* nextval('other') */ new.ID := NEXTVAL('\"sq\"')::bigint; -- nextval\n",
        "SELECT nextval('sq') INTO STRICT NEW.id;",
    ] {
        let mut database = drawn("bigint", &draws(body)).await;
        for arguments in [&[][..], &["--approve", "logins"]] {
            let outcome = database.once_with(&by_expiry(""), arguments).exits(3);
            let words =
                ["50 of the sessions that are over have ids that would be handed out again", "public.sq is behind"];
            outcome.store_says("logins", "held", &words);
            assert_eq!(outcome.store_kinds("logins", "held"), ["ids_reissued"], "{body}");
            assert_eq!(left(&mut database).await, 150);
        }
        database.sql("SELECT setval('sq', 150)").await;
        database.once_with(&by_expiry(""), &[]).swept("logins", json!({ "expired": 50, "held": null }));
    }
}

#[tokio::test]
async fn ids_that_a_trigger_may_or_may_not_take_from_a_sequence_hold_nothing() {
    let two = "CREATE SEQUENCE other;";
    for (more, body) in [
        ("", "NEW.id := nextval('sq') * 10;"),
        ("", "v := nextval('sq');"),
        ("", "-- NEW.id := nextval('sq');\n"),
        ("", "NEW.id := nextval('sq_' || TG_TABLE_NAME);"),
        ("", "IF TG_TABLE_NAME = 'orders' THEN NEW.id := nextval('sq'); END IF;"),
        ("", "NEW.id := nextval('missing.sq');"),
        ("", "NEW.id := nextval('missing');"),
        ("", "NEW.id := nextval('no such; name');"),
        (two, "IF NEW.expires_at IS NULL THEN NEW.id := nextval('other'); ELSE NEW.id := nextval('sq'); END IF;"),
    ] {
        let mut database = drawn("bigint", &format!("{more}{}", draws(body))).await;
        database.once_with(&by_expiry(""), &[]).swept("logins", json!({ "expired": 50, "held": null }));
        assert_eq!(left(&mut database).await, 100, "{body}");
    }
    let disabled = format!("{}; ALTER TABLE sessions DISABLE TRIGGER number_it", draws("NEW.id := nextval('sq');"));
    let database = drawn("bigint", &disabled).await;
    database.once_with(&by_expiry(""), &[]).swept("logins", json!({ "expired": 50, "held": null }));
}

#[tokio::test]
async fn texts_that_are_made_of_a_sequence_hold_nothing_and_are_said_with_the_statement_that_helps() {
    let of_default = "ALTER TABLE sessions ALTER id SET DEFAULT nextval('sq')::text".to_owned();
    for (id_type, more) in
        [("text", of_default.clone()), ("varchar(30)", of_default), ("text", draws("NEW.id := nextval('sq');"))]
    {
        let mut database = drawn(id_type, &more).await;
        database
            .sql("INSERT INTO sessions SELECT 'it''s ' || n, now() - interval '3 days' FROM generate_series(1, 5) AS n")
            .await;
        let outcome = database.once_with(&by_expiry(""), &[]);
        outcome.swept("logins", json!({ "expired": 55, "held": null }));
        assert_eq!(outcome.store_kinds("logins", "warnings"), ["ids_reissued"]);
        let words = ["50 of the sessions that are over have a text in id that public.sq has yet to make"];
        outcome.store_says("logins", "warnings", &words);
        let fix = outcome.store_fix("logins", "warnings");
        database.sql(&fix).await;
        assert_eq!(database.nextval("sq").await, 151);
        // Much later, too: it never goes back.
        database.sql(&format!("SELECT setval('sq', 1000); {fix}")).await;
        assert_eq!(database.nextval("sq").await, 1001);
        let outcome = database.once_with(&by_expiry(""), &[]).exits(0);
        outcome.swept("logins", json!({ "expired": 0, "warnings": [] }));
    }
}

#[tokio::test]
async fn a_text_that_only_contains_a_value_is_compared_with_nothing() {
    let database = drawn("text", "ALTER TABLE sessions ALTER id SET DEFAULT 's-' || nextval('sq')").await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(0);
    outcome.swept("logins", json!({ "expired": 50, "held": null, "warnings": [] }));
}

#[tokio::test]
async fn the_granted_role_reads_the_texts_that_it_compares_and_a_role_that_may_not_sweeps_all_the_same() {
    let mut database = drawn("text", "ALTER TABLE sessions ALTER id SET DEFAULT nextval('sq')::text").await;
    let role = database.role("medic");
    let config = database.config(&by_expiry(""));
    let path = config.path().to_str().expect("a path");
    let grants = crate::support::pgmedic(&[], &["grants", "--role", &role, "--config", path]).exits(0).stdout;
    let grants: Vec<&str> = grants.lines().filter(|line| !line.starts_with("\\")).collect();
    database.sql(&grants.join("\n")).await;
    let outcome = database.once_with_as(&role, &by_expiry(""), &["--dry-run"]);
    assert_eq!(outcome.store_kinds("logins", "warnings"), ["ids_reissued"]);
    database
        .sql(&format!("REVOKE SELECT ON SEQUENCE sq FROM {role}; REVOKE SELECT (id) ON sessions FROM {role}"))
        .await;
    let outcome = database.once_with_as(&role, &by_expiry(""), &[]);
    outcome.swept("logins", json!({ "expired": 50, "error": null, "warnings": [] }));
}

#[tokio::test]
async fn of_a_sequence_in_a_schema_that_the_role_may_not_enter_the_missing_privilege_is_said() {
    let mut database = drawn("bigint", &draws("NEW.id := nextval('ids.hidden');")).await;
    let medic = database.role("medic");
    database
        .sql(&format!(
            "CREATE SCHEMA ids; CREATE SEQUENCE ids.hidden; CREATE ROLE {medic} LOGIN;
             GRANT SELECT, UPDATE, DELETE ON sessions TO {medic}"
        ))
        .await;
    let outcome = database.once_with_as(&medic, &by_expiry(""), &[]).exits(1);
    assert_eq!(outcome.store_kinds("logins", "error"), ["missing_privilege"], "{}", outcome.stdout);
    outcome.store_says("logins", "error", &["USAGE ON SCHEMA ids"]);
    assert_eq!(left(&mut database).await, 150);
}
