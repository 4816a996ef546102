//! Changes that an owner makes to a table while a superuser's pass, which has checked the table, reads another one.

use crate::support::{Database, LONG_TIMEOUTS, Outcome, Running, wait_until_blocked_on};
use serde_json::json;
use sqlx::AssertSqlSafe;

/// Blocks a pass on the index of `m.a`, in the transaction that reads `m.b` next, runs `happens` as the owner of `m`,
/// and lets the pass continue. `m.evil` raises an error when it runs as a superuser.
async fn while_it_reads_another(happens: &str) -> Outcome {
    let mut database = Database::new().await;
    let role = database.role("owner");
    database
        .sql(&format!(
            "CREATE ROLE {role}; CREATE SCHEMA m AUTHORIZATION {role}; GRANT CREATE ON DATABASE {name} TO {role};
             SET ROLE {role};
             CREATE FUNCTION m.evil(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
             BEGIN
                 IF current_setting('is_superuser')::boolean THEN RAISE EXCEPTION 'it runs as a superuser'; END IF;
                 RETURN 1;
             END $$;
             CREATE TABLE m.a (id serial PRIMARY KEY); CREATE TABLE m.b (id serial PRIMARY KEY);
             INSERT INTO m.b VALUES (7); RESET ROLE",
            name = database.name
        ))
        .await;
    let (mut holder, mut owner) = (database.connect().await, database.connect().await);
    sqlx::raw_sql("BEGIN; REINDEX INDEX m.a_pkey").execute(&mut holder).await.unwrap();
    let running = Running::once_with(&database, LONG_TIMEOUTS, &["--dry-run"]);
    database.pass_waits_in("observe").await;
    let happens = AssertSqlSafe(format!("SET ROLE {role}; {happens}"));
    sqlx::raw_sql(happens).execute(&mut owner).await.unwrap();
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
    running.outcome().await
}

async fn nothing_runs(happens: &str) {
    let outcome = while_it_reads_another(happens).await.exits(3);
    let reason = outcome.reason("m.b_id_seq");
    assert_eq!(reason, "altered or replaced during the pass; look again", "{happens}");
}

#[tokio::test]
async fn a_function_in_a_new_index_does_not_run_as_a_superuser() {
    nothing_runs("CREATE INDEX ON m.b ((m.evil(0)))").await;
}

#[tokio::test]
async fn a_function_in_new_statistics_does_not_run_as_a_superuser() {
    // Statistics on expressions exist since version 14. Before, an index does the same.
    nothing_runs(
        "DO $do$ BEGIN EXECUTE CASE WHEN current_setting('server_version_num')::integer >= 140000
             THEN 'CREATE STATISTICS m.s ON (m.evil(0)), id FROM m.b' ELSE 'CREATE INDEX ON m.b ((m.evil(0)))' END;
         END $do$",
    )
    .await;
}

#[tokio::test]
async fn another_table_in_the_place_of_the_sequence_is_not_read() {
    nothing_runs(
        "ALTER SEQUENCE m.b_id_seq RENAME TO gone; CREATE TABLE m.b_id_seq (last_value bigint, is_called boolean);
         CREATE INDEX ON m.b_id_seq ((m.evil(0)))",
    )
    .await;
}

#[tokio::test]
async fn another_table_in_another_schema_of_that_name_is_not_read() {
    nothing_runs(
        "ALTER SCHEMA m RENAME TO gone; CREATE SCHEMA m; CREATE TABLE m.b (id serial PRIMARY KEY);
         CREATE INDEX ON m.b ((gone.evil(0)))",
    )
    .await;
}

/// The read waits for a lock on an index, after the check. Its owner cannot add code to the table, or to the next one, until
/// the read has ended.
#[tokio::test]
async fn nothing_is_hung_on_a_table_between_the_check_and_a_superusers_read() {
    let mut database = Database::new().await;
    let role = database.role("owner");
    database
        .sql(&format!(
            "CREATE ROLE {role}; CREATE SCHEMA m AUTHORIZATION {role}; SET ROLE {role};
             CREATE FUNCTION m.evil(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 1; END';
             CREATE TABLE m.a (id serial PRIMARY KEY); CREATE TABLE m.b (id serial PRIMARY KEY);
             INSERT INTO m.b VALUES (7); RESET ROLE"
        ))
        .await;
    let (mut holder, mut owner) = (database.connect().await, database.connect().await);
    // It locks the index alone.
    sqlx::raw_sql("BEGIN; ALTER INDEX m.a_pkey SET TABLESPACE pg_default").execute(&mut holder).await.unwrap();
    let running = Running::once_with(&database, LONG_TIMEOUTS, &["--dry-run"]);
    wait_until_blocked_on(&mut database.connection, "m.a_pkey").await;
    for trap in [
        "CREATE INDEX ON m.a ((m.evil(0)))",
        "CREATE INDEX ON m.b ((m.evil(0)))",
        "ALTER TABLE m.b ADD CHECK (m.evil(0) = 1)",
    ] {
        let trap = AssertSqlSafe(format!("SET ROLE {role}; SET lock_timeout = '50ms'; {trap}"));
        let refused = sqlx::raw_sql(trap).execute(&mut owner).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("55P03"));
    }
    // Rows are written meanwhile.
    sqlx::raw_sql("INSERT INTO m.b VALUES (8)").execute(&mut owner).await.unwrap();
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
    running.outcome().await.exits(3).shows("m.b_id_seq", json!({ "verdict": "behind", "max_id": 8 }));
}
