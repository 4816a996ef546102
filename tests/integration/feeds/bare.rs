//! Any number of sequences that feed nothing.

use crate::support::Database;
use std::fs;

#[tokio::test]
async fn of_more_than_a_thousand_sequences_that_feed_nothing_the_rest_is_counted_and_likely_links_are_listed() {
    let mut database = Database::new().await;
    database
        .sql(
            "DO $$ BEGIN FOR i IN 1..1003 LOOP EXECUTE format('CREATE SEQUENCE bare_%s', i); END LOOP; END $$;
             CREATE SEQUENCE bills_id_seq; CREATE TABLE bills (id integer PRIMARY KEY);
             CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 20)",
        )
        .await;
    let metrics = tempfile::tempdir().unwrap();
    let metrics = metrics.path().join("pgmedic.prom");
    let outcome = database.once(&["--textfile", metrics.to_str().unwrap()]).exits(0);
    let report = outcome.json();
    let (found, summary) = (outcome.database(), &report["summary"]);
    assert_eq!(
        (&found["unlisted"], &summary["sequences"], &summary["unlinked"]),
        (&3.into(), &1005.into(), &1004.into())
    );
    assert_eq!(summary["repaired"], 1);
    let listed = found["sequences"].as_array().unwrap();
    assert_eq!(listed.len(), 1002);
    let likely = listed.iter().find(|sequence| sequence["name"] == "public.bills_id_seq").unwrap();
    assert!(likely["suggested_feeds"].as_str().is_some_and(|toml| toml.contains("public.bills.id")), "{likely}");
    let metrics = fs::read_to_string(metrics).unwrap();
    assert!(metrics.lines().any(|line| line.contains("verdict=\"unlinked\"") && line.ends_with(" 1004")), "{metrics}");

    let table = database.pgmedic(&["--once"]).exits(0).stdout;
    assert!(
        table.contains("1005 sequences") && table.contains("3 more that feed nothing and are not looked at"),
        "{table}"
    );
}
