//! The reports and the page say which columns are followed.

use super::{follow, followed};
use crate::support::{Agent, Database, EVERY_SECOND, wait_for};
use serde_json::{Value, json};

/// Which feeds of all sequences are followed, in the order of the report.
fn said(database: &Database) -> Vec<(String, bool)> {
    let report = database.once(&[]).exits(0).json();
    let sequences = report["databases"][0]["sequences"].as_array().unwrap();
    let feeds = sequences.iter().flat_map(|sequence| sequence["feeds"].as_array().unwrap());
    let said = |feed: &Value| (feed["column"].as_str().unwrap().to_owned(), feed["followed"] == json!(true));
    feeds.map(said).collect()
}

fn of(columns: [(&str, bool); 3]) -> Vec<(String, bool)> {
    columns.map(|(column, followed)| (column.to_owned(), followed)).to_vec()
}

#[tokio::test]
async fn the_report_says_which_columns_are_followed() {
    let mut database = followed(
        "CREATE TABLE t (id serial, x int);
         CREATE TABLE parts (id serial) PARTITION BY RANGE (id); CREATE TABLE part PARTITION OF parts DEFAULT;
         CREATE TABLE u (id serial)",
    )
    .await;
    follow(&mut database, &["parts.id", "--always"]).await;
    let all = [("public.t.id", true), ("public.parts.id", true), ("public.u.id", false)];
    assert_eq!(said(&database), of(all));
    let table = database.pgmedic(&["--once", "--verbose"]).exits(0).stdout;
    assert!(table.contains("public.t.id (followed)") && !table.contains("public.u.id (followed)"), "{table}");

    // A trigger that does not fire, or that is for another sequence, follows nothing.
    database
        .sql(
            "ALTER TABLE t DISABLE TRIGGER ALL; CREATE SEQUENCE other;
             ALTER TABLE parts ALTER id SET DEFAULT nextval('other'); ALTER SEQUENCE parts_id_seq OWNED BY NONE",
        )
        .await;
    let said = said(&database);
    assert!(said.iter().all(|(_, followed)| !followed), "{said:?}");
}

#[tokio::test]
async fn the_page_says_so_too() {
    let mut database = followed("CREATE TABLE t (id serial)").await;
    let agent = Agent::start(&database, EVERY_SECOND);
    let says = || agent.get("/").1.contains("(followed)");
    wait_for("a page with the column", || says().then_some(()));
    follow(&mut database, &["t.id", "--remove"]).await;
    wait_for("a page after the trigger's end", || (!says()).then_some(()));
}
