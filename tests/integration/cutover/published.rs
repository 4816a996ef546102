//! Whether everything that OLD writes is published and subscribed to.

use super::Pair;
use super::command::cutover;
use crate::support::Outcome;

const EVERY: &str = "FOR TABLE orders, users, invoices, events";

/// The texts and fixes of the reasons that stand against a cutover, sequences aside.
fn reasons(report: &Outcome) -> Vec<(String, Option<String>)> {
    let report = report.json();
    let reasons = report["reasons"].as_array().unwrap().iter();
    let text = |reason: &serde_json::Value| reason["text"].as_str().unwrap().to_owned();
    reasons.map(|reason| (text(reason), reason["fix"].as_str().map(ToOwned::to_owned))).collect()
}

/// The only reason, which names all of `names`, and its fix.
#[track_caller]
fn only_reason(report: &Outcome, names: &[&str]) -> Option<String> {
    let reasons = reasons(report);
    let [(text, fix)] = reasons.as_slice() else { panic!("{reasons:#?}") };
    assert!(names.iter().all(|name| text.contains(name)), "{text}");
    fix.clone()
}

/// Whether the servers have row filters and publications of schemas.
async fn is_15_or_newer(pair: &mut Pair) -> bool {
    pair.old.number("SELECT current_setting('server_version_num')::bigint").await >= 150_000
}

#[tokio::test]
async fn a_table_that_is_published_no_longer_is_led_back_step_by_step() {
    let mut pair = Pair::subscribed_to(EVERY).await;
    cutover(&pair.old, &pair.new, &[]).exits(0);
    pair.old.sql("ALTER PUBLICATION cutover DROP TABLE events").await;
    pair.old.sql("INSERT INTO events (note) SELECT 'lost' FROM generate_series(1, 20)").await;

    let report = cutover(&pair.old, &pair.new, &[]).exits(3);
    let fix = only_reason(&report, &["public.events", "cutover"]).expect("a fix");
    pair.new.sql(&fix).await;
    let report = cutover(&pair.old, &pair.new, &[]).exits(3);
    let fix = only_reason(&report, &["public.events"]).expect("a fix");
    assert_eq!(fix, "ALTER PUBLICATION cutover ADD TABLE public.events");
    pair.old.sql(&fix).await;
    let report = cutover(&pair.old, &pair.new, &[]).exits(3);
    pair.new.sql(&only_reason(&report, &["public.events"]).expect("a fix")).await;
    pair.new.wait_until("SELECT (SELECT count(*) FROM events) = 20").await;
    pair.new.wait_until("SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel").await;
    cutover(&pair.old, &pair.new, &[]).exits(0);
}

#[tokio::test]
async fn a_table_with_a_sequence_that_no_publication_has_is_said_unless_it_is_meant() {
    let mut pair = Pair::subscribed_to("FOR TABLE orders, users").await;
    pair.old.sql("CREATE TABLE plain (id int); CREATE UNLOGGED TABLE scratch (id int)").await;
    let report = cutover(&pair.old, &pair.new, &[]).exits(3);
    let fix = only_reason(&report, &["public.invoices", "public.events"]).expect("a fix");
    assert_eq!(fix, "ALTER PUBLICATION cutover ADD TABLE public.events, public.invoices");
    let meant = cutover(&pair.old, &pair.new, &["--yes"]).exits(0);
    assert!(meant.json()["notes"][0]["text"].as_str().unwrap().contains("public.invoices"), "{}", meant.stdout);
    pair.old.sql(&fix).await;
    let report = cutover(&pair.old, &pair.new, &[]).exits(3);
    pair.new.sql(&only_reason(&report, &["public.invoices"]).expect("a fix")).await;
    pair.new.wait_until("SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel").await;
    cutover(&pair.old, &pair.new, &[]).exits(0);

    pair.new.sql("DROP SUBSCRIPTION cutover").await;
    pair.old.sql("ALTER PUBLICATION cutover DROP TABLE events").await;
    cutover(&pair.old, &pair.new, &["--yes"]).exits(0);
}

#[tokio::test]
async fn changes_that_a_publication_leaves_out_are_said_with_its_name() {
    let mut pair = Pair::subscribed_to(&format!("{EVERY} WITH (publish = 'insert, delete')")).await;
    let report = cutover(&pair.old, &pair.new, &[]).exits(3);
    let fix = only_reason(&report, &["publication cutover", "update", "truncate"]).expect("a fix");
    cutover(&pair.old, &pair.new, &["--yes"]).exits(0);
    // What one leaves out another one may publish.
    pair.old.sql(&format!("CREATE PUBLICATION rest {EVERY} WITH (publish = 'update, truncate')")).await;
    pair.new.sql("ALTER SUBSCRIPTION cutover SET PUBLICATION cutover, rest").await;
    pair.new.wait_until("SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel").await;
    cutover(&pair.old, &pair.new, &[]).exits(0);
    pair.new.sql("ALTER SUBSCRIPTION cutover SET PUBLICATION cutover").await;
    pair.old.sql(&fix).await;
    cutover(&pair.old, &pair.new, &[]).exits(0);
}

#[tokio::test]
async fn rows_and_columns_that_a_publication_leaves_out_are_said_with_the_table() {
    let mut pair = Pair::subscribed_to(EVERY).await;
    if !is_15_or_newer(&mut pair).await {
        return;
    }
    for part in ["orders WHERE (id < 10)", "orders (id)"] {
        pair.old.sql("ALTER PUBLICATION cutover DROP TABLE orders").await;
        pair.old.sql(&format!("ALTER PUBLICATION cutover ADD TABLE {part}")).await;
        let report = cutover(&pair.old, &pair.new, &[]).exits(3);
        only_reason(&report, &["public.orders", "publication cutover"]);
        cutover(&pair.old, &pair.new, &["--yes"]).exits(0);
    }
    pair.old
        .sql("ALTER PUBLICATION cutover DROP TABLE orders; ALTER PUBLICATION cutover ADD TABLE orders (note, id)")
        .await;
    cutover(&pair.old, &pair.new, &[]).exits(0);
}

#[tokio::test]
async fn a_publication_that_was_dropped_is_said_by_its_name() {
    let mut pair = Pair::subscribed().await;
    pair.old.sql("DROP PUBLICATION cutover").await;
    let report = cutover(&pair.old, &pair.new, &["--yes"]).exits(3);
    only_reason(&report, &["publication cutover", "subscription cutover"]);
}

#[tokio::test]
async fn partitions_that_are_published_by_their_root_or_one_by_one_are_published() {
    let mut pair = Pair::unsubscribed().await;
    for database in [&mut pair.old, &mut pair.new] {
        database
            .sql(
                "CREATE TABLE p (id serial, day int, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
                 CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (1) TO (2);
                 CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM (2) TO (9) PARTITION BY RANGE (day);
                 CREATE TABLE p_2_1 PARTITION OF p_2 FOR VALUES FROM (2) TO (9)",
            )
            .await;
    }
    let mut publications = vec!["FOR ALL TABLES", "FOR TABLE p, orders, users, invoices, events"];
    if is_15_or_newer(&mut pair).await {
        publications.insert(0, "FOR TABLES IN SCHEMA public");
    }
    for publication in publications {
        for by_root in ["true", "false"] {
            pair.subscribe(&format!("{publication} WITH (publish_via_partition_root = {by_root})")).await;
            let report = cutover(&pair.old, &pair.new, &[]).exits(0);
            assert_eq!(reasons(&report), [], "{publication} {by_root}");
            if publication.contains("TABLE p") && by_root == "false" {
                pair.old.sql("ALTER PUBLICATION cutover SET TABLE p_1, orders, users, invoices, events").await;
                pair.new.sql("ALTER SUBSCRIPTION cutover REFRESH PUBLICATION").await;
                let report = cutover(&pair.old, &pair.new, &[]).exits(3);
                only_reason(&report, &["public.p_2_1"]);
            }
            pair.new.sql("DROP SUBSCRIPTION cutover").await;
            pair.old.sql("DROP PUBLICATION cutover").await;
        }
    }
}
