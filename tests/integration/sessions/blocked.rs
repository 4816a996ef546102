//! Sessions that cannot be ended, wherever they lie: the others are ended, and the reason names what keeps them.

use super::{by_expiry, filled, left};
use serde_json::json;

/// `notes` with a row for each of these sessions, which its foreign key keeps.
fn referenced(which: &str) -> String {
    format!(
        "CREATE TABLE notes (session bigint NOT NULL CONSTRAINT k REFERENCES sessions); CREATE INDEX ON notes (session);
         INSERT INTO notes SELECT id FROM sessions WHERE {which}"
    )
}

#[tokio::test]
async fn many_sessions_that_cannot_go_keep_no_other_one_wherever_they_lie() {
    // The highest ids are the oldest.
    for which in ["id BETWEEN 2981 AND 3000", "id <= 20", "id % 3 > 0 AND id <= 3000"] {
        let mut database = filled(3000, 2).await;
        database.sql(&referenced(which)).await;
        let kept = database.number("SELECT count(*) FROM notes").await;
        for expired in [3000 - kept, 0] {
            let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
            outcome.swept("logins", json!({ "expired": expired, "stale": kept, "live": 2 }));
            assert_eq!(outcome.store_kinds("logins", "error"), ["foreign_key"]);
            if expired > 0 {
                outcome.store_says("logins", "error", &[&format!("could not be ended: {kept}: "), "constraint \"k\""]);
            }
        }
    }
}

#[tokio::test]
async fn where_none_can_go_the_rest_is_not_tried() {
    let mut database = filled(400, 2).await;
    database.sql(&referenced("true")).await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
    outcome.store_says("logins", "error", &["could not be ended, and the rest was not tried: ", "notes"]);
    assert_eq!(left(&mut database).await, 402);
}

#[tokio::test]
async fn sessions_of_one_day_that_cannot_go_are_found_once_each() {
    let mut database = filled(900, 2).await;
    database.sql("UPDATE sessions SET expires_at = '2020-05-05' WHERE expires_at < now()").await;
    database.sql(&referenced("id % 2 = 0 AND id <= 900")).await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
    outcome.swept("logins", json!({ "expired": 450, "stale": 450, "live": 2 }));
    outcome.store_says("logins", "error", &["could not be ended: 450: "]);
}

#[tokio::test]
async fn a_trigger_that_refuses_a_session_is_named_with_any_code_that_it_raises() {
    for body in [
        "RAISE foreign_key_violation USING MESSAGE = 'hunter2';",
        "RAISE object_not_in_prerequisite_state USING MESSAGE = 'hunter2';",
        "RAISE query_canceled USING MESSAGE = 'hunter2';",
        "RAISE connection_exception USING MESSAGE = 'hunter2';",
        "ASSERT false, 'hunter2';",
        "PERFORM 'hunter2'::integer;",
        "PERFORM 1 / (OLD.id - OLD.id);",
        "INSERT INTO public.told VALUES (NULL);",
    ] {
        let mut database = filled(40, 2).await;
        database
            .sql(&format!(
                "CREATE TABLE told (session bigint NOT NULL);
                 CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
                     $$BEGIN IF OLD.id IN (7, 39) THEN {body} END IF; RETURN OLD; END$$;
                 CREATE TRIGGER legal_hold BEFORE DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION f()"
            ))
            .await;
        let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
        outcome.swept("logins", json!({ "expired": 38, "stale": 2, "live": 2 }));
        assert_eq!(outcome.store_kinds("logins", "error"), ["trigger_failed"], "{body}");
        outcome.store_says("logins", "error", &["could not be ended: 2: ", "legal_hold on public.sessions"]);
        assert!(!format!("{}{}", outcome.stdout, outcome.stderr).contains("hunter2"), "{}", outcome.stdout);
    }
}

#[tokio::test]
async fn a_triggers_missing_privilege_is_said_as_one() {
    let mut database = filled(40, 2).await;
    let role = database.role("medic");
    database
        .sql(&format!(
            "CREATE TABLE told (session bigint);
             CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
                 $$BEGIN IF OLD.id = 7 THEN INSERT INTO public.told VALUES (OLD.id); END IF; RETURN OLD; END$$;
             CREATE TRIGGER t AFTER DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION f();
             CREATE ROLE {role} LOGIN; GRANT SELECT, UPDATE, DELETE ON sessions TO {role};
             GRANT SELECT ON SEQUENCE sessions_id_seq TO {role}"
        ))
        .await;
    let outcome = database.once_with_as(&role, &by_expiry(""), &[]).exits(1);
    outcome.swept("logins", json!({ "expired": 39, "stale": 1, "live": 2 }));
    outcome.store_says("logins", "error", &["permission denied for table told, which a trigger needs", "public.f()"]);
    assert!(outcome.store_fixes("logins", "error").is_empty(), "pgmedic grants would not help");
}

#[tokio::test]
async fn what_a_foreign_key_would_set_and_may_not_is_named() {
    for (column, words) in [
        ("session bigint NOT NULL REFERENCES sessions ON DELETE SET NULL", "null value in column \"session\""),
        ("session bigint DEFAULT 0 REFERENCES sessions ON DELETE SET DEFAULT", "the default of public.notes (session)"),
        (
            "session bigint CONSTRAINT c CHECK (session IS NOT NULL) REFERENCES sessions ON DELETE SET NULL",
            "check constraint \"c\"",
        ),
    ] {
        let mut database = filled(30, 2).await;
        database
            .sql(&format!(
                "CREATE TABLE notes ({column}); CREATE INDEX ON notes (session); INSERT INTO notes VALUES (7)"
            ))
            .await;
        let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
        outcome.swept("logins", json!({ "expired": 29, "stale": 1, "live": 2 }));
        assert_eq!(outcome.store_kinds("logins", "error"), ["foreign_key"]);
        outcome.store_says("logins", "error", &[words]);
    }
}

#[tokio::test]
async fn without_the_language_that_tells_sessions_apart_it_is_said_which_one_is_missing() {
    let mut database = filled(30, 2).await;
    let role = database.role("medic");
    database.sql(&referenced("id = 7")).await;
    database
        .sql(&format!(
            "REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC; CREATE ROLE {role} LOGIN;
             GRANT SELECT, UPDATE, DELETE ON sessions TO {role}; GRANT SELECT ON SEQUENCE sessions_id_seq TO {role}"
        ))
        .await;
    let outcome = database.once_with_as(&role, &by_expiry(""), &[]).exits(1);
    assert_eq!(outcome.store_kinds("logins", "error"), ["missing_privilege"]);
    database.sql(&outcome.store_fix("logins", "error")).await;
    database.once_with_as(&role, &by_expiry(""), &[]).exits(1).swept("logins", json!({ "stale": 1, "live": 2 }));
}

#[tokio::test]
async fn a_single_run_says_what_others_have_locked_and_exits_with_3() {
    let mut database = filled(30, 2).await;
    let mut other = database.connect().await;
    sqlx::raw_sql("BEGIN; SELECT FROM sessions WHERE id <= 10 FOR UPDATE").execute(&mut other).await.unwrap();
    for expired in [20, 0] {
        let outcome = database.once_with(&by_expiry(""), &[]).exits(3);
        outcome.swept("logins", json!({ "expired": expired, "stale": 10, "live": 2, "error": null }));
        outcome.store_says(
            "logins",
            "warnings",
            &["10 of the sessions that are over were locked by other transactions"],
        );
        assert_eq!(outcome.store_kinds("logins", "warnings"), ["unfinished"]);
    }
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 10, "warnings": [] }));
    assert_eq!(left(&mut database).await, 2);
}
