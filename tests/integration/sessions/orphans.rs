//! Rows whose session would be gone: no sweep leaves them behind, and no printed statement changes more than it says.

use super::{by_expiry, filled, left};
use serde_json::json;

/// `notes`, whose rows follow their session by `action`, with a trigger of this body.
fn notes(action: &str, when: &str, body: &str) -> String {
    format!(
        "CREATE TABLE notes (id bigint PRIMARY KEY, session bigint REFERENCES sessions ON DELETE {action}, seen timestamptz);
         CREATE INDEX ON notes (session); INSERT INTO notes SELECT id, id FROM sessions;
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} END$$;
         CREATE TRIGGER t {when} ON notes FOR EACH ROW EXECUTE FUNCTION f()"
    )
}

const ORPHANS: &str = "SELECT count(*) FROM notes n WHERE session IS NOT NULL
                       AND NOT EXISTS (SELECT FROM sessions s WHERE s.id = n.session)";

#[tokio::test]
async fn a_trigger_that_would_keep_a_row_of_an_ended_session_holds_the_sweep_by_name() {
    for (action, when, body) in [
        ("CASCADE", "BEFORE DELETE", "RETURN NULL;"),
        ("CASCADE", "BEFORE DELETE", "RETURN NEW;"),
        ("CASCADE", "BEFORE DELETE OR INSERT", "IF TG_OP = 'DELETE' THEN RETURN NULL; END IF; RETURN NEW;"),
        ("CASCADE", "BEFORE DELETE OR INSERT", "PERFORM TG_OP; RETURN NEW;"),
        ("SET NULL", "BEFORE UPDATE", "RETURN NULL;"),
        ("SET NULL", "BEFORE UPDATE", "RETURN OLD;"),
        ("SET NULL", "BEFORE UPDATE OF session", "NEW.session := OLD.session; RETURN NEW;"),
    ] {
        let mut database = filled(3, 3).await;
        database.sql(&notes(action, when, body)).await;
        let outcome = database.once_with(&by_expiry(""), &[]).exits(3);
        outcome.store_says("logins", "held", &["the trigger t of public.notes, which runs public.f(),"]);
        assert_eq!(outcome.store_kinds("logins", "held"), ["trigger_keeps_rows"], "{when}: {body}");
        assert_eq!((left(&mut database).await, database.number(ORPHANS).await), (6, 0));
    }
}

#[tokio::test]
async fn a_trigger_that_lets_the_row_follow_holds_nothing() {
    for (action, when, body) in [
        ("CASCADE", "BEFORE DELETE", "PERFORM OLD.id; RETURN OLD;"),
        ("CASCADE", "BEFORE DELETE OR UPDATE", "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW;"),
        ("CASCADE", "AFTER DELETE", "RETURN NULL;"),
        ("SET NULL", "BEFORE UPDATE", "NEW.seen = now(); RETURN NEW;"),
        ("SET NULL", "BEFORE UPDATE OF seen", "RETURN NULL;"),
        ("SET NULL", "BEFORE DELETE", "RETURN NULL;"),
    ] {
        let mut database = filled(3, 3).await;
        database.sql(&notes(action, when, body)).await;
        let outcome = database.once_with(&by_expiry(""), &[]).exits(0);
        outcome.swept("logins", json!({ "expired": 3, "live": 3, "held": null }));
        assert_eq!((left(&mut database).await, database.number(ORPHANS).await), (3, 0), "{when}: {body}");
    }
}

#[tokio::test]
async fn a_rule_that_rewrites_what_a_foreign_key_does_is_refused_by_name_and_one_that_adds_to_it_is_not() {
    for (action, event) in [("CASCADE", "DELETE"), ("SET NULL", "UPDATE")] {
        let mut database = filled(3, 3).await;
        database.sql(&notes(action, "AFTER INSERT", "RETURN NULL;")).await;
        database.sql(&format!("CREATE RULE keep AS ON {event} TO notes DO INSTEAD NOTHING")).await;
        let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
        outcome.store_says("logins", "error", &["the rule keep of public.notes rewrites what a foreign key does"]);
        assert_eq!(outcome.store_kinds("logins", "error"), ["rewrite_rule"]);
        database.sql(&format!("CREATE OR REPLACE RULE keep AS ON {event} TO notes DO ALSO NOTIFY told")).await;
        database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 3, "live": 3 }));
        assert_eq!(database.number(ORPHANS).await, 0);
    }
}

#[tokio::test]
async fn the_fix_of_a_key_of_several_columns_clears_the_session_and_nothing_else() {
    for tenant in ["tenant int NOT NULL", "tenant int REFERENCES tenants"] {
        let mut database = filled(3, 3).await;
        database
            .sql(&format!(
                "CREATE TABLE tenants (id int PRIMARY KEY); INSERT INTO tenants VALUES (1);
                 ALTER TABLE sessions ADD tenant int NOT NULL DEFAULT 1, ADD UNIQUE (tenant, id);
                 CREATE TABLE orders (id bigint PRIMARY KEY, {tenant}, session bigint,
                     CONSTRAINT k FOREIGN KEY (tenant, session) REFERENCES sessions (tenant, id) DEFERRABLE INITIALLY DEFERRED);
                 CREATE INDEX ON orders (tenant, session); INSERT INTO orders SELECT id, 1, id FROM sessions"
            ))
            .await;
        let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
        outcome.swept("logins", json!({ "expired": 0, "live": 3 }));
        // Before version 15, ON DELETE SET NULL clears all columns.
        if database.number("SELECT current_setting('server_version_num')::bigint").await < 150_000 {
            outcome.store_says("logins", "warnings", &["tenant, session cannot be set to NULL alone"]);
            assert!(outcome.store_fixes("logins", "warnings").is_empty());
            continue;
        }
        outcome.store_says("logins", "warnings", &["the fix keeps those rows, and sets session to NULL"]);
        database.sql(&outcome.store_fix("logins", "warnings")).await;
        let outcome = database.once_with(&by_expiry(""), &[]).exits(0);
        outcome.swept("logins", json!({ "expired": 3, "live": 3, "warnings": [] }));
        let counts = "SELECT count(*) * 100 + count(tenant) * 10 + count(session) FROM orders";
        assert_eq!(database.number(counts).await, 663);
        let deferred = "SELECT count(*) FROM pg_constraint WHERE conname = 'k' AND condeferred AND convalidated";
        assert_eq!(database.number(deferred).await, 1);
    }
}

#[tokio::test]
async fn a_trigger_that_returns_the_row_as_it_was_holds_the_sweep_and_one_for_several_events_does_not() {
    for (body, code) in [
        ("NEW := OLD; RETURN NEW;", 3),
        ("IF TG_OP = 'UPDATE' AND NEW.session IS NULL THEN RETURN OLD; END IF; RETURN NEW;", 3),
        ("IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW;", 0),
    ] {
        let mut database = filled(3, 3).await;
        database.sql(&notes("SET NULL", "BEFORE UPDATE OR DELETE", body)).await;
        let outcome = database.once_with(&by_expiry(""), &[]).exits(code);
        if code == 3 {
            outcome.store_says("logins", "held", &["may keep a row as it is"]);
        }
        assert_eq!(database.number(ORPHANS).await, 0);
    }
}
