//! Columns that take too long to read: the reason names the index that fixes this, and with the index they are read.

use crate::support::Database;
use serde_json::json;

/// Far less than the large table takes, and far more than its index takes.
const SHORT_TIMEOUT: &str = "[sequences]\nstatement_timeout = \"40ms\"\n";

/// One id, and rows of 40 000 digits each, compressed: no ids, but slow to compare. They are sorted, so that an index
/// is built quickly.
const SLOW_ROWS: &str = "
    INSERT INTO big VALUES (7);
    INSERT INTO big SELECT digits
        FROM (SELECT repeat('1234', 10000)::numeric AS digits OFFSET 0) AS long, generate_series(1, 100);
    DO $$ BEGIN FOR doubling IN 1..8 LOOP INSERT INTO big SELECT * FROM big WHERE id <> 7; END LOOP; END $$;";

async fn is_fixed(create: &str, add: &str) {
    let mut database = Database::new().await;
    database.sql(&format!("ALTER DATABASE {} SET max_parallel_workers_per_gather = 0", database.name)).await;
    database.sql("CREATE TABLE fine (id serial PRIMARY KEY); INSERT INTO fine VALUES (7); CREATE SEQUENCE s").await;
    database.sql(create).await;
    database.sql(SLOW_ROWS).await;
    database.sql(add).await;

    let outcome = database.once_with(SHORT_TIMEOUT, &["--dry-run"]).exits(3);
    outcome.shows("public.fine_id_seq", json!({ "verdict": "behind", "max_id": 7 }));
    outcome.shows("public.s", json!({ "verdict": "unreadable", "max_id": null, "lag": null }));
    let reason = outcome.reason("public.s");
    assert!(reason.contains("reading public.big.id took longer than statement_timeout (40ms)"), "{reason}");

    database.sql(&outcome.fix("public.s")).await;
    let outcome = database.once_with(SHORT_TIMEOUT, &["--dry-run"]).exits(3);
    outcome.shows("public.s", json!({ "verdict": "behind", "max_id": 7, "reason": null }));
}

#[tokio::test]
async fn a_table_without_an_index() {
    is_fixed("CREATE UNLOGGED TABLE big (id numeric DEFAULT nextval('s'))", "SELECT 1").await;
}

#[tokio::test]
async fn a_partitioned_table_without_an_index() {
    is_fixed(
        "CREATE UNLOGGED TABLE big (id numeric)",
        "CREATE TABLE whole (id numeric DEFAULT nextval('s')) PARTITION BY RANGE (id);
         ALTER TABLE whole ATTACH PARTITION big DEFAULT",
    )
    .await;
}

#[tokio::test]
async fn a_child_without_the_index_that_its_parent_has() {
    is_fixed(
        "CREATE UNLOGGED TABLE big (id numeric NOT NULL)",
        "CREATE TABLE parent (id numeric DEFAULT nextval('s') PRIMARY KEY); ALTER TABLE big INHERIT parent",
    )
    .await;
}
