//! A server process keeps what it learnt of every relation that it touched: none is to touch very many.

use crate::support::{Database, pgmedic};

/// `MAX_KNOWN` of `src/sequences/batch.rs`.
const MOST: u64 = 20_000;

/// Each look at a sequence touches all partitions.
const PARTITIONS: u32 = 450;
const SEQUENCES: u32 = 45;

/// How many relations each server process had touched that was exchanged for a fresh one.
fn exchanged(log: &str) -> Vec<u64> {
    let lines = log.lines().filter(|line| line.contains("on with a fresh server process"));
    lines.map(|line| line.split_once("touched=").unwrap().1.split(' ').next().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn repairing_exchanges_server_processes_as_looking_does() {
    let mut database = Database::new().await;
    let columns: Vec<String> = (1..=SEQUENCES).map(|number| format!("c_{number} bigint")).collect();
    // Defaults of the whole table only: those of every partition would all be links.
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
    let outcome = pgmedic(&variables, &["--once", "--format", "json"]).exits(0);
    assert_eq!(outcome.json()["summary"]["repaired"], SEQUENCES);
    let exchanged = exchanged(&outcome.stderr);
    // One may have looked at all, or half of it: it touches as much again where it repairs.
    assert!(!exchanged.is_empty() && exchanged.iter().all(|touched| *touched <= MOST), "{exchanged:?}");
    assert_eq!(database.nextval("s_1").await, 8);
}
