//! Changes that alter what a table contains without a counted row: an agent that has cached the table must read it
//! again.

use crate::support::{Database, Passes};
use pgmedic::report::Verdict;

/// Runs a pass that finds the sequence in sync, then `happens`, then another pass.
async fn after(setup: &str, happens: &str) -> (Verdict, Option<i64>) {
    let mut database = Database::new().await;
    database.by_itself(setup).await;
    let mut passes = Passes::over(&database);
    assert_eq!(passes.next().await.verdict, Verdict::InSync);
    database.by_itself(happens).await;
    // The session of the pass has ended too.
    database.wait_until("SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database()").await;
    let found = passes.next().await;
    (found.verdict, found.max_id)
}

const ROWS: &str = "INSERT INTO t (id) SELECT generate_series(1, 7); SELECT setval('t_id_seq', 7)";

#[tokio::test]
async fn a_column_that_was_rewritten_in_place_is_read_again() {
    let setup = format!("CREATE TABLE t (id serial PRIMARY KEY); {ROWS}");
    let found = after(&setup, "ALTER TABLE t ALTER id TYPE integer USING id + 1000").await;
    assert_eq!(found, (Verdict::Behind, Some(1007)));
}

#[tokio::test]
async fn a_partition_that_took_anothers_place_is_read_anew() {
    let setup = "CREATE TABLE t (id serial, k integer NOT NULL DEFAULT 1) PARTITION BY LIST (k);
                 CREATE INDEX ON t (id); CREATE TABLE a PARTITION OF t FOR VALUES IN (1);
                 CREATE TABLE b (id integer NOT NULL, k integer NOT NULL); CREATE INDEX ON b (id);
                 INSERT INTO b SELECT n, 1 FROM generate_series(1001, 1007) AS n;";
    let found = after(
        &format!("{setup} {ROWS}"),
        "ALTER TABLE t DETACH PARTITION a; ALTER TABLE a ALTER id DROP DEFAULT;
         ALTER TABLE t ATTACH PARTITION b FOR VALUES IN (1)",
    )
    .await;
    assert_eq!(found, (Verdict::Behind, Some(1007)));
}
