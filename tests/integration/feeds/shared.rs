//! Two sequences that hand out values for one column.

use crate::support::Database;
use serde_json::json;

#[tokio::test]
async fn two_sequences_of_one_partition_name_each_other_and_do_not_hand_out_the_same_value_next() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE p (id bigserial, k integer) PARTITION BY LIST (k);
             CREATE TABLE c (id bigserial, k integer); CREATE UNIQUE INDEX ON c (id);
             INSERT INTO c (k) SELECT 1 FROM generate_series(1, 100);
             ALTER TABLE p ATTACH PARTITION c FOR VALUES IN (1)",
        )
        .await;
    let outcome = database.once(&[]).exits(0);
    outcome.repair("public.p_id_seq", json!({ "outcome": "repaired", "next_value": 102 }));
    assert!(outcome.reason("public.p_id_seq").contains("public.c_id_seq hands out values for the same column"));
    assert!(outcome.reason("public.c_id_seq").contains("public.p_id_seq hands out values for the same column"));
    assert_eq!(database.number("INSERT INTO c (k) VALUES (1) RETURNING id").await, 101);
    assert_eq!(database.number("INSERT INTO p (k) VALUES (1) RETURNING id").await, 102);

    // The fix lets one sequence feed both.
    database.sql(&outcome.fix("public.c_id_seq")).await;
    let outcome = database.once(&[]).exits(0);
    outcome.shows("public.p_id_seq", json!({ "verdict": "in_sync", "reason": null }));
    assert_eq!(database.number("INSERT INTO c (k) VALUES (1) RETURNING id").await, 103);
}

#[tokio::test]
async fn sequences_that_stand_at_the_same_value_are_parted_by_one() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE t (id bigint PRIMARY KEY); CREATE SEQUENCE a; CREATE SEQUENCE b;
             INSERT INTO t SELECT generate_series(1, 5); SELECT setval('a', 5), setval('b', 5)",
        )
        .await;
    let settings = "[[sequences.feeds]]\nsequence = 'public.a'\ncolumn = 'public.t.id'
                    [[sequences.feeds]]\nsequence = 'public.b'\ncolumn = 'public.t.id'\n";
    database.once_with(settings, &["--dry-run"]).exits(3).shows("public.a", json!({ "verdict": "behind", "lag": 1 }));
    let outcome = database.once_with(settings, &[]).exits(0);
    outcome.repair("public.a", json!({ "outcome": "repaired", "next_value": 7 }));
    assert!(outcome.reason("public.a").contains("public.b hands out 6 next too"));
    assert!(outcome.reason("public.b").contains("public.a hands out values for the same column"));
    // They stand apart now, so another pass changes nothing.
    database.once_with(settings, &[]).exits(0).shows("public.a", json!({ "verdict": "in_sync", "repair": null }));
}

#[tokio::test]
async fn of_three_sequences_that_stand_at_the_same_value_each_is_parted_from_the_others() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE t (id bigint PRIMARY KEY); CREATE SEQUENCE a; CREATE SEQUENCE b; CREATE SEQUENCE c;
             INSERT INTO t SELECT generate_series(1, 100)",
        )
        .await;
    let feed = |name| format!("[[sequences.feeds]]\nsequence = 'public.{name}'\ncolumn = 'public.t.id'\n");
    database.once_with(&["a", "b", "c"].map(feed).concat(), &[]).exits(0);
    for sequence in ["a", "b", "c"] {
        database.sql(&format!("INSERT INTO t SELECT nextval('{sequence}')")).await;
    }
}
