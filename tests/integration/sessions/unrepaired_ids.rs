//! Ids that would be handed out again where the configuration keeps pgmedic from repairing the sequence: the fix repairs it.

use super::by_expiry;
use crate::support::Database;
use serde_json::json;

/// Ids of live sessions up to 100 steps, then 50 of expired ones, and a sequence that stands at the 100th.
async fn behind(increment: i32, last: i32, ids: &str) -> Database {
    let mut database = Database::new().await;
    let sign = increment.signum();
    database
        .sql(&format!(
            "CREATE TABLE sessions (\"the id\" bigserial PRIMARY KEY, expires_at timestamptz); CREATE INDEX ON sessions (expires_at);
             ALTER SEQUENCE \"sessions_the id_seq\" INCREMENT {increment} MINVALUE -100000 MAXVALUE 100000 CACHE 3;
             ALTER TABLE sessions ALTER \"the id\" DROP DEFAULT;
             INSERT INTO sessions SELECT {sign} * ({ids}), now() + (100.5 - n) * interval '1 day' FROM generate_series(1, 150) AS n;
             SELECT setval('\"sessions_the id_seq\"', {last});
             UPDATE sessions SET expires_at = now() - interval '3 days' WHERE expires_at < now()"
        ))
        .await;
    database
}

#[tokio::test]
async fn where_repairs_are_off_the_fix_of_ids_that_would_be_handed_out_again_repairs_the_sequence() {
    let section = "[sequences]\nrepair = false\n";
    let rule = "[[sequences.rules]]\nmatch = \"public.sessions_*\"\nrepair = false\n";
    let observed = "[[sequences.rules]]\nmatch = \"public.other\"\nrepair = false\n";
    for settings in [section.to_owned(), rule.to_owned(), format!("{observed}{section}")] {
        let mut database = behind(1, 100, "n").await;
        let settings = format!("{settings}{}", by_expiry(""));
        let outcome = database.once_with(&settings, &[]).exits(3);
        outcome.swept("logins", json!({ "expired": 0, "stale": 50 }));
        outcome.store_says("logins", "held", &["50 of the sessions that are over", "repair = false"]);
        let fix = outcome.store_fix("logins", "held");
        database.sql(&fix).await;
        database.once_with(&settings, &[]).swept("logins", json!({ "expired": 50, "held": null }));
        assert_eq!(database.nextval("\"sessions_the id_seq\"").await, 151);
        // Later, too: it never goes back.
        database.sql(&fix).await;
        assert_eq!(database.nextval("\"sessions_the id_seq\"").await, 154, "the other two were in the cache");
    }
}

#[tokio::test]
async fn the_fix_goes_in_the_sequences_direction_and_steps_and_past_the_last_block() {
    // The increment, the last value before, how ids are made, and the last value after.
    for (increment, last, ids, allocator, after) in [
        (-1, -100, "n", "", -150),
        (10, 1001, "n * 10 - 9", "", 1491),
        (50, 101, "n", "pooled", 151),
        (50, 51, "n", "pooled_lo", 101),
        (50, 51, "n", "hilo", 101),
        (-50, -51, "n", "hilo", -101),
        (1, 1, "n", "legacy_hilo\"\nblock_size = 50\n#\"", 3),
    ] {
        let mut database = behind(increment, last, ids).await;
        let declared = match allocator {
            "" => String::new(),
            allocator => format!("allocator = \"{allocator}\"\n"),
        };
        let settings = format!(
            "[sequences]\nrepair = false\n[[sequences.feeds]]\nsequence = 'public.\"sessions_the id_seq\"'\n\
             column = 'public.sessions.\"the id\"'\n{declared}{}",
            by_expiry("")
        );
        let outcome = database.once_with(&settings, &[]).exits(3);
        let fix = outcome.store_fix("logins", "held");
        database.sql(&fix).await;
        let is = database.number("SELECT last_value FROM \"sessions_the id_seq\"").await;
        assert_eq!(is, after, "{increment} {allocator}: {fix}");
        database.once_with(&settings, &[]).swept("logins", json!({ "expired": 50, "held": null }));
    }
}

#[tokio::test]
async fn the_fix_moves_the_sequence_of_rows_that_are_deleted_with_the_sessions() {
    let mut database = super::filled(20, 20).await;
    database
        .sql(
            "CREATE TABLE tokens (id serial PRIMARY KEY, session bigint NOT NULL REFERENCES sessions ON DELETE CASCADE);
             CREATE INDEX ON tokens (session); INSERT INTO tokens (session) SELECT id FROM sessions ORDER BY id DESC;
             SELECT setval('tokens_id_seq', 30)",
        )
        .await;
    let settings = format!("[sequences]\nrepair = false\n{}", by_expiry(""));
    let outcome = database.once_with(&settings, &[]).exits(3);
    database.sql(&outcome.store_fix("logins", "held")).await;
    database.once_with(&settings, &[]).swept("logins", json!({ "expired": 20, "held": null }));
    assert_eq!(database.nextval("tokens_id_seq").await, 41);
}
