//! The reports and the page say which columns are followed.

use super::{follow, followed};
use crate::support::{Agent, Database, EVERY_SECOND, Outcome, shell, wait_for};
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

#[tokio::test]
async fn a_trigger_that_does_not_know_the_stated_max_id_is_said_with_the_command_that_tells_it() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE \"The T\" (id serial PRIMARY KEY)").await;
    let rule = "[[sequences.rules]]\nmatch = 'public.The T_id_seq'\nmax_id = 1000\n";
    let reason = |database: &Database| {
        let outcome = database.once_with(rule, &[]).exits(0);
        outcome.sequence("public.\"The T_id_seq\"")["reason"].clone()
    };
    assert_eq!(reason(&database), Value::Null, "it is not followed");
    for arguments in [&["--always"][..], &["--max-id", "1001"], &["--always", "--max-id", "1000000"]] {
        follow(&mut database, &[&["\"The T\".id"], arguments].concat()).await;
        let said = reason(&database);
        assert_eq!(said["kind"], "follows_too_far", "{arguments:?}: {said}");
        let fix = said["fix"].as_str().unwrap();
        let always = "SELECT count(*) FROM pg_trigger WHERE tgenabled = 'A'";
        let before = database.number(always).await;
        Outcome::of(shell(fix).env("DATABASE_URL", database.url()).output().unwrap()).exits(0);
        assert_eq!(reason(&database), Value::Null, "after {fix}");
        assert_eq!(database.number(always).await, before, "after {fix}");
    }
    follow(&mut database, &["\"The T\".id", "--max-id", "999"]).await;
    assert_eq!(reason(&database), Value::Null, "it ends before");

    // A trigger of that name that others made, with an argument that is no number, is one without.
    database
        .sql(
            "CREATE FUNCTION mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
             DROP TRIGGER zz_pgmedic_follow_1 ON \"The T\";
             CREATE TRIGGER zz_pgmedic_follow_1 BEFORE INSERT ON \"The T\" FOR EACH ROW
             WHEN (NEW.id > pg_sequence_last_value('\"The T_id_seq\"'::regclass)) EXECUTE FUNCTION mine('\\x', '9')",
        )
        .await;
    assert_eq!(reason(&database)["kind"], "follows_too_far");
}
