//! Which sequence takes over from which, by the names.

use super::both;
use super::command::cutover;
use crate::support::Database;

#[tokio::test]
async fn a_sequence_that_takes_over_from_another_one_is_not_to_be_renamed() {
    let (mut old, mut new) = both("CREATE TABLE t2 (id serial PRIMARY KEY, x int)").await;
    old.sql("CREATE TABLE t1 (id serial PRIMARY KEY, x int); INSERT INTO t1 (x) SELECT 1 FROM generate_series(1, 60)")
        .await;
    new.sql("CREATE TABLE t1 (id int PRIMARY KEY DEFAULT nextval('t2_id_seq'), x int)").await;
    let report = cutover(&old, &new, &[]).exits(3);
    assert_eq!(report.against("public.t1_id_seq"), ["missing_sequence"]);
    new.sql(&report.fix_of("public.t1_id_seq")).await;
    let report = cutover(&old, &new, &["--yes"]).exits(3);
    assert_eq!(report.against("public.t1_id_seq"), ["definition"], "t1 draws from the other one still");
    new.sql(&report.fix_of("public.t1_id_seq")).await;
    cutover(&old, &new, &["--yes"]).exits(0);
    assert_eq!(new.number("INSERT INTO t1 (x) VALUES (1) RETURNING id::bigint").await, 61);
}

#[tokio::test]
async fn two_sequences_that_would_go_to_one_are_refused_by_their_names() {
    let (mut old, mut new) = (Database::new().await, Database::new().await);
    old.sql(
        "CREATE SCHEMA a; CREATE SEQUENCE a.ids; CREATE SEQUENCE ids; SELECT setval('a.ids', 70), setval('ids', 30)",
    )
    .await;
    new.sql("CREATE SEQUENCE ids").await;
    let report = cutover(&old, &new, &["--map", "a=public", "--yes"]).exits(2);
    assert_eq!(report.reason_kinds(), ["configuration"]);
    assert!(report.stdout.contains("a.ids") && report.stdout.contains("public.ids"), "{}", report.stdout);
    assert_eq!(new.nextval("ids").await, 1, "nothing was done");
}

#[tokio::test]
async fn another_residue_class_is_not_moved_until_it_is_fixed_or_confirmed() {
    let table = |start| {
        format!("CREATE SEQUENCE s INCREMENT 5 START {start}; CREATE TABLE t (id int PRIMARY KEY DEFAULT nextval('s'))")
    };
    let (mut old, mut new) = (Database::new().await, Database::new().await);
    old.sql(&format!("{}; SELECT setval('s', 53)", table(3))).await;
    new.sql(&table(4)).await;
    let report = cutover(&old, &new, &["--headroom", "1000"]).exits(3);
    assert_eq!(report.carried("public.s")["outcome"], "held");
    assert_eq!(report.carried("public.s")["next_value"], 4, "it was not moved");
    let fix = report.fix_of("public.s");
    let report = cutover(&old, &new, &["--headroom", "1000"]).exits(3);
    assert_eq!(report.fix_of("public.s"), fix, "a second run says the same");
    new.sql(&fix).await;
    cutover(&old, &new, &["--headroom", "1000"]).exits(0);
    assert_eq!(new.nextval("s").await, 5058);
}
