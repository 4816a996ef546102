//! Runs every command of the cutover guide as it is written.

use super::{Pair, writers::Writers};

const PREPARATION: [&str; 4] = ["1", "2", "3", "4"];
const WITH_PGLOGICAL: [&str; 3] = ["P3", "P4", "P9"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cutover_and_way_back_cause_no_duplicate_and_lose_no_row() {
    let mut pair = Pair::start("bin/pg_dumpall", &[]).await;
    let mut guide = pair.guide();
    let writers = Writers::start(&pair);
    writers.go_on().await;

    guide.walk(&PREPARATION);
    writers.go_on().await;
    // Rows still arrive, and values are handed out, which must do no harm.
    guide.walk(&["5", "6"]);
    writers.go_on().await;
    guide.walk(&["7", "8", "9"]);
    writers.point_at(&pair.new);
    writers.go_on().await;
    guide.walk(&["11"]);

    guide.walk(&["12"]);
    // Without the gate, the way back would cause the same duplicates.
    pair.wait_until_back().await;
    assert_eq!(pair.old.once(&["--dry-run"]).exits(3).json()["summary"]["behind"], 4);
    guide.walk(&["13", "14"]);
    writers.point_at(&pair.old);
    writers.go_on().await;
    let written = writers.end().await;
    guide.leaves(&WITH_PGLOGICAL);
    guide.is_done();
    assert_eq!(written.duplicates, 0);
    assert_eq!(written.twice_and_lost(&mut pair.old).await, (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_without_pgmedic_causes_duplicates() {
    let mut pair = Pair::start("bin/pg_dumpall", &[]).await;
    let mut guide = pair.guide();
    let writers = Writers::start(&pair);
    writers.go_on().await;
    guide.walk(&PREPARATION);
    guide.walk(&["7"]);
    pair.wait_until_arrived().await;
    guide.walk(&["9"]);
    writers.point_at(&pair.new);
    writers.go_on().await;
    let written = writers.end().await;
    assert!(written.duplicates > 0, "nothing failed: then the other test proves nothing");
    let (twice, _) = written.twice_and_lost(&mut pair.new).await;
    assert!(twice > 0, "the table without a key takes ids twice, in silence");
}
