//! A leap that cannot get its lock: the values are handed out by advances instead.

use crate::support::Database;
use serde_json::json;

const IMPORTED: &str = "
    CREATE TABLE small (id bigserial PRIMARY KEY); ALTER SEQUENCE small_id_seq CACHE 20;
    INSERT INTO small SELECT generate_series(1, 500);
    CREATE TABLE large (id bigserial PRIMARY KEY); INSERT INTO large SELECT generate_series(1, 200000)";

#[tokio::test]
async fn beside_an_idle_transaction_that_used_the_sequence() {
    let mut database = Database::new().await;
    database.sql(IMPORTED).await;
    let mut idle = database.connect().await;
    sqlx::raw_sql("BEGIN; SELECT nextval('small_id_seq'), nextval('large_id_seq')").execute(&mut idle).await.unwrap();
    let outcome = database.once(&[]).exits(0);
    outcome.repair("public.large_id_seq", json!({ "outcome": "repaired", "method": "advance", "next_value": 200_001 }));
    outcome.repair("public.small_id_seq", json!({ "outcome": "repaired", "method": "advance" }));
    let reason = outcome.repair_reason("public.small_id_seq");
    assert!(reason.contains("cached"), "what other sessions still hold is said: {reason}");
    for table in ["small", "large"] {
        database.sql(&format!("INSERT INTO {table} DEFAULT VALUES")).await;
    }
}

#[tokio::test]
async fn beside_an_event_trigger_that_forbids_to_alter() {
    let mut database = Database::new().await;
    database.sql(IMPORTED).await;
    database
        .sql(
            "CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no DDL here'; END $$;
             CREATE EVENT TRIGGER forbid ON ddl_command_start EXECUTE FUNCTION forbid()",
        )
        .await;
    let outcome = database.once(&[]).exits(0);
    outcome.repair("public.large_id_seq", json!({ "outcome": "repaired", "method": "advance", "next_value": 200_001 }));
    database.sql("INSERT INTO large DEFAULT VALUES; DROP EVENT TRIGGER forbid").await;
}
