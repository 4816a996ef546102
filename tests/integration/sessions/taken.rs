//! What would go with a session beyond the store is noticed before it is lost: by foreign keys, triggers and rules.

use super::triggers::trigger;
use super::{by_expiry, filled, left, logins};
use serde_json::json;

const USERS: &str = "CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users SELECT generate_series(1, 9)";

#[tokio::test]
async fn a_trigger_that_deletes_rows_of_other_tables_is_found_before_it_is_committed_and_may_be_approved() {
    for doomed in ["users", "\"Odd, \"\"table\"\"\""] {
        let mut database = filled(3, 2).await;
        database.sql(&USERS.replace("users", doomed)).await;
        let body = format!("DELETE FROM public.{doomed} WHERE id = OLD.user_id; RETURN OLD;");
        database.sql(&trigger("AFTER", &body)).await;
        let outcome = database.once_with(&by_expiry(""), &[]).exits(3);
        outcome.swept("logins", json!({ "expired": 0, "stale": 3, "live": 2 }));
        let deletes = format!("a trigger deletes rows of public.{doomed} with the sessions");
        outcome.store_says("logins", "held", &[&deletes, "t on public.sessions, which runs public.f()"]);
        assert_eq!(outcome.store_kinds("logins", "held"), ["takes_along"]);
        assert_eq!(database.number(&format!("SELECT count(*) FROM {doomed}")).await, 9);
        database.once_with(&by_expiry(""), &["--approve", "logins"]).exits(0).swept("logins", json!({ "expired": 3 }));
        assert_eq!(database.number(&format!("SELECT count(*) FROM {doomed}")).await, 6);
    }
}

#[tokio::test]
async fn what_triggers_delete_by_way_of_rows_that_refer_to_a_session_is_found_too() {
    let mut database = filled(3, 2).await;
    database
        .sql(
            "CREATE TABLE orders (id int PRIMARY KEY, sid bigint REFERENCES sessions ON DELETE SET NULL);
             CREATE INDEX ON orders (sid); INSERT INTO orders SELECT id, id FROM sessions;
             CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS
                 $$BEGIN DELETE FROM public.orders WHERE sid IS NULL; RETURN NULL; END$$;
             CREATE TRIGGER g AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION g()",
        )
        .await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(3);
    outcome.store_says("logins", "held", &["deletes rows of public.orders"]);
    assert_eq!((left(&mut database).await, database.number("SELECT count(*) FROM orders").await), (5, 5));
}

#[tokio::test]
async fn triggers_that_write_and_what_foreign_keys_delete_hold_nothing() {
    let mut database = filled(3, 2).await;
    database
        .sql(
            "CREATE TABLE data (sid bigint NOT NULL REFERENCES sessions ON DELETE CASCADE) PARTITION BY HASH (sid);
             CREATE TABLE data_0 PARTITION OF data FOR VALUES WITH (MODULUS 1, REMAINDER 0); CREATE INDEX ON data (sid);
             INSERT INTO data SELECT id FROM sessions; CREATE TABLE audit (id bigint)",
        )
        .await;
    database.sql(&trigger("AFTER", "INSERT INTO public.audit VALUES (OLD.id); RETURN OLD;")).await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(0);
    outcome.swept("logins", json!({ "expired": 3, "takes_along": ["public.data"] }));
    assert_eq!(database.number("SELECT count(*) FROM audit").await, 3);
}

#[tokio::test]
async fn a_rule_that_deletes_other_rows_with_what_a_foreign_key_deletes_is_held() {
    let mut database = filled(3, 2).await;
    database.sql(USERS).await;
    database
        .sql(
            "CREATE TABLE tokens (sid bigint NOT NULL REFERENCES sessions ON DELETE CASCADE); CREATE INDEX ON tokens (sid);
             INSERT INTO tokens SELECT id FROM sessions;
             CREATE RULE also AS ON DELETE TO tokens DO ALSO DELETE FROM users WHERE id = OLD.sid",
        )
        .await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(3);
    outcome.store_says("logins", "held", &["the rule also of public.tokens deletes other rows"]);
    assert_eq!(database.number("SELECT count(*) FROM users").await, 9);
}

#[tokio::test]
async fn a_trigger_that_puts_the_session_back_ends_nothing_and_is_named() {
    let mut database = filled(40, 20).await;
    let back = "INSERT INTO public.sessions OVERRIDING SYSTEM VALUE VALUES (OLD.*); RETURN OLD;";
    database.sql(&trigger("AFTER", back)).await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
    outcome.swept("logins", json!({ "expired": 0, "stale": 40, "live": 20 }));
    outcome.store_says("logins", "error", &["a trigger deletes, changes or adds other sessions", "public.f()"]);
    assert_eq!(left(&mut database).await, 60);
}

#[tokio::test]
async fn rows_that_may_exist_without_a_session_or_belong_to_others_are_not_deleted_with_it() {
    for (table, why) in [
        ("people_data (id int, last_sid bigint REFERENCES sessions ON DELETE CASCADE)", "only name their last session"),
        (
            "payments (id int, sid bigint NOT NULL REFERENCES sessions ON DELETE CASCADE)",
            "no part of a session by its name",
        ),
    ] {
        let mut database = filled(3, 2).await;
        let name = table.split(' ').next().expect("a name");
        database.sql(&format!("CREATE TABLE {table}; INSERT INTO {name} SELECT id, id FROM sessions")).await;
        let outcome = database.once_with(&by_expiry(""), &[]).exits(3);
        outcome.store_says("logins", "held", &[&format!("public.{name}"), why]);
        assert_eq!(database.number(&format!("SELECT count(*) FROM {name}")).await, 5, "{name}");
    }
}

#[tokio::test]
async fn sessions_of_another_store_are_not_deleted_with_it() {
    let mut database = filled(3, 2).await;
    database
        .sql(
            "CREATE TABLE tokens (id int, sid bigint NOT NULL REFERENCES sessions ON DELETE CASCADE, ends timestamptz);
             CREATE INDEX ON tokens (sid); CREATE INDEX ON tokens (ends);
             INSERT INTO tokens SELECT id, id, now() + interval '30 days' FROM sessions",
        )
        .await;
    let tokens = "[[sessions]]\nname = \"tokens\"\ntable = \"public.tokens\"\nexpires_at = \"ends\"\nencoding = \"timestamptz\"\n";
    let both = by_expiry("") + tokens;
    let outcome = database.once_with(&both, &[]).exits(3);
    outcome.store_says("logins", "held", &["public.tokens is another configured store, whose sessions may be live"]);
    outcome.swept("tokens", json!({ "expired": 0, "live": 5 }));
    // Alone, they are a part of the session.
    database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "takes_along": ["public.tokens"] }));
}

#[tokio::test]
async fn a_domain_over_a_domain_has_the_type_beneath_both() {
    let mut database = filled(3, 2).await;
    database
        .sql(
            "CREATE DOMAIN moment AS timestamptz; CREATE DOMAIN ending AS moment;
             ALTER TABLE sessions ALTER expires_at TYPE ending",
        )
        .await;
    database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 3, "live": 2 }));
}

#[tokio::test]
async fn an_infinite_number_never_ends() {
    let mut database = filled(0, 0).await;
    database
        .sql(
            "ALTER TABLE sessions ADD e numeric; INSERT INTO sessions (e) SELECT 'NaN' FROM generate_series(1, 120);
             DO $$BEGIN
                 IF current_setting('server_version_num')::int >= 140000 THEN UPDATE sessions SET e = 'Infinity'; END IF;
             END$$",
        )
        .await;
    let by_number = logins("expires_at = \"e\"\nencoding = \"epoch-seconds\"");
    database.once_with(&by_number, &[]).exits(0).swept("logins", json!({ "expired": 0, "live": 120 }));
}

#[tokio::test]
async fn a_trigger_that_makes_live_sessions_over_has_them_ended_by_no_sweep() {
    let mut database = filled(4, 8).await;
    database.sql("ALTER TABLE sessions ADD earlier bigint REFERENCES sessions ON DELETE SET NULL; UPDATE sessions SET user_id = 1").await;
    let out =
        "UPDATE public.sessions SET expires_at = now() - interval '1 day' WHERE user_id = OLD.user_id; RETURN OLD;";
    database.sql(&trigger("AFTER", out)).await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(3);
    outcome.store_says("logins", "held", &["others are over now", "public.f()"]);
    assert_eq!(left(&mut database).await, 8);
}

#[tokio::test]
async fn what_a_trigger_puts_off_to_the_end_is_found_too() {
    let mut database = filled(3, 4).await;
    database.sql(&trigger("BEFORE", "SET CONSTRAINTS ALL DEFERRED; RETURN OLD;")).await;
    database
        .sql(
            "CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN DELETE FROM public.sessions; RETURN NULL; END$$;
             CREATE CONSTRAINT TRIGGER g AFTER DELETE ON sessions DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW EXECUTE FUNCTION g()",
        )
        .await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
    outcome.swept("logins", json!({ "expired": 0, "live": 4 }));
    assert_eq!(left(&mut database).await, 7);
}

#[tokio::test]
async fn a_trigger_that_truncates_another_table_is_found_before_it_is_committed_and_may_be_approved() {
    for (body, emptied) in [
        ("TRUNCATE public.users; RETURN OLD;", "users"),
        ("BEGIN TRUNCATE public.users; EXCEPTION WHEN others THEN NULL; END; RETURN OLD;", "users"),
        // Its partitions, and by a foreign key what refers to them.
        ("TRUNCATE public.\"Odd, table\" CASCADE; RETURN OLD;", "\"Odd, part\", public.orders"),
    ] {
        let mut database = filled(3, 2).await;
        database.sql(USERS).await;
        database
            .sql(&format!(
                "CREATE TABLE \"Odd, table\" (id int PRIMARY KEY) PARTITION BY LIST (id);
                 CREATE TABLE \"Odd, part\" PARTITION OF \"Odd, table\" DEFAULT; INSERT INTO \"Odd, table\" VALUES (1);
                 CREATE TABLE orders (id int REFERENCES \"Odd, table\"); INSERT INTO orders VALUES (1);
                 {}",
                trigger("AFTER", body)
            ))
            .await;
        let rows = "SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM \"Odd, table\") + (SELECT count(*) FROM orders)";
        let outcome = database.once_with(&by_expiry(""), &[]).exits(3);
        outcome.swept("logins", json!({ "expired": 0, "stale": 3, "live": 2 }));
        let deletes = format!("a trigger deletes rows of public.{emptied} with the sessions");
        outcome.store_says("logins", "held", &[&deletes, "t on public.sessions, which runs public.f()"]);
        assert_eq!(outcome.store_kinds("logins", "held"), ["takes_along"]);
        assert_eq!(database.number(rows).await, 11);
        database.once_with(&by_expiry(""), &["--approve", "logins"]).exits(0).swept("logins", json!({ "expired": 3 }));
        assert!(database.number(rows).await < 11);
    }
}

#[tokio::test]
async fn a_trigger_that_drops_another_table_is_found_before_it_is_committed_and_may_be_approved() {
    let mut database = filled(3, 2).await;
    database.sql("CREATE TABLE invoices (id int); CREATE TABLE invoices_too (id int)").await;
    database.sql(&trigger("AFTER", "DROP TABLE IF EXISTS public.invoices, public.invoices_too; RETURN OLD;")).await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(3);
    outcome.swept("logins", json!({ "expired": 0, "stale": 3, "live": 2 }));
    let oids: Vec<String> = [
        database.number("SELECT 'invoices'::regclass::oid::bigint").await,
        database.number("SELECT 'invoices_too'::regclass::oid::bigint").await,
    ]
    .map(|oid| format!("a relation that it drops (OID {oid})"))
    .into();
    let deletes = format!("a trigger deletes rows of {} with the sessions", oids.join(", "));
    outcome.store_says("logins", "held", &[&deletes, "t on public.sessions, which runs public.f()"]);
    assert_eq!(outcome.store_kinds("logins", "held"), ["takes_along"]);
    database.once_with(&by_expiry(""), &["--approve", "logins"]).exits(0).swept("logins", json!({ "expired": 3 }));
    assert_eq!(database.number("SELECT count(*) FROM pg_class WHERE relname LIKE 'invoices%'").await, 0);
}

#[tokio::test]
async fn a_trigger_that_truncates_the_sessions_themselves_at_the_end_is_found_too() {
    let mut database = filled(3, 2).await;
    database.sql("CREATE TABLE audit (id bigint)").await;
    let puts_off = "SET CONSTRAINTS ALL DEFERRED; INSERT INTO public.audit VALUES (OLD.id); RETURN OLD;";
    database.sql(&trigger("BEFORE", puts_off)).await;
    database
        .sql(
            "CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN TRUNCATE public.sessions; RETURN NULL; END$$;
             CREATE CONSTRAINT TRIGGER g AFTER INSERT ON audit DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW EXECUTE FUNCTION g()",
        )
        .await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(3);
    outcome.store_says("logins", "held", &["deletes rows of public.sessions"]);
    assert_eq!(left(&mut database).await, 5);
}

#[tokio::test]
async fn a_trigger_that_makes_and_locks_tables_holds_nothing() {
    for body in [
        "CREATE TEMP TABLE IF NOT EXISTS seen (id bigint); TRUNCATE seen; INSERT INTO seen VALUES (OLD.id);",
        "CREATE TABLE IF NOT EXISTS public.log_now PARTITION OF public.log DEFAULT; INSERT INTO public.log VALUES (OLD.id);",
        "CREATE TEMP TABLE seen (id bigint); INSERT INTO seen VALUES (OLD.id); DROP TABLE seen;",
        "DROP TABLE IF EXISTS seen; CREATE TEMP TABLE seen (id bigint, note text);",
        "LOCK TABLE public.emptied IN ACCESS EXCLUSIVE MODE; INSERT INTO public.emptied VALUES (OLD.id);",
    ] {
        let mut database = filled(3, 2).await;
        database.sql("CREATE TABLE log (id bigint) PARTITION BY RANGE (id); CREATE TABLE emptied (id bigint)").await;
        database.sql("TRUNCATE emptied").await;
        database.sql(&trigger("AFTER", &format!("{body} RETURN OLD;"))).await;
        // The second sweep finds what the first has made.
        database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 3, "held": null }));
    }
}
