//! Triggers and rules of a session store: what they keep, change or fail at is found and named.

use super::{by_expiry, filled, left};
use serde_json::json;

/// A trigger `t` with this body on `sessions`.
pub fn trigger(when: &str, body: &str) -> String {
    format!(
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} END$$;
         CREATE TRIGGER t {when} DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION f()"
    )
}

#[tokio::test]
async fn a_trigger_that_keeps_every_row_is_named_and_changes_nothing() {
    let mut database = filled(90, 20).await;
    database
        .sql(&trigger("BEFORE", "UPDATE public.sessions SET revoked_at = now() WHERE id = OLD.id; RETURN NULL;"))
        .await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
    outcome.swept("logins", json!({ "expired": 0, "stale": 90, "live": 20 }));
    outcome.store_says(
        "logins",
        "error",
        &["t on public.sessions, which runs public.f()", "`revoke`", "was not tried"],
    );
    assert_eq!(outcome.store_kinds("logins", "error"), ["trigger_keeps_rows"]);
    assert_eq!(database.number("SELECT count(*) FROM sessions WHERE revoked_at IS NOT NULL").await, 0);
}

#[tokio::test]
async fn a_trigger_that_deletes_a_live_session_with_another_one_is_found_before_it_is_committed() {
    let mut database = filled(3, 3).await;
    database
        .sql(&trigger("AFTER", "DELETE FROM public.sessions WHERE id = OLD.id + 3 AND OLD.id = 2; RETURN OLD;"))
        .await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
    outcome.swept("logins", json!({ "expired": 2, "stale": 1, "live": 3 }));
    outcome.store_says("logins", "error", &["1: a trigger deletes, changes or adds other sessions with it"]);
    assert_eq!(left(&mut database).await, 4);
}

#[tokio::test]
async fn a_trigger_that_revokes_live_sessions_with_another_one_is_found_before_it_is_committed() {
    let all = "UPDATE public.sessions SET revoked_at = now() WHERE id = OLD.id + 3 AND OLD.id = 2; RETURN OLD;";
    for settings in ["", "revoke = { column = \"revoked_at\" }"] {
        let mut database = filled(3, 3).await;
        database.sql(&trigger("AFTER", all).replace(" DELETE ON", " DELETE OR UPDATE ON")).await;
        let outcome = database.once_with(&by_expiry(settings), &[]).exits(1);
        outcome.swept("logins", json!({ "expired": 2, "stale": 1, "live": 3 }));
        outcome.store_says(
            "logins",
            "error",
            &[
                "1: a trigger deletes, changes or adds other sessions with it",
                "t on public.sessions, which runs public.f()",
            ],
        );
        assert_eq!(outcome.store_kinds("logins", "error"), ["takes_along"]);
        let live = "SELECT count(*) FROM sessions WHERE revoked_at IS NULL AND expires_at > now()";
        assert_eq!(database.number(live).await, 3);
    }
}

#[tokio::test]
async fn a_trigger_that_changes_the_session_itself_or_none_holds_nothing() {
    for (before, settings, ended) in [
        ("BEFORE UPDATE", "revoke = { column = \"revoked_at\" }", "NEW.user_id := 7; RETURN NEW;"),
        ("AFTER DELETE", "", "UPDATE public.sessions SET user_id = 7 WHERE id = OLD.id; RETURN OLD;"),
    ] {
        let mut database = filled(3, 3).await;
        let (when, event) = before.split_once(' ').expect("two words");
        database.sql(&trigger(when, ended).replace(" DELETE ON", &format!(" {event} ON"))).await;
        database.once_with(&by_expiry(settings), &[]).exits(0).swept("logins", json!({ "expired": 3, "live": 3 }));
    }
}

#[tokio::test]
async fn a_key_that_clears_the_reference_of_a_live_session_is_no_trigger_that_changes_it() {
    let mut database = filled(3, 3).await;
    database.sql(&trigger("AFTER", "RETURN OLD;")).await;
    database
        .sql(
            "ALTER TABLE sessions ADD parent bigint REFERENCES sessions ON DELETE SET NULL;
             CREATE INDEX ON sessions (parent); UPDATE sessions SET parent = id - 3 WHERE id > 3",
        )
        .await;
    database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 3, "live": 3 }));
    assert_eq!(database.number("SELECT count(parent) FROM sessions").await, 0);
}

#[tokio::test]
async fn a_triggers_function_that_names_no_schema_is_named_with_the_statement_that_helps() {
    let mut database = filled(3, 3).await;
    database.sql("CREATE TABLE told (session bigint)").await;
    database.sql(&trigger("AFTER", "INSERT INTO told VALUES (OLD.id); RETURN OLD;")).await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
    outcome.store_says("logins", "error", &["public.f()", "search_path = pg_catalog", "names no schema"]);
    assert_eq!(outcome.store_kinds("logins", "error"), ["trigger_failed"]);
    let fix = outcome.store_fix("logins", "error");
    assert_eq!(fix, "ALTER FUNCTION public.f() SET search_path = \"$user\", public");
    database.sql(&fix).await;
    database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 3 }));
    assert_eq!(database.number("SELECT count(*) FROM told").await, 3);
}

#[tokio::test]
async fn a_search_path_is_set_only_where_that_changes_nothing_for_the_application() {
    let tell = trigger("AFTER", "INSERT INTO told VALUES (OLD.id); RETURN OLD;");
    let tenant = "CREATE SCHEMA tenant; CREATE TABLE tenant.t (); CREATE TRIGGER t AFTER DELETE ON tenant.t FOR EACH ROW EXECUTE FUNCTION f()";
    let elsewhere =
        "CREATE SCHEMA logs; CREATE TABLE logs.told (session bigint); ALTER DATABASE $ SET search_path = logs, public";
    let of_a_role = "CREATE ROLE $_app; GRANT DELETE ON sessions TO $_app; ALTER ROLE $_app SET search_path = tenant";
    let unreached =
        "CREATE SCHEMA logs; CREATE TABLE logs.told (session bigint); ALTER DATABASE $ SET search_path = logs";
    for (more, fix) in [
        (elsewhere, Some("ALTER FUNCTION public.f() SET search_path = logs, public")),
        (tenant, None),
        (of_a_role, None),
        (unreached, None),
    ] {
        let mut database = filled(3, 3).await;
        database.sql(&format!("{tell}; {}", more.replace('$', &database.name))).await;
        let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
        assert_eq!(outcome.store_fixes("logins", "error"), fix.into_iter().collect::<Vec<_>>(), "{more}");
        let way = if fix.is_some() { "all sessions begin with" } else { "write the schemas of its tables into it" };
        outcome.store_says("logins", "error", &[way]);
        let Some(fix) = fix else { continue };
        database.sql(fix).await;
        database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 3 }));
        // The application's own deletions go on as before.
        let mut application = database.connect().await;
        sqlx::raw_sql("DELETE FROM public.sessions").execute(&mut application).await.unwrap();
        assert_eq!(database.number("SELECT count(*) FROM logs.told").await, 6);
    }
}

#[tokio::test]
async fn a_rule_is_named_and_a_disabled_trigger_too() {
    let mut database = filled(2, 2).await;
    database.sql(&trigger("AFTER", "RETURN OLD;")).await;
    database.sql("ALTER TABLE sessions DISABLE TRIGGER t").await;
    let outcome = database.once_with(&by_expiry(""), &["--dry-run"]).exits(0);
    outcome.store_says("logins", "warnings", &["the trigger t of public.sessions is disabled"]);
    database.sql("CREATE RULE keep AS ON DELETE TO sessions DO INSTEAD NOTHING").await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
    outcome.store_says("logins", "error", &["the rule keep of public.sessions"]);
    assert_eq!(outcome.store_kinds("logins", "error"), ["rewrite_rule"]);
    assert_eq!(left(&mut database).await, 4);
}

#[tokio::test]
async fn a_trigger_whose_deletions_are_not_counted_holds_the_sweep() {
    let mut database = filled(2, 2).await;
    let name = database.name.clone();
    database
        .sql(&format!(
            "CREATE FUNCTION others() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.sessions WHERE user_id > 2; RETURN NULL; END';
             CREATE TRIGGER others AFTER DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION others();
             ALTER DATABASE \"{name}\" SET track_counts = off"
        ))
        .await;
    let outcome = database.once_with(&by_expiry(""), &["--approve", "logins"]).exits(3);
    outcome.store_says("logins", "held", &["track_counts is off"]);
    assert_eq!(left(&mut database).await, 4);
}

#[tokio::test]
async fn a_column_that_a_triggers_function_misses_is_no_matter_of_the_search_path() {
    for (body, pin, words) in [
        ("PERFORM OLD.gone; RETURN OLD;", "", "record \"old\" has no field \"gone\""),
        ("UPDATE public.told SET gone = 1; RETURN OLD;", "", "column \"gone\" of relation \"told\" does not exist"),
        // Nor is a table, where the function has a search path itself.
        ("DELETE FROM nowhere; RETURN OLD;", "ALTER FUNCTION f() SET search_path = public", "relation \"nowhere\""),
    ] {
        let mut database = filled(3, 3).await;
        database.sql("CREATE TABLE told (session bigint)").await;
        database.sql(&format!("{}; {pin}", trigger("AFTER", body))).await;
        let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
        outcome.store_says("logins", "error", &["t on public.sessions, which runs public.f()", words]);
        assert_eq!(outcome.store_kinds("logins", "error"), ["trigger_failed"]);
        assert_eq!(outcome.store_fixes("logins", "error"), [""; 0], "{body}");
        assert!(!outcome.store("logins").to_string().contains("search_path"), "{}", outcome.store("logins"));
        assert_eq!(left(&mut database).await, 6);
    }
}
