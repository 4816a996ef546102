//! Nothing looked at is not success.

use crate::support::Database;
use serde_json::Value;

fn reason(outcome: &crate::support::Outcome) -> String {
    let reason = &outcome.database()["no_sequence"];
    assert_eq!(reason["kind"], "no_sequence", "{}", outcome.stdout);
    reason["text"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_database_without_a_sequence_is_asked_about() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id uuid PRIMARY KEY)").await;
    let outcome = database.once(&[]).exits(3);
    assert!(reason(&outcome).contains("is this the right database?"));
    let table = database.pgmedic(&["--once"]).exits(3);
    assert!(table.stdout.contains("there is no sequence in it: is this the right database?"), "{}", table.stdout);
}

#[tokio::test]
async fn patterns_that_leave_no_sequence_are_asked_about() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id serial PRIMARY KEY)").await;
    let outcome = database.once_with("[sequences]\ninclude = ['pubic.*']\n", &[]).exits(3);
    assert!(reason(&outcome).contains("leave nothing of 1 sequences"), "{}", reason(&outcome));
}

#[tokio::test]
async fn a_database_with_session_stores_alone_is_the_right_one() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE logins (id uuid PRIMARY KEY, ends timestamptz); CREATE INDEX ON logins (ends)").await;
    let settings =
        "[[sessions]]\nname = 'logins'\ntable = 'public.logins'\nexpires_at = 'ends'\nencoding = 'timestamptz'\n";
    let outcome = database.once_with(settings, &[]).exits(0);
    assert_ne!(outcome.database()["sessions"], Value::Array(Vec::new()));
}
