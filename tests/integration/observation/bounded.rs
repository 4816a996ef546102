//! No transaction locks more than 500 relations, observed by another session while passes are blocked.

use crate::support::{Database, LONG_TIMEOUTS, Running, wait_until_blocked_on};
use serde_json::json;

/// The largest number of this test's relations that one transaction of the run holds or waits for.
const MOST_LOCKED: &str = "SELECT COALESCE(max(number), 0) FROM (
    SELECT count(DISTINCT l.relation) AS number
    FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE a.application_name = 'pgmedic' AND a.datname = current_database()
      AND l.locktype = 'relation' AND l.relation >= 16384
    GROUP BY l.pid) AS transactions";

/// Blocks a run at each of `tables` in turn, and returns the largest number of relations that it held.
async fn most_locked_at(database: &mut Database, tables: &[String]) -> i64 {
    let mut other = database.connect().await;
    // Rolling back to a savepoint releases the locks taken after it. So the first table must be locked last.
    let mut script = "BEGIN;".to_owned();
    for table in tables.iter().rev() {
        script += &format!("SAVEPOINT \"{table}\"; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;");
    }
    sqlx::raw_sql(sqlx::AssertSqlSafe(script)).execute(&mut other).await.unwrap();
    let running = Running::once_with(database, LONG_TIMEOUTS, &["--dry-run"]);
    let mut most = 0;
    for table in tables {
        wait_until_blocked_on(&mut database.connection, table).await;
        most = most.max(database.number(MOST_LOCKED).await);
        let release = format!("ROLLBACK TO \"{table}\"");
        sqlx::raw_sql(sqlx::AssertSqlSafe(release)).execute(&mut other).await.unwrap();
    }
    running.outcome().await.exits(3).shows("public.t_id_seq", json!({ "verdict": "behind", "max_id": 7 }));
    most
}

#[tokio::test]
async fn a_batch_of_many_tables_stays_within_500_relations() {
    let mut database = Database::new().await;
    database
        .sql(
            "DO $$ BEGIN
                 FOR number IN 1..260 LOOP
                     EXECUTE format('CREATE TABLE t_%s (id serial PRIMARY KEY, a int UNIQUE, b int UNIQUE)', number);
                 END LOOP;
             END $$;
             CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (7)",
        )
        .await;
    let stops: Vec<String> = (1..=260).step_by(3).map(|number| format!("t_{number}")).collect();
    let most = most_locked_at(&mut database, &stops).await;
    assert!((400..=500).contains(&most), "{most} relations");
}

#[tokio::test]
async fn the_members_of_a_large_partitioned_table_stay_within_500_relations() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE t (id serial, region integer) PARTITION BY LIST (region);
             DO $$ BEGIN
                 FOR region IN 1..520 LOOP
                     EXECUTE format('CREATE TABLE t_%s PARTITION OF t FOR VALUES IN (%s)', region, region);
                 END LOOP;
             END $$;
             INSERT INTO t VALUES (7, 150)",
        )
        .await;
    let stops: Vec<String> = (1..=520).step_by(9).map(|region| format!("t_{region}")).collect();
    let most = most_locked_at(&mut database, &stops).await;
    assert!((400..=500).contains(&most), "{most} relations");
}
