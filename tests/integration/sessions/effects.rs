//! What ending a session does to other rows: foreign keys are followed to the end.

use super::triggers::trigger;
use super::{by_expiry, filled, left};
use crate::support::Database;
use serde_json::json;

#[tokio::test]
async fn keys_that_lead_back_to_the_sessions_are_refused_by_name() {
    for (ring, named, fix) in [
        (
            "ALTER TABLE sessions ADD parent bigint CONSTRAINT back REFERENCES sessions ON DELETE CASCADE;
             UPDATE sessions SET parent = id - 2 WHERE id > 2",
            "the foreign key back of public.sessions (parent), which refers to public.sessions",
            true,
        ),
        (
            "CREATE TABLE devices (id int PRIMARY KEY, session bigint NOT NULL REFERENCES sessions ON DELETE CASCADE);
             ALTER TABLE sessions ADD device int CONSTRAINT back REFERENCES devices ON DELETE CASCADE",
            "the foreign key back of public.sessions (device), which refers to public.devices",
            true,
        ),
        (
            "CREATE TABLE a (id int PRIMARY KEY, session bigint REFERENCES sessions ON DELETE CASCADE);
             CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE);
             INSERT INTO a SELECT id, id FROM sessions; INSERT INTO b SELECT id, id FROM a;
             ALTER TABLE sessions ADD b int NOT NULL DEFAULT 1 CONSTRAINT back REFERENCES b ON DELETE CASCADE",
            "the foreign key back of public.sessions (b), which refers to public.b",
            false,
        ),
    ] {
        let mut database = filled(2, 2).await;
        database.sql(ring).await;
        for arguments in [&[][..], &["--approve", "logins"]] {
            let outcome = database.once_with(&by_expiry(""), arguments).exits(1);
            outcome.store_says("logins", "error", &[named, "leads back to the sessions"]);
            assert_eq!(outcome.store_kinds("logins", "error"), ["foreign_key_ring"]);
            assert_eq!(left(&mut database).await, 4, "{named}");
            assert_eq!(outcome.store_fixes("logins", "error").len(), usize::from(fix));
        }
        // Sessions that are only revoked take nothing along.
        database
            .once_with(&by_expiry("revoke = { column = \"revoked_at\" }"), &[])
            .exits(0)
            .swept("logins", json!({ "expired": 2 }));
    }
}

#[tokio::test]
async fn the_fix_of_a_self_reference_keeps_the_live_session() {
    let mut database = filled(3, 3).await;
    database
        .sql(
            "ALTER TABLE sessions ADD parent bigint CONSTRAINT back REFERENCES sessions ON DELETE CASCADE;
             CREATE INDEX ON sessions (parent); UPDATE sessions SET parent = id - 3 WHERE id > 3",
        )
        .await;
    let fix = database.once_with(&by_expiry(""), &[]).exits(1).store_fix("logins", "error");
    database.sql(&fix).await;
    database
        .once_with(&by_expiry(""), &[])
        .exits(0)
        .swept("logins", json!({ "expired": 3, "live": 3, "warnings": [] }));
    assert_eq!(left(&mut database).await, 3);
}

#[tokio::test]
async fn rows_that_refer_to_a_session_go_along_and_what_is_further_away_is_held_by_name() {
    let mut database = filled(2, 2).await;
    database
        .sql(
            "CREATE TABLE devices (id int PRIMARY KEY, session bigint NOT NULL REFERENCES sessions ON DELETE CASCADE);
             CREATE INDEX ON devices (session); INSERT INTO devices SELECT id, id FROM sessions;
             CREATE TABLE answers (id int PRIMARY KEY, device int CONSTRAINT far REFERENCES devices ON DELETE CASCADE);
             CREATE INDEX ON answers (device); INSERT INTO answers SELECT id, id FROM devices",
        )
        .await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(3);
    outcome.store_says("logins", "held", &["the foreign key far of public.answers (device)", "--approve logins"]);
    assert_eq!(outcome.store_kinds("logins", "held"), ["takes_along"]);
    database
        .sql("ALTER TABLE answers DROP CONSTRAINT far, ADD FOREIGN KEY (device) REFERENCES devices ON DELETE SET NULL")
        .await;
    database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 2, "warnings": [] }));
    assert_eq!(database.number("SELECT count(*) FROM devices").await, 2);
    assert_eq!(database.number("SELECT count(device) * 10 + count(*) FROM answers").await, 24);
}

#[tokio::test]
async fn an_index_that_is_missing_two_tables_away_is_named_and_its_statement_works() {
    let mut database = filled(2, 2).await;
    database
        .sql(
            "CREATE TABLE devices (id int PRIMARY KEY, session bigint NOT NULL REFERENCES sessions ON DELETE CASCADE);
             CREATE INDEX ON devices (session); INSERT INTO devices SELECT id, id FROM sessions;
             CREATE TABLE answers (device int REFERENCES devices ON DELETE SET NULL)",
        )
        .await;
    let outcome = database.once_with(&by_expiry(""), &["--dry-run"]).exits(0);
    outcome.store_says("logins", "warnings", &["public.answers refers to public.devices, whose rows are deleted with"]);
    let fix = outcome.store_fix("logins", "warnings");
    assert_eq!(fix, "CREATE INDEX CONCURRENTLY ON public.answers (device)");
    database.sql(&fix).await;
    database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 2, "warnings": [] }));
}

#[tokio::test]
async fn keys_that_do_not_act_hold_the_sweep_also_where_it_is_approved() {
    let children = "CREATE TABLE notes (session bigint NOT NULL REFERENCES sessions ON DELETE CASCADE);
                    CREATE INDEX ON notes (session); INSERT INTO notes SELECT id FROM sessions";
    let mut database = filled(2, 2).await;
    let (medic, name) = (database.role("medic"), database.name.clone());
    database
        .sql(&format!(
            "{children}; CREATE ROLE {medic} LOGIN; GRANT SELECT, UPDATE, DELETE ON sessions, notes TO {medic};
             GRANT SELECT ON SEQUENCE sessions_id_seq TO {medic}"
        ))
        .await;
    for place in [format!("ROLE {medic}"), format!("ROLE {medic} IN DATABASE {name}"), format!("DATABASE {name}")] {
        database.sql(&format!("ALTER {place} SET session_replication_role = replica")).await;
        let outcome = database.once_with_as(&medic, &by_expiry(""), &["--approve", "logins"]).exits(3);
        outcome.store_says("logins", "held", &["session_replication_role is replica", "public.notes"]);
        assert_eq!(outcome.store_kinds("logins", "held"), ["foreign_keys_off"]);
        let fix = outcome.store_fix("logins", "held");
        assert_eq!(fix, format!("ALTER {place} RESET session_replication_role"));
        database.sql(&fix).await;
    }
    database.sql("ALTER TABLE sessions DISABLE TRIGGER ALL").await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(3);
    outcome.store_says("logins", "held", &["does not act, because its triggers are disabled"]);
    assert_eq!(left(&mut database).await, 4);
    database.sql(&outcome.store_fix("logins", "held")).await;
    database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 2 }));
    assert_eq!(database.number("SELECT count(*) FROM notes").await, 2);
}

#[tokio::test]
async fn one_session_that_cannot_go_keeps_no_other_one() {
    let of_ids =
        "CREATE TABLE notes (session bigint NOT NULL CONSTRAINT k REFERENCES sessions DEFERRABLE INITIALLY DEFERRED);
                  CREATE INDEX ON notes (session); INSERT INTO notes VALUES (700)";
    let hold = trigger("BEFORE", "IF OLD.id = 700 THEN RAISE EXCEPTION 'legal hold'; END IF; RETURN OLD;");
    for (keeps, kind) in [(of_ids, "foreign_key"), (hold.as_str(), "trigger_failed")] {
        let mut database = filled(2000, 2).await;
        // All end at the same time, so that the time does not tell them apart.
        database.sql("UPDATE sessions SET expires_at = '2020-05-05' WHERE expires_at < now()").await;
        database.sql(keeps).await;
        for expired in [1999, 0] {
            let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
            outcome.swept("logins", json!({ "expired": expired, "stale": 1, "live": 2 }));
            assert_eq!(outcome.store_kinds("logins", "error"), [kind]);
            outcome.store_says("logins", "error", &["sessions that could not be ended: 1: "]);
            assert_eq!(outcome.stderr.matches("sqlx").count(), 0, "{}", outcome.stderr);
        }
        assert_eq!(database.number("SELECT min(id) FROM sessions").await, 700);
    }
}

#[tokio::test]
async fn superseded_sessions_that_cannot_go_are_alone_too() {
    let mut database = filled(0, 40).await;
    database.sql("UPDATE sessions SET user_id = 1 + id % 10, created_at = now() - id * interval '1 minute'").await;
    database.sql(&trigger("BEFORE", "IF OLD.id = 40 THEN RAISE EXCEPTION 'no'; END IF; RETURN OLD;")).await;
    let settings = by_expiry("user = \"user_id\"\ncreated_at = \"created_at\"\nmax_per_user = 2");
    let outcome = database.once_with(&settings, &[]).exits(1);
    outcome.swept("logins", json!({ "superseded": 19, "live": 21 }));
    assert_eq!(left(&mut database).await, 21);
}

#[tokio::test]
async fn in_partitions_the_session_that_cannot_go_is_alone_as_well() {
    let mut database = crate::support::Database::new().await;
    database
        .sql(
            "CREATE TABLE sessions (id int PRIMARY KEY, expires_at timestamptz) PARTITION BY RANGE (id);
             CREATE TABLE low PARTITION OF sessions FOR VALUES FROM (0) TO (50);
             CREATE TABLE high PARTITION OF sessions FOR VALUES FROM (50) TO (200);
             INSERT INTO sessions SELECT n, now() + interval '1 hour' - (n % 2) * interval '3 days' FROM generate_series(1, 99) AS n;
             CREATE TABLE notes (session int NOT NULL REFERENCES sessions); INSERT INTO notes VALUES (7), (77)",
        )
        .await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
    outcome.swept("logins", json!({ "expired": 48, "stale": 2, "live": 49 }));
    outcome.store_says("logins", "error", &["notes"]);
    assert_eq!(left(&mut database).await, 51);
}

/// Keys refer to the table that the store is a partition of.
#[tokio::test]
async fn keys_that_refer_to_a_session_through_its_partitioned_table_are_followed() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE all_sessions (id bigint, kind text, expires_at timestamptz, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind);
             CREATE TABLE sessions PARTITION OF all_sessions FOR VALUES IN ('web');
             CREATE TABLE api PARTITION OF all_sessions FOR VALUES IN ('api');
             CREATE TABLE orders (id serial PRIMARY KEY, session_id bigint NOT NULL, kind text NOT NULL,
                                  FOREIGN KEY (session_id, kind) REFERENCES all_sessions ON DELETE CASCADE);
             INSERT INTO all_sessions SELECT n, 'web', now() + (n - 20.5) * interval '2 days' FROM generate_series(1, 40) AS n;
             INSERT INTO orders (session_id, kind) SELECT id, kind FROM all_sessions",
        )
        .await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(3);
    outcome.store_says("logins", "held", &["public.orders"]);
    assert_eq!(database.number("SELECT count(*) FROM orders").await, 40);
}
