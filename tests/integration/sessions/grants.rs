//! `pgmedic grants` for session stores: enough for the sweep, and not one privilege more. Ids that come from a sequence are
//! compared with it, so that both are read.

use super::{by_expiry, filled, left};
use crate::support::{Database, pgmedic};
use serde_json::json;

const SEQUENCES: &str = "[sequences]\nexclude = [\"*.sessions_id_seq\"]\ninclude = [\"*.*\"]\n";

/// A role without any privilege, and the script that is printed for it.
async fn scene(database: &mut Database, settings: &str) -> (String, String) {
    let role = database.role("sweeper");
    let name = database.name.clone();
    database.sql(&format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC")).await;
    // A run without any sequence to look at has no success.
    database.sql("CREATE TABLE other (id serial)").await;
    let file = database.config(settings);
    let script = pgmedic(&[], &["grants", "--role", &role, "--config", file.path().to_str().unwrap()]).exits(0).stdout;
    (role, script)
}

/// The sweep works with the printed privileges. Without any one of them, it says so before it changes anything.
async fn all_and_no_more(database: &mut Database, settings: &str, grant: &str, expected: serde_json::Value) {
    let (role, script) = scene(database, settings).await;
    let ours: Vec<&str> = script.lines().filter(|line| line.contains("TABLE public.sessions")).collect();
    assert_eq!(ours, [format!("GRANT {grant} ON TABLE public.sessions TO {role};")], "{script}");
    database.sql(&script).await;
    for privilege in grant.split("), ").flat_map(parts) {
        database.sql(&format!("REVOKE {privilege} ON public.sessions FROM {role}")).await;
        let outcome = database.once_with_as(&role, settings, &[]).exits(1);
        outcome.store_says("logins", "error", &["a privilege is missing: GRANT"]);
        assert_eq!(outcome.store_kinds("logins", "error"), ["missing_privilege"]);
        database.sql(&format!("GRANT {privilege} ON public.sessions TO {role}")).await;
    }
    database.once_with_as(&role, settings, &[]).exits(0).swept("logins", expected);
}

/// The single privileges: `SELECT (a, b` is one for each column, `DELETE` is one.
fn parts(privilege: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = privilege;
    if let Some(after) = rest.strip_prefix("DELETE, ") {
        parts.push("DELETE".to_owned());
        rest = after;
    }
    let (word, columns) = rest.split_once(" (").expect("columns");
    parts.extend(columns.trim_end_matches(')').split(", ").map(|column| format!("{word} ({column})")));
    parts
}

#[tokio::test]
async fn deleting_needs_no_more_than_the_columns_that_tell_the_time() {
    let mut database = filled(3, 2).await;
    let settings = format!("{SEQUENCES}{}", by_expiry(""));
    let grant = "SELECT (expires_at, id, ctid), DELETE, UPDATE (expires_at)";
    all_and_no_more(&mut database, &settings, grant, json!({ "expired": 3, "live": 2 })).await;
    assert_eq!(left(&mut database).await, 2);
}

#[tokio::test]
async fn revoking_needs_no_deletion_and_the_users_column_only_for_their_newest() {
    let mut database = filled(3, 2).await;
    database.sql("UPDATE sessions SET user_id = 1 WHERE expires_at > now()").await;
    let settings = format!(
        "{SEQUENCES}{}",
        by_expiry(
            "revoke = { column = \"revoked_at\" }\nuser = \"user_id\"\nmax_per_user = 1\ncreated_at = \"created_at\""
        )
    );
    database.sql("UPDATE sessions SET created_at = now() - id * interval '1 minute'").await;
    let grant = "SELECT (user_id, expires_at, created_at, revoked_at, ctid), UPDATE (revoked_at)";
    all_and_no_more(&mut database, &settings, grant, json!({ "expired": 3, "superseded": 1, "live": 1 })).await;
}

#[tokio::test]
async fn a_partitioned_table_is_swept_by_its_parents_privileges() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE sessions (id int, expires_at timestamptz) PARTITION BY LIST (id);
             CREATE TABLE part PARTITION OF sessions FOR VALUES IN (1);
             INSERT INTO sessions SELECT 1, now() + n * interval '1 hour' FROM generate_series(-3, 3) AS n WHERE n <> 0",
        )
        .await;
    let settings = format!("{SEQUENCES}{}", by_expiry(""));
    let grant = "SELECT (expires_at, ctid, tableoid), DELETE, UPDATE (expires_at)";
    all_and_no_more(&mut database, &settings, grant, json!({ "expired": 3, "live": 3 })).await;
}

#[tokio::test]
async fn a_store_that_cannot_be_swept_is_named() {
    let mut database = Database::new().await;
    let (_, script) = scene(&mut database, &by_expiry("")).await;
    assert!(script.contains("-- Not covered: sessions logins: table: found no public.sessions here"), "{script}");
}
