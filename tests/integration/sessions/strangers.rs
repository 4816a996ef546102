//! Nobody's code gets more rights by a sweep of sessions than its owner has.

use super::{by_expiry, filled, left};
use crate::support::{Database, LONG_TIMEOUTS, Running, wait_until_blocked_on};
use serde_json::json;

/// Two expired sessions, one that lives, and a role that owns schema `m` with its spies.
async fn with_stranger() -> (Database, String) {
    let mut database = filled(2, 1).await;
    let role = database.role("stranger");
    let spies = database.spies("m");
    database
        .sql(&format!(
            "CREATE ROLE {role} LOGIN; CREATE SCHEMA m AUTHORIZATION {role}; SET ROLE {role}; {spies} RESET ROLE;
             GRANT USAGE ON SCHEMA m TO PUBLIC"
        ))
        .await;
    (database, role)
}

/// A role that sweeps and owns nothing.
async fn medic(database: &mut Database) -> String {
    let role = database.role("medic");
    database.sql(&format!("CREATE ROLE {role} LOGIN; GRANT SELECT, UPDATE, DELETE ON sessions TO {role}")).await;
    role
}

#[tokio::test]
async fn a_superuser_sweeps_no_table_of_somebody_elses() {
    for trap in [
        "CREATE RULE r AS ON DELETE TO sessions
         DO INSTEAD DELETE FROM other WHERE m.tell() = 1 RETURNING 1::bigint, 1, now(), now(), now()",
        "CREATE RULE r AS ON UPDATE TO sessions DO ALSO SELECT m.tell()",
        "CREATE TRIGGER t AFTER DELETE ON sessions EXECUTE FUNCTION m.spy_row()",
        "CREATE INDEX ON sessions (m.spy(0))",
        "DO 'BEGIN EXECUTE CASE WHEN current_setting(''server_version_num'')::integer >= 140000
         THEN ''CREATE STATISTICS s ON m.spy(0), id FROM sessions'' ELSE ''CREATE INDEX ON sessions (m.spy(0))'' END; END'",
        "ALTER TABLE sessions ADD CHECK (m.spy(0) > 0)",
        "ALTER TABLE sessions ADD g integer GENERATED ALWAYS AS (m.spy(0)) STORED",
        "",
    ] {
        let (mut database, role) = with_stranger().await;
        database
            .sql(&format!(
                "ALTER TABLE sessions OWNER TO {role}; GRANT CREATE ON SCHEMA public TO {role};
                 SET ROLE {role}; CREATE TABLE other (); {trap}; RESET ROLE"
            ))
            .await;
        for arguments in [&[][..], &["--dry-run"]] {
            for action in ["", "revoke = { column = \"revoked_at\" }"] {
                let outcome = database.once_with(&by_expiry(action), arguments).exits(1);
                let found = format!("table: public.sessions belongs to {role}, whose triggers, rules and functions");
                outcome.store_says("logins", "error", &[&found, "postgres, a superuser", "pgmedic grants"]);
            }
        }
        assert!(!database.spied().contains("postgres"), "{trap}");
        assert_eq!(left(&mut database).await, 3, "{trap}");
    }
}

#[tokio::test]
async fn a_superuser_sweeps_no_table_that_others_may_replace_or_have_hung_something_on() {
    for (trap, found) in [
        ("CREATE TRIGGER t AFTER DELETE ON sessions EXECUTE FUNCTION m.spy_row()", "sessions runs functions of"),
        (
            "CREATE TABLE m.child (id bigint REFERENCES sessions ON DELETE CASCADE);
             CREATE TRIGGER t AFTER DELETE ON m.child FOR EACH ROW EXECUTE FUNCTION m.spy_row()",
            "m.child, to which a foreign key's action leads, belongs to",
        ),
        ("RESET ROLE; ALTER SCHEMA public OWNER TO @", "sessions is in a schema of"),
        (
            "RESET ROLE; ALTER DATABASE $ OWNER TO @;
             DO 'BEGIN EXECUTE CASE WHEN current_setting(''server_version_num'')::integer >= 140000
                 THEN ''ALTER SCHEMA public OWNER TO pg_database_owner'' ELSE ''ALTER SCHEMA public OWNER TO @'' END; END'",
            "is in a schema of",
        ),
        ("RESET ROLE; CREATE INDEX ON sessions (m.spy(0))", "sessions runs functions of"),
    ] {
        let (mut database, role) = with_stranger().await;
        let trap = trap.replace('@', &role).replace('$', &database.name);
        database
            .sql(&format!("GRANT TRIGGER, REFERENCES ON sessions TO {role}; SET ROLE {role}; {trap}; RESET ROLE"))
            .await;
        let before = database.spied();
        let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
        outcome.store_says("logins", "error", &[found, &role]);
        assert_eq!(database.spied(), before, "{trap}");
        assert_eq!(left(&mut database).await, 3, "{trap}");
    }
}

/// A foreign key's action runs as the owner of the table that it changes, but that table's triggers as who deletes.
#[tokio::test]
async fn a_foreign_key_lends_nobody_the_rights_of_a_role_that_sweeps() {
    let (mut database, role) = with_stranger().await;
    let medic = medic(&mut database).await;
    database
        .sql(&format!(
            "GRANT REFERENCES ON sessions TO {role}; SET ROLE {role};
             CREATE TABLE m.child (id bigint REFERENCES sessions ON DELETE CASCADE); INSERT INTO m.child VALUES (1);
             CREATE TRIGGER t AFTER DELETE ON m.child FOR EACH ROW EXECUTE FUNCTION m.spy_row(); RESET ROLE"
        ))
        .await;
    let outcome = database.once_with_as(&medic, &by_expiry(""), &[]).exits(1);
    outcome.store_says(
        "logins",
        "error",
        &["table: m.child, to which a foreign key's action leads, belongs to", &medic],
    );
    assert_eq!((database.spied().len(), left(&mut database).await), (0, 3));
    assert_eq!(outcome.store_kinds("logins", "error"), ["untrusted_code"]);
    assert_eq!(outcome.store_fix("logins", "error"), "ALTER TABLE m.child OWNER TO postgres");
    database.sql(&outcome.store_fix("logins", "error")).await;
    database.once_with_as(&medic, &by_expiry(""), &[]).exits(3).swept("logins", json!({ "expired": 2 }));
    // So it is: they would have been its rights; from version 18 on those of the owner, whose action it is.
    let new = database.number("SELECT current_setting('server_version_num')::bigint").await >= 180_000;
    let whose = if new { "postgres" } else { medic.as_str() };
    assert!(database.spied().contains(whose), "{:?}", database.spied());
}

#[tokio::test]
async fn what_is_hung_on_the_table_after_the_look_is_found_before_anything_is_deleted() {
    let (mut database, role) = with_stranger().await;
    database.sql(&format!("GRANT TRIGGER ON sessions TO {role}")).await;
    let mut other = database.connect().await;
    let trap = format!(
        "BEGIN; LOCK TABLE sessions IN SHARE MODE; SET ROLE {role};
         CREATE TRIGGER t AFTER DELETE ON sessions EXECUTE FUNCTION m.spy_row()"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(trap)).execute(&mut other).await.unwrap();
    // The look passes this lock, the sweep waits for it.
    let running = Running::once_with(&database, &format!("{LONG_TIMEOUTS}{}", by_expiry("")), &[]);
    wait_until_blocked_on(&mut database.connection, "sessions").await;
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    let outcome = running.outcome().await.exits(1);
    outcome.store_says("logins", "error", &["it was altered or replaced meanwhile"]);
    assert_eq!((database.spied().len(), left(&mut database).await), (0, 3));
}

#[tokio::test]
async fn no_name_ends_what_it_stands_in() {
    let mut database = filled(2, 1).await;
    let name = "a\n'; DROP TABLE told; --\"\\@TABLE@";
    let quoted = format!("\"{}\"", name.replace('"', "\"\""));
    database.sql(&format!("CREATE TABLE told (); ALTER TABLE sessions RENAME TO {quoted}")).await;
    let table = format!("public.{quoted}").replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let settings = by_expiry("").replace("public.sessions", &table);
    database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "expired": 2, "remaining": 1 }));
    assert_eq!(database.number("SELECT count(*) FROM pg_class WHERE relname = 'told'").await, 1);
}
