//! A sweep runs no code with more rights than the owner of the code has.

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
    database
        .sql(&format!(
            "CREATE ROLE {role} LOGIN; GRANT SELECT, UPDATE, DELETE ON sessions TO {role};
             GRANT SELECT ON SEQUENCE sessions_id_seq TO {role}"
        ))
        .await;
    role
}

#[tokio::test]
async fn a_superuser_sweeps_no_table_of_another_role() {
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
async fn a_superuser_sweeps_no_table_that_other_roles_may_replace_or_have_added_code_to() {
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
        (
            "RESET ROLE; CREATE OPERATOR public.!~~! (FUNCTION = m.spy, RIGHTARG = integer);
             ALTER TABLE sessions ADD CHECK (OPERATOR(public.!~~!) 0 > 0)",
            "sessions runs functions of",
        ),
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

/// A foreign key's action runs as the owner of the table that it changes, but that table's triggers run as the role that
/// deletes.
#[tokio::test]
async fn a_foreign_key_gives_no_other_role_the_rights_of_the_one_that_sweeps() {
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
    // A superuser's rights are not lent to the table's triggers.
    assert_eq!(outcome.store_fixes("logins", "error"), [""; 0]);
}

#[tokio::test]
async fn the_fix_that_gives_a_table_to_another_owner_leaves_its_application_working() {
    let (mut database, role) = with_stranger().await;
    let medic = medic(&mut database).await;
    let owner = database.role("owner");
    database
        .sql(&format!(
            "CREATE ROLE {owner} LOGIN; ALTER TABLE sessions OWNER TO {owner}; REVOKE USAGE ON SCHEMA m FROM PUBLIC;
             GRANT REFERENCES ON sessions TO {role}; SET ROLE {role};
             CREATE TABLE m.child (n serial, session bigint REFERENCES sessions ON DELETE CASCADE);
             CREATE INDEX ON m.child (session); INSERT INTO m.child (session) VALUES (1); RESET ROLE"
        ))
        .await;
    // An owner that could not alter its table any more, by the next migration perhaps, keeps it.
    let outcome = database.once_with_as(&medic, &by_expiry(""), &[]).exits(1);
    assert_eq!(outcome.store_fixes("logins", "error"), [""; 0]);
    outcome.store_says(
        "logins",
        "error",
        &[&format!("expected it to belong to {owner}"), "or the foreign key to have no action"],
    );
    database.sql(&format!("GRANT {owner} TO {role}")).await;
    let outcome = database.once_with_as(&medic, &by_expiry(""), &[]).exits(1);
    let fix = outcome.store_fix("logins", "error");
    let gives =
        format!("ALTER TABLE m.child OWNER TO {owner}; GRANT ALL ON TABLE m.child TO {role}; GRANT ALL ON SEQUENCE");
    assert!(fix.starts_with(&gives) && fix.ends_with(&format!("GRANT USAGE ON SCHEMA m TO {owner}")), "{fix}");
    outcome.store_says("logins", "error", &[&format!("of which {role} is a member")]);
    database.sql(&fix).await;
    // The sweep may read the ids of what it deletes.
    database
        .sql(&format!("GRANT USAGE ON SCHEMA m TO {medic}; GRANT SELECT ON m.child, m.child_n_seq TO {medic}"))
        .await;
    database.once_with_as(&medic, &by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 2 }));
    // The application of that table goes on, also with its migrations, and so does that of the sessions.
    let work = "ALTER TABLE m.child ADD note text; INSERT INTO m.child (session) VALUES (3); UPDATE m.child SET session = session; DELETE FROM m.child;
                INSERT INTO m.child (session) VALUES (3)";
    for (role, work) in [(&role, work), (&owner, "DELETE FROM sessions")] {
        database.sql(&format!("SET ROLE {role}; {work}; RESET ROLE")).await;
    }
    assert_eq!((left(&mut database).await, database.number("SELECT count(*) FROM m.child").await), (0, 0));
}

#[tokio::test]
async fn a_trigger_that_is_added_after_the_inspection_is_found_before_anything_is_deleted() {
    let (mut database, role) = with_stranger().await;
    database.sql(&format!("GRANT TRIGGER ON sessions TO {role}")).await;
    let mut other = database.connect().await;
    let trap = format!(
        "BEGIN; LOCK TABLE sessions IN SHARE MODE; SET ROLE {role};
         CREATE TRIGGER t AFTER DELETE ON sessions EXECUTE FUNCTION m.spy_row()"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(trap)).execute(&mut other).await.unwrap();
    // The inspection does not conflict with this lock, and the sweep waits for it.
    let running = Running::once_with(&database, &format!("{LONG_TIMEOUTS}{}", by_expiry("")), &[]);
    wait_until_blocked_on(&mut database.connection, "sessions").await;
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    let outcome = running.outcome().await.exits(1);
    outcome.store_says("logins", "error", &["it was altered or replaced meanwhile"]);
    assert_eq!((database.spied().len(), left(&mut database).await), (0, 3));
}

#[tokio::test]
async fn an_index_that_is_added_after_the_inspection_keeps_no_session() {
    let mut database = filled(3, 1).await;
    let mut other = database.connect().await;
    sqlx::raw_sql("BEGIN; CREATE INDEX late ON sessions (created_at)").execute(&mut other).await.unwrap();
    // Its lock conflicts with the sweep's only.
    let running = Running::once_with(&database, &format!("{LONG_TIMEOUTS}{}", by_expiry("")), &[]);
    wait_until_blocked_on(&mut database.connection, "sessions").await;
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    running.outcome().await.exits(0).swept("logins", json!({ "expired": 3, "remaining": 1 }));
}

#[tokio::test]
async fn no_table_name_ends_the_statement_that_holds_it() {
    let mut database = filled(2, 1).await;
    let name = "a\n'; DROP TABLE told; --\"\\@TABLE@";
    let quoted = format!("\"{}\"", name.replace('"', "\"\""));
    database.sql(&format!("CREATE TABLE told (); ALTER TABLE sessions RENAME TO {quoted}")).await;
    let table = format!("public.{quoted}").replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let settings = by_expiry("").replace("public.sessions", &table);
    database.once_with(&settings, &[]).exits(0).swept("logins", json!({ "expired": 2, "remaining": 1 }));
    assert_eq!(database.number("SELECT count(*) FROM pg_class WHERE relname = 'told'").await, 1);
}

#[tokio::test]
async fn a_role_that_may_act_as_another_owner_lends_a_trigger_no_rights() {
    let (mut database, owner) = with_stranger().await;
    let (medic, rival) = (medic(&mut database).await, database.role("rival"));
    database
        .sql(&format!(
            "ALTER TABLE sessions OWNER TO {owner}; GRANT CREATE ON SCHEMA public TO {owner};
             CREATE ROLE {rival}; CREATE TABLE secrets (secret text); ALTER TABLE secrets OWNER TO {rival};
             GRANT SELECT ON SEQUENCE sessions_id_seq TO {medic}; GRANT {rival} TO {medic};
             SET ROLE {owner}; CREATE TRIGGER t AFTER DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION m.spy_row(); RESET ROLE"
        ))
        .await;
    for action in ["", "revoke = { column = \"revoked_at\" }"] {
        let outcome = database.once_with_as(&medic, &by_expiry(action), &[]).exits(1);
        let found = format!("the rights of {medic}, a member of {rival}");
        outcome.store_says("logins", "error", &[&found, "a role that only sweeps"]);
        assert_eq!(outcome.store_kinds("logins", "error"), ["untrusted_code"]);
        assert_eq!(left(&mut database).await, 3);
    }
    let fix = database.once_with_as(&medic, &by_expiry(""), &[]).store_fix("logins", "error");
    database.sql(&fix).await;
    // Membership in the owner of the sessions lends its code nothing that it does not have.
    database.sql(&format!("GRANT {owner} TO {medic}")).await;
    database.once_with_as(&medic, &by_expiry(""), &[]).swept("logins", json!({ "expired": 2, "error": null }));
}

#[tokio::test]
async fn what_a_trigger_says_by_notices_is_in_no_log() {
    let mut database = filled(2, 1).await;
    database
        .sql(
            "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
             $$BEGIN RAISE WARNING E'session hunter2\\n2026-01-01T00:00:00Z ERROR forged'; RETURN OLD; END$$;
             CREATE TRIGGER tell BEFORE DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION tell()",
        )
        .await;
    let settings = format!("[log]\nlevel = \"trace\"\n{}", by_expiry(""));
    let outcome = database.once_with(&settings, &[]).exits(0);
    outcome.swept("logins", json!({ "expired": 2 }));
    assert!(!outcome.stderr.contains("hunter2") && !outcome.stderr.contains("forged"), "{}", outcome.stderr);
}

/// SET ROLE NONE leads back to the role that logged in.
#[tokio::test]
async fn a_role_that_was_set_at_the_login_hides_no_superuser_from_the_tables_owner() {
    let mut database = filled(3, 2).await;
    let (owner, low, boss) = (database.role("owner"), database.role("low"), database.role("boss"));
    database
        .sql(&format!(
            "CREATE ROLE {owner}; CREATE ROLE {low}; ALTER TABLE sessions OWNER TO {owner};
             GRANT SELECT, UPDATE, DELETE ON sessions TO {low}; GRANT SELECT ON sessions_id_seq TO {low};
             CREATE ROLE {boss} SUPERUSER LOGIN; ALTER ROLE {boss} SET role = {low}"
        ))
        .await;
    let outcome = database.once_with_as(&boss, &by_expiry(""), &[]).exits(1);
    assert_eq!(outcome.store_kinds("logins", "error"), ["untrusted_code"]);
    assert_eq!(left(&mut database).await, 5);
}
