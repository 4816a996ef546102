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
