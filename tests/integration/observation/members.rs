//! Partitioned tables with more relations than one transaction may lock are read partition by partition.

use crate::support::{Database, feed};
use serde_json::json;

/// More partitions than one transaction may lock, each with an index.
const PARTITIONS: i64 = 620;

async fn many_partitions(database: &mut Database) {
    database
        .sql(&format!(
            "CREATE TABLE t (id bigserial, region integer, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
             DO $$ BEGIN
                 FOR region IN 1..{PARTITIONS} LOOP
                     EXECUTE format('CREATE TABLE \"t.%s\" PARTITION OF t FOR VALUES IN (%s)', region, region);
                 END LOOP;
             END $$;
             INSERT INTO t SELECT region, region FROM generate_series(1, {PARTITIONS}) AS region;
             SELECT setval('t_id_seq', {PARTITIONS})"
        ))
        .await;
}

#[tokio::test]
async fn drift_in_one_partition_of_many_is_found_and_repaired() {
    let mut database = Database::new().await;
    many_partitions(&mut database).await;
    let outcome = database.once(&[]).exits(0);
    outcome.shows("public.t_id_seq", json!({ "verdict": "in_sync", "max_id": PARTITIONS }));

    for (id, region, cache, method) in [(700, 311, 1, "advance"), (2000, PARTITIONS, 2, "leap")] {
        database.sql(&format!("ALTER SEQUENCE t_id_seq CACHE {cache}; INSERT INTO t VALUES ({id}, {region})")).await;
        let outcome = database.once(&[]).exits(0);
        let feeds = [feed("public.t.id", "serial")];
        outcome.shows("public.t_id_seq", json!({ "verdict": "behind", "max_id": id, "feeds": feeds }));
        outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "method": method, "next_value": id + 1 }));
        let insert = format!("INSERT INTO t (region) VALUES ({region}) RETURNING id");
        assert_eq!(database.number(&insert).await, id + 1);
    }

    // Reading each partition separately needs a privilege on each.
    let role = database.role("reader");
    database
        .sql(&format!(
            "CREATE ROLE {role} LOGIN; GRANT SELECT (id) ON t TO {role}; GRANT SELECT, USAGE ON t_id_seq TO {role};
             INSERT INTO t VALUES (3000, 5)"
        ))
        .await;
    let outcome = database.once_as(&role, &["--dry-run"]).exits(3);
    outcome.shows("public.t_id_seq", json!({ "verdict": "unreadable" }));
    let reason = outcome.reason("public.t_id_seq");
    assert!(reason.contains("are read one by one") && reason.contains("and likewise on the others"), "{reason}");
    assert!(reason.contains("a privilege on public.\"t.1\" is missing"), "{reason}");
    database.sql(&outcome.fix("public.t_id_seq")).await;
    let outcome = database.once_as(&role, &["--dry-run"]).exits(3);
    outcome.shows("public.t_id_seq", json!({ "verdict": "behind", "max_id": 3000 }));

    database.sql("CREATE SCHEMA \"Closed\"; ALTER TABLE \"t.5\" SET SCHEMA \"Closed\"").await;
    let fix = database.once_as(&role, &["--dry-run"]).exits(3).fix("public.t_id_seq");
    assert_eq!(fix, format!("GRANT USAGE ON SCHEMA \"Closed\" TO {role}"));
    database.sql(&fix).await;
    let outcome = database.once_as(&role, &["--dry-run"]).exits(3);
    outcome.shows("public.t_id_seq", json!({ "verdict": "behind", "max_id": 3000 }));
}

#[tokio::test]
async fn a_temporary_child_among_many_does_not_stand_in_the_way() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE parent (id serial PRIMARY KEY);
             DO $$ BEGIN
                 FOR number IN 1..510 LOOP
                     EXECUTE format('CREATE TABLE child_%s () INHERITS (parent)', number);
                 END LOOP;
             END $$;
             CREATE TEMP TABLE temporary () INHERITS (parent);
             INSERT INTO child_510 VALUES (9); INSERT INTO temporary VALUES (500)",
        )
        .await;
    let outcome = database.once(&[]).exits(0);
    outcome.shows("public.parent_id_seq", json!({ "verdict": "behind", "max_id": 9 }));
}

#[tokio::test]
async fn a_partition_whose_detachment_is_pending_does_not_count() {
    let mut database = Database::new().await;
    if database.number("SELECT current_setting('server_version_num')::bigint").await < 140_000 {
        return;
    }
    many_partitions(&mut database).await;
    // Otherwise the partition would be another column that the sequence feeds.
    database.sql("ALTER TABLE \"t.7\" ALTER id DROP DEFAULT").await;
    let mut reader = database.connect().await;
    sqlx::raw_sql("BEGIN; SELECT FROM t LIMIT 1").execute(&mut reader).await.unwrap();
    database.sql("SET statement_timeout = '200ms'").await;
    let detach = "ALTER TABLE t DETACH PARTITION \"t.7\" CONCURRENTLY";
    sqlx::raw_sql(detach).execute(&mut database.connection).await.unwrap_err();
    database.sql("RESET statement_timeout; INSERT INTO \"t.7\" VALUES (5000, 7)").await;
    assert_eq!(database.number("SELECT count(*) FROM pg_inherits WHERE inhdetachpending").await, 1);
    assert_eq!(database.number("SELECT max(id) FROM t").await, PARTITIONS);
    database.once(&[]).exits(0).shows("public.t_id_seq", json!({ "verdict": "in_sync", "max_id": PARTITIONS }));
}

#[tokio::test]
async fn a_far_lag_in_more_partitions_than_one_transaction_may_lock_is_walked_and_passed() {
    let mut database = Database::new().await;
    many_partitions(&mut database).await;
    let restored = format!(
        "INSERT INTO t SELECT id, 1 + id % {PARTITIONS} FROM generate_series({PARTITIONS} + 1, 250000) AS id;
         INSERT INTO t VALUES (2000000000, 1)"
    );
    database.sql(&restored).await;
    let outcome = database.once(&[]);
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "next_value": 250_001 }));
    assert_eq!(database.nextval("t_id_seq").await, 250_001, "the outlier is not passed");
}

#[tokio::test]
async fn many_tables_of_one_sequence_are_walked_in_groups_and_a_hole_between_their_ids_is_kept() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE s CACHE 2;
             DO $$ BEGIN
                 FOR n IN 1..300 LOOP
                     EXECUTE format('CREATE TABLE t%s (id bigint PRIMARY KEY DEFAULT nextval(''s''))', n);
                     EXECUTE format('INSERT INTO t%s SELECT id * 300 + %s FROM generate_series(0, 500) AS id', n, n);
                     EXECUTE format('INSERT INTO t%s VALUES (400000 + %s)', n, n);
                 END LOOP;
             END $$",
        )
        .await;
    let outcome = database.once(&[]).exits(3);
    let repaired = json!({ "outcome": "repaired", "method": "leap", "next_value": 150_301, "held_by": "far_ids" });
    outcome.repair("public.s", repaired);
    assert!(outcome.repair_reason("public.s").contains("300 ids from 400001 to 400300"), "{}", outcome.stdout);
    assert_eq!(database.nextval("s").await, 150_301);
}
