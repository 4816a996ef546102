//! A sweep ends the sessions that are over, and no others.

use super::{by_expiry, filled, left, logins};
use crate::support::{Database, Pooler, Running, pgmedic, server};
use serde_json::json;

#[tokio::test]
async fn sessions_that_are_over_are_ended_and_live_ones_stay() {
    let mut database = filled(1234, 77).await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(0);
    outcome.swept(
        "logins",
        json!({ "table": "public.sessions", "expired": 1234, "superseded": 0, "remaining": 77, "live": 77, "stale": 0,
                "held": null, "error": null, "warnings": [] }),
    );
    assert_eq!(outcome.json()["summary"]["sessions_expired"], 1234);
    assert_eq!(left(&mut database).await, 77);
    // A sweep that finds none to end succeeds.
    database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 0, "remaining": 77 }));
}

#[tokio::test]
async fn never_is_never() {
    let mut database = filled(3, 1).await;
    database
        .sql(
            "INSERT INTO sessions (expires_at) VALUES (NULL), ('infinity'), ('-infinity'), ('epoch'),
                                                      ('294276-12-31 23:59:59+00'), ('9999-12-31')",
        )
        .await;
    database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 3, "live": 7 }));
    assert_eq!(left(&mut database).await, 7);
}

#[tokio::test]
async fn what_ended_within_the_grace_is_left_alone() {
    let mut database = filled(0, 10).await;
    database
        .sql("INSERT INTO sessions (expires_at) SELECT now() - n * interval '30 minutes' FROM generate_series(1, 4) AS n")
        .await;
    let outcome = database.once_with(&by_expiry("grace_period = \"75m\""), &[]).exits(0);
    outcome.swept("logins", json!({ "expired": 2, "live": 12, "stale": 0 }));
    database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 2, "live": 10 }));
    assert_eq!(left(&mut database).await, 10);
}

#[tokio::test]
async fn a_dry_run_only_looks() {
    let mut database = filled(5, 2).await;
    let outcome = database.once_with(&by_expiry(""), &["--dry-run"]).exits(0);
    outcome.swept("logins", json!({ "expired": 0, "would_end": 5, "stale": 5, "live": 2, "remaining": 7 }));
    let config = database.config(&by_expiry(""));
    let table = pgmedic(&[], &["--once", "--dry-run", "--config", config.path().to_str().unwrap()]).stdout;
    assert!(table.contains("logins (public.sessions): would end 5 of 7"), "{table}");
    assert_eq!(left(&mut database).await, 7);
}

#[tokio::test]
async fn two_meanings_are_two_reasons_to_go() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE sessions (seen timestamptz, made timestamptz);
             INSERT INTO sessions VALUES (now(), now()), (now() - interval '2 hours', now() - interval '3 hours'),
                                         (now(), now() - interval '9 hours'), (NULL, now() - interval '9 hours'),
                                         (now() - interval '20 minutes', NULL), (now(), NULL), (now(), NULL)",
        )
        .await;
    let both = logins(
        "last_activity = \"seen\"\nidle_timeout = \"30m\"\ncreated_at = \"made\"\nabsolute_timeout = \"8h\"
         encoding = \"timestamptz\"",
    );
    database.once_with(&both, &[]).exits(0).swept("logins", json!({ "expired": 3, "live": 4 }));
    assert_eq!(left(&mut database).await, 4);
}

#[tokio::test]
async fn a_session_that_is_being_extended_is_neither_waited_for_nor_ended() {
    let mut database = filled(20, 1).await;
    let mut other = database.connect().await;
    sqlx::raw_sql(
        "BEGIN; UPDATE sessions SET expires_at = now() + interval '1 hour' WHERE user_id = 3 AND expires_at < now()",
    )
    .execute(&mut other)
    .await
    .unwrap();
    let outcome = database.once_with(&by_expiry(""), &[]).exits(3);
    outcome.swept("logins", json!({ "expired": 19, "stale": 1 }));
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 0, "live": 2 }));
    assert_eq!(left(&mut database).await, 2);
}

#[tokio::test]
async fn sessions_of_the_same_end_are_ended_across_batches() {
    let mut database = filled(0, 2).await;
    database
        .sql("INSERT INTO sessions (expires_at) SELECT '2020-05-05 05:05:05.123457+00' FROM generate_series(1, 25)")
        .await;
    database.sql("INSERT INTO sessions (expires_at) VALUES ('2020-05-05 05:05:05.123458+00')").await;
    database
        .once_with(&by_expiry("batch_size = 7"), &[])
        .exits(0)
        .swept("logins", json!({ "expired": 26, "stale": 0 }));
    assert_eq!(left(&mut database).await, 2);
}

#[tokio::test]
async fn a_partitioned_table_and_its_partitions_are_swept_through_it() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE sessions (id int, expires_at timestamptz) PARTITION BY LIST (id);
             CREATE TABLE one PARTITION OF sessions FOR VALUES IN (1);
             CREATE TABLE two PARTITION OF sessions FOR VALUES IN (2);
             CREATE INDEX ON sessions (expires_at);
             -- The same addresses hold an expired session here and a live one there.
             INSERT INTO sessions SELECT 1, now() + (CASE WHEN n % 2 = 0 THEN 1 ELSE -1 END) * interval '1 hour'
             FROM generate_series(1, 40) AS n;
             INSERT INTO sessions SELECT 2, now() + (CASE WHEN n % 2 = 1 THEN 1 ELSE -1 END) * interval '1 hour'
             FROM generate_series(1, 40) AS n",
        )
        .await;
    database
        .once_with(&by_expiry("batch_size = 3"), &[])
        .exits(0)
        .swept("logins", json!({ "expired": 40, "live": 40 }));
    assert_eq!(database.number("SELECT count(*) FROM sessions WHERE expires_at > now()").await, 40);
}

#[tokio::test]
async fn what_time_does_not_allow_is_left_for_the_next_sweep() {
    let mut database = filled(300, 1).await;
    let outcome = database.once_with(&by_expiry("batch_size = 1\nsweep_timeout = \"1ms\""), &[]).exits(3);
    outcome.store_says("logins", "warnings", &["sessions that are over are left after sweep_timeout"]);
    assert_eq!(outcome.store_kinds("logins", "warnings"), ["unfinished"]);
    assert!(left(&mut database).await > 1);
}

#[tokio::test]
async fn a_session_with_rows_elsewhere_that_do_not_follow_is_an_error_with_its_fix() {
    let mut database = filled(1, 1).await;
    database.sql("CREATE TABLE logs (session bigint REFERENCES sessions)").await;
    database.sql("INSERT INTO logs SELECT id FROM sessions").await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
    outcome.store_says("logins", "error", &["1: update or delete", "\"logs\"", "ON DELETE SET NULL"]);
    assert_eq!(outcome.store_kinds("logins", "error"), ["foreign_key"]);
    assert_eq!(outcome.store_kinds("logins", "warnings"), ["foreign_key", "missing_index"]);
    let fixes = outcome.store_fixes("logins", "warnings");
    assert_eq!(outcome.store_fix("logins", "error"), fixes[0]);
    for fix in &fixes {
        database.sql(fix).await;
    }
    let outcome = database.once_with(&by_expiry(""), &[]).exits(0);
    outcome.swept("logins", json!({ "expired": 1, "warnings": [] }));
}

#[tokio::test]
async fn a_missing_index_is_warned_about_with_its_fix_and_none_is_created() {
    let mut database = filled(3, 3).await;
    database.sql("DROP INDEX sessions_expires_at_idx").await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(0);
    outcome.swept("logins", json!({ "expired": 3 }));
    let fix = "CREATE INDEX CONCURRENTLY ON public.sessions (expires_at)";
    assert_eq!(outcome.store_fix("logins", "warnings"), fix);
    assert_eq!(database.number("SELECT count(*) FROM pg_indexes WHERE schemaname = 'public'").await, 1);
    database.sql(fix).await;
    database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "warnings": [] }));
}

/// The deletion of this row waits until `key` is unlocked.
async fn deleting_waits(database: &mut Database, row: u32, key: u32) {
    database
        .sql(&format!(
            "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_catalog.pg_advisory_xact_lock({key}); RETURN OLD; END $$;
             CREATE TRIGGER wait BEFORE DELETE ON sessions FOR EACH ROW WHEN (OLD.id = {row}) EXECUTE FUNCTION wait()"
        ))
        .await;
}

#[tokio::test]
async fn a_cancelled_run_leaves_whole_batches_and_nothing_running() {
    let mut database = filled(50, 1).await;
    deleting_waits(&mut database, 15, 1).await;
    let mut other = database.connect().await;
    sqlx::raw_sql("SELECT pg_advisory_lock(1)").execute(&mut other).await.unwrap();
    let patient = format!("{}\n{}", crate::support::LONG_TIMEOUTS, by_expiry("batch_size = 10"));
    let running = Running::once_with(&database, &patient, &[]);
    database.pass_waits_in("expire").await;
    let before = left(&mut database).await;
    // The oldest first, in batches of 1, 2, 4, 8, 10 and 10, because there is a trigger.
    assert_eq!(before, 51 - 35, "whole batches are gone, the one that waits is not");
    running.kill().await;
    sqlx::raw_sql("SELECT pg_advisory_unlock(1)").execute(&mut other).await.unwrap();
    database.forgets_the_pass().await;
    // The server may have received the whole batch, and commit it.
    let after = left(&mut database).await;
    assert!(after == before || after == before - 10, "{after} of {before}");
}

#[tokio::test]
async fn through_a_pooler_in_transaction_mode_nothing_is_different() {
    let mut database = filled(1234, 77).await;
    let pooler = Pooler::start(server(), "transaction");
    let file = database.config(&by_expiry("user = \"user_id\"\nmax_per_user = 1\ncreated_at = \"created_at\""));
    let text = std::fs::read_to_string(file.path()).unwrap().replace(database.url(), &pooler.url(&database.name));
    std::fs::write(file.path(), text).unwrap();
    let config = file.path().to_str().unwrap();
    let outcome = pgmedic(&[], &["--once", "--format", "json", "--config", config]).exits(0);
    outcome.swept("logins", json!({ "expired": 1234, "live": 77, "stale": 0 }));
    assert_eq!(left(&mut database).await, 77);
}

#[tokio::test]
async fn a_session_that_is_being_ended_cannot_be_extended() {
    let mut database = filled(5, 1).await;
    deleting_waits(&mut database, 3, 1).await;
    let mut other = database.connect().await;
    sqlx::raw_sql("SELECT pg_advisory_lock(1)").execute(&mut other).await.unwrap();
    let patient = format!("{}\n{}", crate::support::LONG_TIMEOUTS, by_expiry(""));
    let running = Running::once_with(&database, &patient, &[]);
    database.pass_waits_in("expire").await;
    let mut user = database.connect().await;
    let extend = sqlx::raw_sql("UPDATE sessions SET expires_at = now() + interval '1 hour' WHERE id = 3");
    let extended = async { extend.execute(&mut user).await.unwrap().rows_affected() };
    let released = async {
        database
            .wait_for_condition(
                "EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                         AND wait_event_type = 'Lock' AND query LIKE 'UPDATE sessions%')",
            )
            .await;
        sqlx::raw_sql("SELECT pg_advisory_unlock(1)").execute(&mut other).await.unwrap();
    };
    let (extended, ()) = tokio::join!(extended, released);
    assert_eq!(extended, 0, "the client that extends it is told");
    running.outcome().await.exits(0).swept("logins", json!({ "expired": 5 }));
    assert_eq!(left(&mut database).await, 1);
}

/// Sessions are extended all the time, each in a separate transaction, while sweep follows sweep.
#[tokio::test]
async fn a_session_that_is_extended_in_time_stays() {
    let mut database = filled(0, 10).await;
    database
        .sql(
            "INSERT INTO sessions (user_id, expires_at)
             SELECT n, now() - interval '2 days' FROM generate_series(1000, 1999) AS n",
        )
        .await;
    let mut other = database.connect().await;
    let extends = async {
        let mut kept = 0;
        for user in 1000..2000 {
            let extend = "UPDATE sessions SET expires_at = now() + interval '1 hour' WHERE user_id = $1";
            kept += sqlx::query(extend).bind(user).execute(&mut other).await.unwrap().rows_affected();
        }
        kept
    };
    let sweeps = async {
        let mut expired = 0;
        for _ in 0..3 {
            let running = Running::once_with(&database, &by_expiry("batch_size = 3"), &[]);
            expired += running.outcome().await.exits(0).store("logins")["expired"].as_u64().unwrap();
        }
        expired
    };
    let (kept, expired) = tokio::join!(extends, sweeps);
    assert_eq!(kept + expired, 1000);
    assert_eq!(left(&mut database).await.unsigned_abs(), 10 + kept);
}
