//! Read-only servers are observed only.

use crate::support::Database;
use serde_json::json;

#[tokio::test]
async fn a_read_only_database_is_looked_at_and_held() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE near (id serial PRIMARY KEY); INSERT INTO near VALUES (7);
             CREATE TABLE far (id serial PRIMARY KEY); INSERT INTO far SELECT generate_series(1, 150000);
             CREATE TABLE fine (id serial PRIMARY KEY)",
        )
        .await;
    database.sql(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", database.name)).await;
    let outcome = database.once(&[]).exits(3);
    outcome.shows("public.near_id_seq", json!({ "verdict": "behind", "max_id": 7 }));
    outcome.repair("public.near_id_seq", json!({ "outcome": "held", "method": "advance", "held_by": "read_only" }));
    outcome.repair("public.far_id_seq", json!({ "outcome": "held", "method": "leap", "held_by": "read_only" }));
    outcome.shows("public.fine_id_seq", json!({ "verdict": "in_sync", "repair": null }));
    let reason = outcome.repair_reason("public.near_id_seq");
    assert_eq!(reason, "default_transaction_read_only is on: observed only");
    assert_eq!(database.nextval("near_id_seq").await, 1);
}
