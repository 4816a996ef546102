//! The fixes of a store's reasons: each is run as it is printed, and helps.

use super::{by_expiry, filled, left, run_fix};
use crate::support::{Database, LONG_TIMEOUTS, Running, wait_until_blocked_on};
use serde_json::json;
use sqlx::Row;

/// What PostgreSQL says of this constraint.
async fn definition(database: &mut Database, constraint: &str) -> String {
    let query = format!("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{constraint}'");
    database.row(&query).await.get(0)
}

#[tokio::test]
async fn the_fix_of_a_foreign_key_changes_nothing_but_what_a_deletion_does() {
    for (before, after) in [
        ("MATCH FULL ON UPDATE CASCADE", "DEFERRABLE INITIALLY DEFERRED"),
        ("ON UPDATE SET NULL", "DEFERRABLE"),
        ("ON UPDATE SET DEFAULT", "NOT VALID"),
        ("ON UPDATE RESTRICT", ""),
        ("", ""),
    ] {
        for (deletion, nullable) in [("", true), ("ON DELETE RESTRICT", true), ("ON DELETE RESTRICT", false)] {
            let not_null = if nullable { "" } else { "NOT NULL" };
            let mut database = filled(3, 2).await;
            database
                .sql(&format!(
                    "ALTER TABLE sessions ADD \"a, \"\"b\" bigint, ADD UNIQUE (user_id, \"a, \"\"b\");
                     UPDATE sessions SET \"a, \"\"b\" = id;
                     CREATE SCHEMA \"%s\"; SET search_path = \"%s\", public;
                     CREATE TABLE \"L\" (\"the user\" int {not_null}, key bigint {not_null}, UNIQUE (\"the user\", key));
                     INSERT INTO \"L\" SELECT user_id, id FROM sessions;
                     ALTER TABLE \"L\" ADD CONSTRAINT \"its; key\" FOREIGN KEY (\"the user\", key)
                         REFERENCES sessions (user_id, \"a, \"\"b\") {before} {deletion} {after}"
                ))
                .await;
            let was = definition(&mut database, "its; key").await;
            let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
            assert_eq!(outcome.store_kinds("logins", "error"), ["foreign_key"], "{was}");
            assert_eq!(left(&mut database).await, 5, "{was}");
            database.sql(&outcome.store_fix("logins", "error")).await;
            let is = definition(&mut database, "its; key").await;
            let of_deletion = if nullable { " ON DELETE SET NULL" } else { " ON DELETE CASCADE" };
            assert_eq!(is.replace(of_deletion, ""), was.replace(" ON DELETE RESTRICT", ""));
            assert!(is.contains(of_deletion), "{is}");
            let outcome = database.once_with(&by_expiry(""), &[]).exits(0);
            outcome.swept("logins", json!({ "expired": 3, "warnings": [] }));
            let kept = if nullable { 5 } else { 2 };
            assert_eq!(database.number("SELECT count(*) FROM \"L\"").await, kept, "{was}");
        }
    }
}

#[tokio::test]
async fn where_several_foreign_keys_can_stop_a_deletion_each_has_its_fix_and_the_error_has_none() {
    let mut database = filled(1, 1).await;
    database
        .sql(
            "CREATE TABLE one (session bigint PRIMARY KEY REFERENCES sessions); INSERT INTO one SELECT id FROM sessions;
             CREATE TABLE two (session bigint PRIMARY KEY REFERENCES sessions)",
        )
        .await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
    assert_eq!(outcome.store_fixes("logins", "error"), Vec::<String>::new());
    let fixes = outcome.store_fixes("logins", "warnings");
    assert_eq!(fixes.len(), 2, "{fixes:?}");
    assert!(fixes[0].starts_with("ALTER TABLE public.one ") && fixes[1].starts_with("ALTER TABLE public.two "));
    database.sql(&fixes[0]).await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(0);
    outcome.swept("logins", json!({ "expired": 1 }));
    assert_eq!(outcome.store_fixes("logins", "warnings"), fixes[1..]);
}

#[tokio::test]
async fn no_fix_ends_the_live_session_that_refers_to_an_expired_one() {
    let mut database = filled(1, 1).await;
    database
        .sql(
            "ALTER TABLE sessions ADD parent bigint UNIQUE REFERENCES sessions;
             UPDATE sessions SET parent = (SELECT id FROM sessions WHERE expires_at < now()) WHERE expires_at > now()",
        )
        .await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
    outcome.store_says("logins", "warnings", &["public.sessions refers to itself by parent", "ON DELETE SET NULL"]);
    assert_eq!(outcome.store_kinds("logins", "error"), ["foreign_key"]);
    database.sql(&outcome.store_fix("logins", "error")).await;
    database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 1, "live": 1 }));
    assert_eq!(left(&mut database).await, 1);
}

/// `users` refer to their last session, and orders to their user.
async fn with_users_and_orders(last_session: &str) -> Database {
    let mut database = filled(3, 3).await;
    database
        .sql(&format!(
            "CREATE TABLE users (id int PRIMARY KEY, last_session bigint {last_session});
             CREATE INDEX ON users (last_session);
             CREATE TABLE orders (id int PRIMARY KEY, user_id int NOT NULL REFERENCES users ON DELETE CASCADE);
             CREATE INDEX ON orders (user_id);
             INSERT INTO users SELECT id, id FROM sessions; INSERT INTO orders SELECT id, id FROM users"
        ))
        .await;
    database
}

#[tokio::test]
async fn the_fix_of_a_users_last_session_keeps_the_user_with_its_orders_and_the_constraints_deferral() {
    let mut database = with_users_and_orders("CONSTRAINT last REFERENCES sessions DEFERRABLE INITIALLY DEFERRED").await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
    let fix = outcome.store_fix("logins", "warnings");
    assert!(fix.contains("NOT VALID; ALTER TABLE public.users VALIDATE CONSTRAINT last"), "{fix}");
    database.sql(&fix).await;
    database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 3, "live": 3 }));
    let rows = "SELECT (SELECT count(*) FROM users) * 10 + (SELECT count(*) FROM orders)";
    assert_eq!(database.number(rows).await, 66, "6 users and 6 orders");
    let definition = definition(&mut database, "last").await;
    assert!(definition.ends_with("ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED"), "{definition}");
}

#[tokio::test]
async fn a_cascade_that_would_delete_users_is_held_by_name_and_no_fix_adds_one() {
    let mut database = with_users_and_orders("CONSTRAINT last REFERENCES sessions ON DELETE CASCADE").await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(3);
    outcome.store_says(
        "logins",
        "held",
        &["the foreign key last of public.users", "rows of public.orders would be deleted"],
    );
    assert_eq!(outcome.store_kinds("logins", "held"), ["takes_along"]);
    assert_eq!(left(&mut database).await, 6);

    let mut database = with_users_and_orders("NOT NULL CONSTRAINT last REFERENCES sessions").await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
    assert_eq!(outcome.store_fixes("logins", "warnings"), Vec::<String>::new());
    outcome.store_says("logins", "warnings", &["ON DELETE CASCADE would delete more than a session"]);
    assert_eq!(database.number("SELECT count(*) FROM users").await, 6);
}

/// PostgreSQL creates no index concurrently on a partitioned table.
#[tokio::test]
async fn the_fix_of_a_missing_index_works_on_partitioned_tables_too() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE sessions (id int PRIMARY KEY, expires_at timestamptz) PARTITION BY RANGE (id);
             CREATE TABLE low PARTITION OF sessions FOR VALUES FROM (0) TO (100);
             CREATE TABLE logs (session int REFERENCES sessions ON DELETE CASCADE) PARTITION BY RANGE (session);
             CREATE TABLE low_logs PARTITION OF logs FOR VALUES FROM (0) TO (100);
             INSERT INTO sessions
             SELECT n, now() + n * interval '1 hour' - interval '3.5 hours' FROM generate_series(1, 6) AS n;
             INSERT INTO logs SELECT id FROM sessions",
        )
        .await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(0);
    outcome.swept("logins", json!({ "expired": 3 }));
    let fixes = outcome.store_fixes("logins", "warnings");
    assert_eq!(fixes, ["CREATE INDEX ON public.sessions (expires_at)", "CREATE INDEX ON public.logs (session)"]);
    for fix in &fixes {
        database.sql(fix).await;
    }
    database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "warnings": [] }));
}

#[tokio::test]
async fn a_superuser_is_told_the_command_that_sets_up_another_role() {
    let mut database = filled(2, 1).await;
    let (owner, medic) = (database.role("owner"), database.role("medic"));
    database.sql(&format!("CREATE ROLE {owner}; ALTER TABLE sessions OWNER TO {owner}")).await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
    assert_eq!(outcome.store_kinds("logins", "error"), ["untrusted_code"]);
    let fix = outcome.store_fix("logins", "error");
    assert_eq!(fix, "pgmedic grants --role pgmedic");
    // Roles belong to the whole server, so this test has another name for it.
    let fix = fix.replace("--role pgmedic", &format!("--role {medic}"));
    let script = run_fix(&database, "postgres", &by_expiry(""), &fix).exits(0).stdout;
    database.sql(&script).await;
    database.once_with_as(&medic, &by_expiry(""), &[]).swept("logins", json!({ "expired": 2, "error": null }));
}

/// A privilege that is missing before the sweep is named. One that is revoked during the sweep is refused by the server.
#[tokio::test]
async fn a_privilege_that_is_revoked_during_the_sweep_is_among_those_that_the_fix_prints() {
    let mut database = filled(2, 1).await;
    let medic = database.role("medic");
    database
        .sql(&format!(
            "CREATE ROLE {medic} LOGIN; GRANT SELECT, UPDATE, DELETE ON sessions TO {medic};
             GRANT SELECT ON SEQUENCE sessions_id_seq TO {medic}"
        ))
        .await;
    let mut other = database.connect().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE sessions IN SHARE MODE").execute(&mut other).await.unwrap();
    // The inspection does not conflict with this lock, and the sweep waits for it.
    let settings = format!("{LONG_TIMEOUTS}{}", by_expiry(""));
    let running = Running::once_with_as(&database, &medic, &settings, &[]);
    wait_until_blocked_on(&mut database.connection, "sessions").await;
    database.sql(&format!("REVOKE DELETE, UPDATE ON sessions FROM {medic}")).await;
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    let outcome = running.outcome().await.exits(1);
    assert_eq!(outcome.store_kinds("logins", "error"), ["missing_privilege"]);
    let fix = outcome.store_fix("logins", "error");
    assert_eq!((fix.as_str(), left(&mut database).await), ("pgmedic grants", 3));
    let script = run_fix(&database, &medic, &settings, &fix).exits(0).stdout;
    database.sql(&script).await;
    database.once_with_as(&medic, &settings, &[]).swept("logins", json!({ "expired": 2, "error": null }));
}

#[tokio::test]
async fn no_fix_sets_to_null_what_cannot_be_null() {
    for (setup, table) in [
        ("", "c (data jsonb, sid bigint GENERATED ALWAYS AS ((data ->> 'sid')::bigint) STORED REFERENCES sessions)"),
        ("", "c (sid bigint REFERENCES sessions CHECK (sid IS NOT NULL))"),
        ("", "c (gid int, sid bigint REFERENCES sessions CHECK (num_nonnulls(sid, gid) = 1))"),
        ("CREATE DOMAIN a AS bigint NOT NULL; CREATE DOMAIN sid AS a;", "c (sid sid REFERENCES sessions)"),
        ("", "c (id int, sid bigint REFERENCES sessions) PARTITION BY RANGE (sid)"),
    ] {
        let mut database = filled(3, 2).await;
        database.sql(&format!("{setup} CREATE TABLE {table}")).await;
        let outcome = database.once_with(&by_expiry(""), &["--dry-run"]).exits(0);
        let fixes = outcome.store_fixes("logins", "warnings");
        assert!(!fixes.iter().any(|fix| fix.contains("SET NULL")), "{table}: {fixes:?}");
        outcome.store_says("logins", "warnings", &["public.c refers to the sessions by sid"]);
    }
    // A check that is true of NULL does no harm.
    let mut database = filled(3, 2).await;
    database
        .sql("CREATE TABLE c (sid bigint REFERENCES sessions CHECK (sid > 0)); INSERT INTO c SELECT id FROM sessions")
        .await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
    database.sql(&outcome.store_fix("logins", "error")).await;
    database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 3 }));
}

#[tokio::test]
async fn the_fix_of_a_key_that_is_the_whole_primary_key_keeps_the_tenant() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE sessions (tenant int, id int, expires_at timestamptz, PRIMARY KEY (tenant, id));
             INSERT INTO sessions SELECT 7, n, now() + (n - 3.5) * interval '1 day' FROM generate_series(1, 6) AS n;
             CREATE TABLE c (id int, tenant int, sid int, FOREIGN KEY (tenant, sid) REFERENCES sessions);
             INSERT INTO c SELECT id, tenant, id FROM sessions",
        )
        .await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
    let is_partial = database.number("SELECT current_setting('server_version_num')::bigint").await >= 150_000;
    if is_partial {
        database.sql(&outcome.store_fix("logins", "error")).await;
        database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 3 }));
    } else {
        assert_eq!(outcome.store_fixes("logins", "error"), Vec::<String>::new());
    }
    assert_eq!(database.number("SELECT count(*) FROM c WHERE tenant = 7").await, 6);
}

#[tokio::test]
async fn a_reference_to_a_partitioned_store_can_be_cleared() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE sessions (id int PRIMARY KEY, expires_at timestamptz) PARTITION BY RANGE (id);
             CREATE TABLE low PARTITION OF sessions FOR VALUES FROM (0) TO (4);
             CREATE TABLE high PARTITION OF sessions FOR VALUES FROM (4) TO (100);
             INSERT INTO sessions SELECT n, now() + (n - 3.5) * interval '1 day' FROM generate_series(1, 6) AS n;
             CREATE TABLE c (id serial, sid int REFERENCES sessions); INSERT INTO c (sid) SELECT id FROM sessions",
        )
        .await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
    database.sql(&outcome.store_fix("logins", "error")).await;
    database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 3 }));
    assert_eq!(database.number("SELECT count(*) FROM c").await, 6);
}
