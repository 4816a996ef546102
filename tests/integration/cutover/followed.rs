//! A subscriber whose sequences follow the replicated ids is ahead at the cutover with nothing run.

use super::Pair;
use crate::support::pgmedic;

#[tokio::test]
async fn a_subscriber_whose_sequences_follow_the_ids_needs_no_repair_at_the_cutover() {
    let mut pair = Pair::subscribed().await;
    let script = pgmedic(&[], &["sql", "follow", "--all", "--always"]).exits(0).stdout;
    pair.new.sql(&script).await;
    pair.old
        .sql(
            "INSERT INTO orders (note) SELECT 'replicated' FROM generate_series(1, 200);
             INSERT INTO users (note) SELECT 'replicated' FROM generate_series(1, 200);
             INSERT INTO invoices (note) SELECT 'replicated' FROM generate_series(1, 200);
             INSERT INTO events (note) SELECT 'replicated' FROM generate_series(1, 200);
             INSERT INTO orders (note) VALUES ('last')",
        )
        .await;
    pair.wait_until_orders(201).await;
    pair.new.once(&["--dry-run"]).exits(0);
    pair.new
        .sql(
            "INSERT INTO orders (note) VALUES ('new'); INSERT INTO users (note) VALUES ('new');
             INSERT INTO invoices (note) VALUES ('new'); INSERT INTO events (note) VALUES ('new')",
        )
        .await;
    assert_eq!(pair.new.number("SELECT count(*) - count(DISTINCT id) FROM events").await, 0);
}
