//! Links that the catalog records and that are not counted until they are declared.

use crate::support::{Database, feed};
use serde_json::json;

/// Creates a table of another role whose default uses the owner's sequence.
async fn strangers_table() -> (Database, String) {
    let mut database = Database::new().await;
    let (owner, stranger) = (database.role("owner"), database.role("stranger"));
    database
        .sql(&format!(
            "CREATE ROLE {owner}; CREATE ROLE {stranger};
             CREATE TABLE mine (id serial PRIMARY KEY); ALTER TABLE mine OWNER TO {owner};
             INSERT INTO mine VALUES (2);
             GRANT USAGE ON mine_id_seq TO {stranger}; GRANT CREATE ON SCHEMA public TO {stranger};
             SET ROLE {stranger};
             CREATE TABLE pushes (id bigint PRIMARY KEY DEFAULT nextval('mine_id_seq'));
             INSERT INTO pushes VALUES (1000);
             RESET ROLE"
        ))
        .await;
    (database, stranger)
}

#[tokio::test]
async fn a_strangers_table_cannot_push_a_sequence() {
    let (mut database, stranger) = strangers_table().await;
    // Its own inserts fail, which is said; the sequence is moved past its owner's ids alone.
    let outcome = database.once(&[]).exits(3);
    outcome.repair(
        "public.mine_id_seq",
        json!({ "outcome": "repaired", "next_value": 3, "held_by": "ownership", "method": "advance" }),
    );
    outcome.shows("public.mine_id_seq", json!({ "max_id": 2, "feeds": [feed("public.mine.id", "serial")] }));
    let reason = outcome.reason("public.mine_id_seq");
    assert!(reason.contains(&format!("public.pushes.id uses it too, but that table's owner {stranger} does not own")));
    assert_eq!(database.nextval("mine_id_seq").await, 3);
}

#[tokio::test]
async fn a_strangers_table_counts_once_it_is_declared() {
    let (mut database, _) = strangers_table().await;
    let settings = "[[sequences.feeds]]\nsequence = \"public.mine_id_seq\"\ncolumn = \"public.pushes.id\"\n";
    let outcome = database.once_with(settings, &[]).exits(0);
    let feeds = [feed("public.mine.id", "serial"), feed("public.pushes.id", "default")];
    outcome.shows("public.mine_id_seq", json!({ "max_id": 1000, "feeds": feeds }));
    assert_eq!(database.nextval("mine_id_seq").await, 1001);
}

#[tokio::test]
async fn a_views_default_is_no_link_and_said_to_be_none() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE s;
             CREATE TABLE t (id bigint PRIMARY KEY); INSERT INTO t VALUES (5);
             CREATE VIEW v AS SELECT * FROM t;
             ALTER VIEW v ALTER id SET DEFAULT nextval('s')",
        )
        .await;
    let outcome = database.once(&[]).exits(3);
    outcome.shows("public.s", json!({ "verdict": "unlinked", "feeds": [] }));
    let reason = outcome.reason("public.s");
    for part in ["likely public.t.id", "public.v.id", "declare the column of the table behind it"] {
        assert!(reason.contains(part), "{reason}");
    }

    let settings = "[[sequences.feeds]]\nsequence = \"public.s\"\ncolumn = \"public.t.id\"\n";
    database.once_with(settings, &[]).exits(0).shows("public.s", json!({ "verdict": "behind", "max_id": 5 }));
}

#[tokio::test]
async fn an_unlinked_sequence_is_listed_with_its_state_and_the_reason() {
    let mut database = Database::new().await;
    database.sql("CREATE SEQUENCE lonely MAXVALUE 100; SELECT setval('lonely', 50)").await;
    let outcome = database.once(&[]).exits(0);
    outcome.shows(
        "public.lonely",
        json!({ "verdict": "unlinked", "feeds": [], "next_value": 51, "max_id": null, "lag": null,
                "used_ratio": 0.5, "repair": null }),
    );
    assert!(outcome.reason("public.lonely").contains("no ownership, default or declared link"));
}

#[tokio::test]
async fn an_unlinked_sequence_that_has_run_out_is_exhausted() {
    let mut database = Database::new().await;
    database.sql("CREATE SEQUENCE lonely MAXVALUE 3; SELECT setval('lonely', 3)").await;
    let outcome = database.once(&[]).exits(3);
    outcome.shows("public.lonely", json!({ "verdict": "exhausted", "next_value": null, "used_ratio": 1.0 }));
}
