//! Missing privileges: the sequence cannot be read, and after the fix in its reason it can.

use crate::support::Database;
use serde_json::json;

/// A role that may read everything of one table with drift, and a second table whose privileges a test revokes.
async fn with_reader() -> (Database, String) {
    let mut database = Database::new().await;
    let role = database.role("Reader's role");
    let quoted = format!("\"{role}\"");
    database
        .sql(&format!(
            "CREATE ROLE {quoted} LOGIN;
             CREATE SCHEMA app;
             CREATE TABLE app.fine (id serial PRIMARY KEY); INSERT INTO app.fine VALUES (3);
             CREATE TABLE app.other (id serial PRIMARY KEY, note text); INSERT INTO app.other VALUES (5);
             GRANT USAGE ON SCHEMA app TO {quoted};
             GRANT SELECT ON ALL TABLES IN SCHEMA app TO {quoted};
             GRANT SELECT, USAGE ON ALL SEQUENCES IN SCHEMA app TO {quoted}"
        ))
        .await;
    (database, quoted)
}

/// Runs `takes_away`, checks that this sequence is unreadable and the other is read, runs the fix, and checks that it
/// is repaired.
async fn is_fixed(takes_away: &str, sequence: &str, says: &str) {
    let (mut database, role) = with_reader().await;
    database.sql(&takes_away.replace("{role}", &role)).await;
    let login = role.trim_matches('"').replace(' ', "%20").replace('\'', "%27");

    let outcome = database.once_as(&login, &["--dry-run"]).exits(3);
    outcome.shows("app.fine_id_seq", json!({ "verdict": "behind", "max_id": 3 }));
    let unread = json!({ "verdict": "unreadable", "next_value": null, "max_id": null, "lag": null,
                         "used_ratio": null, "repair": null });
    outcome.shows(sequence, unread);
    let reason = outcome.reason(sequence);
    assert!(reason.contains(says), "{says} is not in: {reason}");

    database.sql(&outcome.fix(sequence)).await;
    let outcome = database.once_as(&login, &[]).exits(0);
    outcome.shows(sequence, json!({ "verdict": "behind", "max_id": 5, "reason": null }));
}

#[tokio::test]
async fn select_on_the_sequence() {
    is_fixed(
        "REVOKE SELECT ON app.other_id_seq FROM {role}",
        "app.other_id_seq",
        "a privilege is missing: GRANT SELECT ON SEQUENCE app.other_id_seq TO ",
    )
    .await;
}

#[tokio::test]
async fn select_on_the_column() {
    is_fixed(
        "REVOKE SELECT ON app.other FROM {role}; GRANT SELECT (note) ON app.other TO {role}",
        "app.other_id_seq",
        "GRANT SELECT (id) ON app.other TO ",
    )
    .await;
}

#[tokio::test]
async fn usage_on_the_schema_of_the_table() {
    is_fixed(
        "ALTER SEQUENCE app.other_id_seq OWNED BY NONE; CREATE SCHEMA closed; ALTER TABLE app.other SET SCHEMA closed",
        "app.other_id_seq",
        "GRANT USAGE ON SCHEMA closed TO ",
    )
    .await;
}

#[tokio::test]
async fn usage_on_the_schema_of_the_sequence() {
    is_fixed(
        "ALTER SEQUENCE app.other_id_seq OWNED BY NONE; CREATE SCHEMA \"Closed one\";
         ALTER SEQUENCE app.other_id_seq SET SCHEMA \"Closed one\"",
        "\"Closed one\".other_id_seq",
        "GRANT USAGE ON SCHEMA \"Closed one\" TO ",
    )
    .await;
}

#[tokio::test]
async fn row_level_security() {
    is_fixed(
        "ALTER TABLE app.other ENABLE ROW LEVEL SECURITY;
         CREATE POLICY few ON app.other USING (id < 2)",
        "app.other_id_seq",
        "ALTER ROLE ",
    )
    .await;
}

#[tokio::test]
async fn an_owner_is_not_fooled_by_its_own_forced_policy() {
    let mut database = Database::new().await;
    let role = database.role("owner");
    database
        .sql(&format!(
            "CREATE ROLE {role} LOGIN;
             CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (5);
             ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY;
             CREATE POLICY few ON t USING (id < 2);
             ALTER TABLE t OWNER TO {role}"
        ))
        .await;
    let outcome = database.once_as(&role, &[]).exits(3);
    outcome.shows("public.t_id_seq", json!({ "verdict": "unreadable" }));
    assert!(outcome.reason("public.t_id_seq").contains("row-level security of public.t hides rows"));
    database.sql("ALTER TABLE t NO FORCE ROW LEVEL SECURITY").await;
    database.once_as(&role, &[]).exits(0).shows("public.t_id_seq", json!({ "verdict": "behind", "max_id": 5 }));
}

#[tokio::test]
async fn everything_that_is_missing_is_said_at_once() {
    let (mut database, role) = with_reader().await;
    database.sql(&format!("REVOKE ALL ON app.other, app.other_id_seq FROM {role}")).await;
    let login = role.trim_matches('"').replace(' ', "%20").replace('\'', "%27");
    let outcome = database.once_as(&login, &[]).exits(3);
    let reason = outcome.reason("app.other_id_seq");
    for grant in ["GRANT SELECT ON SEQUENCE app.other_id_seq TO", "GRANT SELECT (id) ON app.other TO"] {
        assert!(reason.contains(grant), "{grant} is not in: {reason}");
    }
    // One is the reason, the other a note, each with its fix. Together they make the sequence readable.
    let note = outcome.sequence("app.other_id_seq")["notes"][0].clone();
    assert_eq!((&note["kind"], &note["text"]), (&json!("missing_privilege"), &json!("a privilege is missing")));
    database.sql(&outcome.fix("app.other_id_seq")).await;
    database.sql(note["fix"].as_str().unwrap()).await;
    let outcome = database.once_as(&login, &["--dry-run"]).exits(3);
    outcome.shows("app.other_id_seq", json!({ "verdict": "behind", "reason": null, "notes": [] }));
}

#[tokio::test]
async fn a_column_grant_is_enough_for_one_partitioned_or_plain_table() {
    let mut database = Database::new().await;
    let role = database.role("least");
    database
        .sql(&format!(
            "CREATE ROLE {role} LOGIN;
             CREATE TABLE t (id serial, secret text, PRIMARY KEY (id, secret)) PARTITION BY LIST (secret);
             CREATE TABLE t1 PARTITION OF t DEFAULT; INSERT INTO t VALUES (4, 'x');
             GRANT SELECT (id) ON t TO {role}; GRANT SELECT, USAGE ON t_id_seq TO {role}"
        ))
        .await;
    database.once_as(&role, &[]).exits(0).shows("public.t_id_seq", json!({ "verdict": "behind", "max_id": 4 }));
    assert_eq!(database.nextval("t_id_seq").await, 5);
}
