//! What the verdict says of the replication.

use super::Pair;
use super::command::cutover;
use serde_json::json;

#[tokio::test]
async fn a_subscription_that_receives_is_part_of_a_ready_verdict() {
    let mut pair = Pair::subscribed().await;
    pair.old.sql("INSERT INTO orders (note) SELECT 'a' FROM generate_series(1, 50)").await;
    let report = cutover(&pair.old, &pair.new, &["--headroom", "1000"]).exits(0);
    let subscription = report.json()["subscriptions"][0].clone();
    assert_eq!(subscription["name"], "cutover");
    assert_eq!(subscription["from_old"], true);
    assert_eq!(subscription["working"], true);
    assert_eq!(subscription["unready_tables"], 0);
    // The rows that were there before the run have arrived when it ends.
    assert_eq!(pair.new.number("SELECT count(*) FROM orders").await, 50);
    // A second run finds everything done: a subscription tells the direction.
    assert_eq!(cutover(&pair.old, &pair.new, &["--headroom", "1000"]).exits(0).json()["summary"]["ahead"], 4);
}

#[tokio::test]
async fn a_disabled_subscription_stands_against_it_and_the_fix_enables_it() {
    let mut pair = Pair::subscribed().await;
    pair.new.sql("ALTER SUBSCRIPTION cutover DISABLE").await;
    pair.old.sql("INSERT INTO orders (note) SELECT 'a' FROM generate_series(1, 50)").await;
    let report = cutover(&pair.old, &pair.new, &[]).exits(3);
    assert_eq!(report.reason_kinds(), ["replication"]);
    assert_eq!(report.carried("public.orders_id_seq")["next_value"], 51, "the sequences are carried all the same");
    let fix = report.json()["reasons"][0]["fix"].as_str().unwrap().to_owned();
    assert_eq!(fix, "ALTER SUBSCRIPTION cutover ENABLE");
    pair.new.sql(&fix).await;
    cutover(&pair.old, &pair.new, &[]).exits(0);
}

#[tokio::test]
async fn a_table_that_is_not_copied_yet_is_named() {
    let mut pair = Pair::subscribed().await;
    for database in [&mut pair.old, &mut pair.new] {
        // The copy fails at this row, again and again.
        database.sql("CREATE TABLE late (id serial PRIMARY KEY); INSERT INTO late DEFAULT VALUES").await;
    }
    pair.new.sql("ALTER SUBSCRIPTION cutover REFRESH PUBLICATION").await;
    let report = cutover(&pair.old, &pair.new, &[]).exits(3);
    assert_eq!(report.json()["subscriptions"][0]["unready_tables"], 1);
    assert!(report.json()["reasons"][0]["text"].as_str().unwrap().contains("public.late"), "{}", report.stdout);
    pair.new.sql("DELETE FROM late").await;
    pair.new.wait_until("SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel").await;
    cutover(&pair.old, &pair.new, &[]).exits(0);
}

#[tokio::test]
async fn rows_that_do_not_arrive_are_said_in_bytes() {
    let mut pair = Pair::subscribed().await;
    // Rows are read, and none is written.
    pair.new.sql("BEGIN; LOCK TABLE orders IN SHARE ROW EXCLUSIVE MODE").await;
    pair.old.sql("INSERT INTO orders (note) SELECT 'a' FROM generate_series(1, 50)").await;
    let report = cutover(&pair.old, &pair.new, &[]).exits(3);
    assert_eq!(report.reason_kinds(), ["replication_lag"]);
    assert!(report.json()["subscriptions"][0]["lag_bytes"].as_i64().unwrap() > 0, "{}", report.stdout);
    pair.new.sql("COMMIT").await;
    cutover(&pair.old, &pair.new, &[]).exits(0);
}

#[tokio::test]
async fn without_a_subscription_it_is_said_that_nothing_is_known_of_the_rows() {
    let mut pair = Pair::subscribed().await;
    pair.old.sql("INSERT INTO orders (note) VALUES ('a')").await;
    pair.new.sql("DROP SUBSCRIPTION cutover").await;
    let report = cutover(&pair.old, &pair.new, &[]).exits(0);
    assert_eq!(report.json()["subscriptions"], json!([]));
    assert_eq!(report.json()["notes"][0]["kind"], "replication");
}

#[tokio::test]
async fn the_old_database_is_only_read() {
    let mut pair = Pair::logging_statements().await;
    pair.old.sql("INSERT INTO orders (note) SELECT 'a' FROM generate_series(1, 50)").await;
    cutover(&pair.old, &pair.new, &["--headroom", "1000"]).exits(0);
    let log = std::fs::read(pair.servers[0].data_dir().with_file_name("server.log")).unwrap();
    let log = String::from_utf8_lossy(&log).into_owned();
    let messages: Vec<&str> = log.split("\n[").filter_map(|entry| entry.strip_prefix("pgmedic app] LOG:  ")).collect();
    let messages: Vec<&str> = messages.into_iter().filter_map(|message| message.strip_prefix("statement: ")).collect();
    assert!(messages.len() > 5, "{} messages were logged", messages.len());
    // A message with statements opens their transaction. Statements with parameters run in one that is open. Only the
    // question which server this is stands alone.
    let alone = ["/* pgmedic:rollback */ ROLLBACK", "/* pgmedic:server-identity */ SELECT"];
    for message in messages.iter().filter(|message| !alone.iter().any(|alone| message.starts_with(alone))) {
        assert_eq!(message.matches("BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY").count(), 1, "{message}");
        assert!(!message.contains("READ WRITE"), "{message}");
    }
}

#[tokio::test]
async fn a_table_that_was_published_later_is_missing_until_the_subscription_is_refreshed() {
    let mut pair = Pair::subscribed().await;
    let create = "CREATE TABLE later (id serial PRIMARY KEY)";
    pair.old.sql(&format!("{create}; INSERT INTO later SELECT FROM generate_series(1, 50)")).await;
    let published = "SELECT (count(*) > 0)::int::bigint FROM pg_publication_tables WHERE tablename = 'later'";
    if pair.old.number(published).await == 0 {
        let add = "DO $$ BEGIN EXECUTE (SELECT format('ALTER PUBLICATION %I ADD TABLE later', pubname) FROM pg_publication LIMIT 1); END $$";
        pair.old.sql(add).await;
    }
    pair.new.sql(create).await;
    let report = cutover(&pair.old, &pair.new, &[]).exits(3);
    let reasons = report.json()["reasons"].clone();
    let reason = &reasons[0];
    assert!(reason["text"].as_str().is_some_and(|text| text.contains("public.later")), "{reasons}");
    pair.new.sql(reason["fix"].as_str().expect("a fix")).await;
    pair.new.wait_until("SELECT (SELECT count(*) FROM later) = 50").await;
}
