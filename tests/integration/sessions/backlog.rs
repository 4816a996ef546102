//! A large backlog is ended in the order in which the table stores it, and by the same rules as a small one.

use super::{by_expiry, left};
use crate::support::{Database, wait_until};
use serde_json::json;

/// A table `sessions (id, expires_at)` with 24 000 sessions that are over and 3 000 live ones among them, in no order, and
/// without an index that begins with `expires_at`.
async fn backlog(table: &str) -> Database {
    let mut database = Database::new().await;
    let fill = "INSERT INTO sessions (id, expires_at)
                SELECT n, now() + CASE WHEN n % 9 = 0 THEN 1 ELSE -1 END
                       * (interval '2 days' + (n * 7919 % 10007) * interval '1 second')
                FROM generate_series(1, 27000) AS n";
    database.sql(&format!("{table}; {fill}; ANALYZE sessions")).await;
    database
}

const PLAIN: &str = "CREATE TABLE sessions (id int PRIMARY KEY, expires_at timestamptz)";

#[tokio::test]
async fn the_number_of_batches_does_not_matter_to_how_often_the_table_is_read() {
    let mut database = backlog(PLAIN).await;
    let is_ranged = database.number("SELECT current_setting('server_version_num')::bigint / 140000").await == 1;
    let outcome = database.once_with(&by_expiry("batch_size = 100"), &[]).exits(0);
    outcome.swept("logins", json!({ "expired": 24_000, "live": 3_000, "stale": 0 }));
    assert_eq!(left(&mut database).await, 3_000);
    // To find the oldest sessions, each of 240 batches would read it.
    let scans = "(SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'sessions' AND n_tup_del = 24000)";
    wait_until(&mut database.connect().await, &format!("SELECT {scans} IS NOT NULL")).await;
    let scans = database.number(&format!("SELECT {scans}")).await;
    assert!(scans < 20 || !is_ranged, "{scans}");
}

#[tokio::test]
async fn of_a_backlog_those_that_a_trigger_refuses_and_those_that_are_locked_are_left_and_said() {
    let mut database = backlog(PLAIN).await;
    database
        .sql(
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
                 $$BEGIN IF OLD.id IN (7, 13001, 13002, 26999) THEN RAISE 'on hold'; END IF; RETURN OLD; END$$;
             CREATE TRIGGER legal_hold BEFORE DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION f()",
        )
        .await;
    let mut other = database.connect().await;
    sqlx::raw_sql("BEGIN; UPDATE sessions SET expires_at = now() + interval '1 hour' WHERE id IN (8, 20000)")
        .execute(&mut other)
        .await
        .unwrap();
    let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
    outcome.swept("logins", json!({ "expired": 23_994, "live": 3_000, "stale": 6 }));
    outcome.store_says("logins", "error", &["could not be ended: 4: ", "legal_hold on public.sessions"]);
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    assert_eq!(database.number("SELECT count(*) FROM sessions WHERE expires_at < now()").await, 4);
    assert_eq!(left(&mut database).await, 3_006);
}

#[tokio::test]
async fn a_backlog_in_partitions_of_different_size_is_ended_to_the_last_page() {
    let table = "CREATE TABLE sessions (id int, expires_at timestamptz) PARTITION BY RANGE (id);
                 CREATE TABLE few PARTITION OF sessions FOR VALUES FROM (0) TO (1000);
                 CREATE TABLE many PARTITION OF sessions FOR VALUES FROM (1000) TO (30000)";
    let mut database = backlog(table).await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(0);
    outcome.swept("logins", json!({ "expired": 24_000, "live": 3_000, "stale": 0 }));
    assert_eq!(database.number("SELECT count(*) FROM sessions WHERE expires_at > now()").await, 3_000);
}

#[tokio::test]
async fn a_backlog_of_two_rules_is_revoked_once() {
    let mut database = backlog(
        "CREATE TABLE sessions (id int PRIMARY KEY, expires_at timestamptz, revoked_at timestamptz,
                                made timestamptz DEFAULT now() - interval '3 days')",
    )
    .await;
    let settings = by_expiry(
        "created_at = \"made\"\nabsolute_timeout = \"2d\"\nrevoke = { column = \"revoked_at\" }\nmax_ended_ratio = 1.0",
    );
    database.sql("UPDATE sessions SET made = now() WHERE id > 2700").await;
    let outcome = database.once_with(&settings, &[]).exits(0);
    // Of 300 live sessions by one rule, the other ends all.
    outcome.swept("logins", json!({ "expired": 24_300, "live": 2_700, "stale": 0 }));
    let revoked = "SELECT count(*) FROM sessions WHERE revoked_at IS NOT NULL";
    assert_eq!(database.number(revoked).await, 24_300);
    assert_eq!(database.number(&format!("{revoked} AND expires_at > now() AND id > 2700")).await, 0);
}

#[tokio::test]
async fn pages_of_sessions_that_cannot_be_ended_keep_no_others() {
    let mut database = backlog(PLAIN).await;
    database
        .sql(
            "CREATE TABLE audit (session int REFERENCES sessions);
             INSERT INTO audit SELECT id FROM sessions WHERE id <= 900 AND expires_at < now()",
        )
        .await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
    outcome.swept("logins", json!({ "expired": 23_200, "live": 3_000, "stale": 800 }));
    outcome.store_says("logins", "error", &["could not be ended: 800: "]);
}

#[tokio::test]
async fn pages_without_a_session_to_end_make_no_batch_larger() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE sessions (id int, expires_at timestamptz);
             INSERT INTO sessions SELECT n, now() + interval '1 day' FROM generate_series(1, 30000) AS n;
             INSERT INTO sessions SELECT n, now() - interval '3 days' FROM generate_series(1, 21000) AS n;
             CREATE TABLE ended (nth bigserial, batch xid8 DEFAULT pg_current_xact_id());
             CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
                 $$BEGIN INSERT INTO public.ended DEFAULT VALUES; RETURN NULL; END$$;
             CREATE TRIGGER note AFTER DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION f()",
        )
        .await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(0);
    outcome.swept("logins", json!({ "expired": 21_000, "live": 30_000, "stale": 0 }));
    let first = "SELECT count(*) FROM ended WHERE batch = (SELECT batch FROM ended ORDER BY nth LIMIT 1)";
    assert_eq!(database.number(first).await, 1, "the first batch with a trigger's work");
}

#[tokio::test]
async fn a_session_of_a_partition_that_takes_too_long_keeps_no_others() {
    let table = "CREATE TABLE sessions (id int, expires_at timestamptz) PARTITION BY RANGE (id);
                 CREATE TABLE first PARTITION OF sessions FOR VALUES FROM (0) TO (13500);
                 CREATE TABLE second PARTITION OF sessions FOR VALUES FROM (13500) TO (30000);
                 CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
                     $$BEGIN PERFORM pg_sleep(CASE OLD.id WHEN 7000 THEN 600 ELSE 0 END); RETURN NULL; END$$;
                 CREATE TRIGGER slow AFTER DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION f()";
    let database = backlog(table).await;
    let settings = format!("[sequences]\nstatement_timeout = \"2s\"\n{}", by_expiry(""));
    let outcome = database.once_with(&settings, &[]).exits(1);
    outcome.swept("logins", json!({ "expired": 23_999, "live": 3_000, "stale": 1 }));
    outcome.store_says("logins", "error", &["could not be ended: 1: "]);
}
