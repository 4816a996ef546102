//! The same with pglogical, which Debian packages for its server version: scripts/setup installs it.

use super::{Pair, writers::Writers};

const LIBRARY: &str = "lib/pglogical.so";

/// Runs the guide up to the step that lets the application write to the new server.
async fn cut_over(pgmedic: bool) -> (Pair, Writers) {
    let mut pair = Pair::start(LIBRARY, &[("shared_preload_libraries", "pglogical")]).await;
    let mut guide = pair.guide();
    let writers = Writers::start(&pair);
    writers.go_on().await;
    guide.walk(&["1", "2", "P3", "P4"]);
    writers.go_on().await;
    if pgmedic {
        guide.walk(&["5", "6", "7", "8"]);
    } else {
        guide.walk(&["7"]);
        pair.wait_until_arrived().await;
    }
    guide.walk(&["P9"]);
    writers.point_at(&pair.new);
    writers.go_on().await;
    if pgmedic {
        guide.walk(&["11"]);
    }
    (pair, writers)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cutover_causes_no_duplicate_and_loses_no_row() {
    let (mut pair, writers) = cut_over(true).await;
    let written = writers.end().await;
    assert_eq!(written.duplicates, 0);
    assert_eq!(written.twice_and_lost(&mut pair.new).await, (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_pgmedic_it_causes_duplicates() {
    let (_pair, writers) = cut_over(false).await;
    assert!(writers.end().await.duplicates > 0);
}
