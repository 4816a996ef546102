//! Sessions that are kept by rows that the same run ends: one run ends them all.

use super::{by_expiry, filled};
use crate::support::Database;
use serde_json::json;

/// Sessions that refer to each other in chains of this length. The highest ids are the oldest.
async fn chained(refers_to: &str, length: u32) -> Database {
    let mut database = filled(1200, 4).await;
    database
        .sql(&format!(
            "ALTER TABLE sessions ADD other bigint CONSTRAINT k REFERENCES sessions; CREATE INDEX ON sessions (other);
             UPDATE sessions SET other = {refers_to} WHERE id <= 1200 AND (id - 1) / {length} = ({refers_to} - 1) / {length}
                                                       AND {refers_to} BETWEEN 1 AND 1200"
        ))
        .await;
    database
}

#[tokio::test]
async fn sessions_that_refer_to_each_other_are_ended_by_one_run_in_either_direction() {
    for (refers_to, length) in
        [("id + 1", 1200), ("id - 1", 1200), ("id + 1", 7), ("id - 1", 7), ("(id + 399) / 400 * 400", 1200)]
    {
        let database = chained(refers_to, length).await;
        let outcome = database.once_with(&by_expiry(""), &[]).exits(0);
        outcome.swept("logins", json!({ "expired": 1200, "stale": 0, "live": 4 }));
        // A live one keeps what it refers to, and that keeps the rest of its chain.
        let mut database = chained(refers_to, length).await;
        database.sql("UPDATE sessions SET other = 600 WHERE id = 1201").await;
        let kept =
            "WITH RECURSIVE r AS (SELECT 600::bigint AS id UNION SELECT s.other FROM r JOIN sessions s USING (id))
                    SELECT count(id) FROM r";
        let kept = database.number(kept).await;
        let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
        outcome.swept("logins", json!({ "expired": 1200 - kept, "stale": kept, "live": 4 }));
        outcome.store_says("logins", "error", &[&format!("could not be ended: {kept}: "), "constraint \"k\""]);
    }
}

#[tokio::test]
async fn chains_of_sessions_that_ended_at_one_time_are_ended_by_one_run_whichever_keys_they_have() {
    let mut database = filled(300, 4).await;
    database
        .sql(
            "ALTER TABLE sessions ADD a bigint REFERENCES sessions, ADD b bigint REFERENCES sessions DEFERRABLE INITIALLY DEFERRED;
             CREATE INDEX ON sessions (a); CREATE INDEX ON sessions (b);
             UPDATE sessions SET expires_at = '2020-05-05', a = nullif((id * 7) % 300, 0), b = id WHERE id <= 300;
             UPDATE sessions SET a = NULL WHERE id <= 300 AND a >= id",
        )
        .await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(0);
    outcome.swept("logins", json!({ "expired": 300, "stale": 0, "live": 4 }));
}

#[tokio::test]
async fn a_store_that_another_one_refers_to_is_swept_again_after_it() {
    let mut database = filled(50, 2).await;
    database
        .sql(
            "CREATE TABLE tokens (session bigint NOT NULL REFERENCES sessions, expires_at timestamptz);
             CREATE INDEX ON tokens (session); CREATE INDEX ON tokens (expires_at);
             INSERT INTO tokens SELECT id, expires_at FROM sessions",
        )
        .await;
    let tokens = "[[sessions]]\nname = \"tokens\"\ntable = \"public.tokens\"\nexpires_at = \"expires_at\"\nencoding = \"timestamptz\"\n";
    let outcome = database.once_with(&format!("{}{tokens}", by_expiry("")), &[]).exits(0);
    outcome.swept("logins", json!({ "expired": 50, "stale": 0, "live": 2, "error": null }));
    outcome.swept("tokens", json!({ "expired": 50, "stale": 0, "live": 2 }));
}
