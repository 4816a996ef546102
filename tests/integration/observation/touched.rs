//! A server process keeps memory for every relation that it has touched, so the number of them is limited.

use crate::support::{Database, pgmedic};

/// `MAX_CACHED_RELATIONS` of `src/sequences/batch.rs`.
const MOST: u64 = 20_000;

/// Each read of a sequence touches all partitions.
const PARTITIONS: u32 = 450;
const SEQUENCES: u32 = 45;

/// The number of relations that each replaced server process had touched, from the log.
fn exchanged(log: &str) -> Vec<u64> {
    let lines = log.lines().filter(|line| line.contains("changed to a fresh server process"));
    lines.map(|line| line.split_once("relations=").unwrap().1.split(' ').next().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn repairing_exchanges_server_processes_as_looking_does() {
    let mut database = Database::new().await;
    let columns: Vec<String> = (1..=SEQUENCES).map(|number| format!("c_{number} bigint")).collect();
    // Only defaults of the parent: a default of a partition would be another link.
    database
        .sql(&format!(
            "CREATE TABLE t (region integer, {}) PARTITION BY LIST (region);
             DO $$ BEGIN
                 FOR region IN 1..{PARTITIONS} LOOP
                     EXECUTE format('CREATE TABLE t_%s PARTITION OF t FOR VALUES IN (%s)', region, region);
                 END LOOP;
                 INSERT INTO t VALUES (1, {});
                 FOR number IN 1..{SEQUENCES} LOOP
                     EXECUTE format('CREATE SEQUENCE s_%s', number);
                     EXECUTE format('ALTER TABLE ONLY t ALTER c_%s SET DEFAULT nextval(''s_%s'')', number, number);
                 END LOOP;
             END $$",
            columns.join(", "),
            vec!["7"; columns.len()].join(", ")
        ))
        .await;
    let variables = [("DATABASE_URL", database.url()), ("PGMEDIC_LOG__LEVEL", "debug")];
    let outcome = pgmedic(&variables, &["--once", "--format", "json", "--approve", "public.*"]).exits(0);
    assert_eq!(outcome.json()["summary"]["repaired"], SEQUENCES);
    let exchanged = exchanged(&outcome.stderr);
    // A process may have read all sequences or half of them, and touches as many again when it repairs.
    assert!(!exchanged.is_empty() && exchanged.iter().all(|touched| *touched <= MOST), "{exchanged:?}");
    assert_eq!(database.nextval("s_1").await, 8);
}
