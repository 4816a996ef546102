//! Changes that alter what a table contains without a counted row: an agent that has cached the table must read it
//! again.

use crate::support::Database;
use pgmedic::config::{Environment, Settings};
use pgmedic::pass_options::PassOptions;
use pgmedic::progress::Progress;
use pgmedic::report::Verdict;
use pgmedic::sequences::{SequencePassState, pass};
use sqlx::{AssertSqlSafe, Connection};

/// Runs a pass that finds all sequences in sync, then `happens`, then another pass.
async fn after(setup: &str, happens: &str) -> (Verdict, Option<i64>) {
    let mut database = Database::new().await;
    by_itself(&database, setup).await;
    let settings = "[sequences]\nrepair = false\nfull_pass_every = 1000000\nlock_timeout = \"10s\"\n";
    let config = database.config(settings);
    let settings = Settings::load(Some(config.path()), &Environment::default()).unwrap();
    let (orders, progress) = (PassOptions::default(), Progress::default());
    let mut memory = SequencePassState::persistent();
    let mut found = (Verdict::Unreadable, None);
    for happens in [Some(happens), None] {
        database.wait_until("SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database()").await;
        let report = pass(&settings.databases[0], &settings.sequences, &orders, &mut memory, &progress).await;
        assert_eq!(report.error, None);
        found = (report.sequences[0].verdict, report.sequences[0].max_id);
        let Some(happens) = happens else { break };
        assert_eq!(found.0, Verdict::InSync);
        by_itself(&database, happens).await;
    }
    found
}

/// Runs statements in a session that ends, so that the server's statistics contain them.
async fn by_itself(database: &Database, statements: &str) {
    let mut session = database.connect().await;
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut session).await.unwrap();
    session.close().await.unwrap();
}

const ROWS: &str = "INSERT INTO t (id) SELECT generate_series(1, 7); SELECT setval('t_id_seq', 7)";

#[tokio::test]
async fn a_column_that_was_rewritten_in_place_is_read_again() {
    let setup = format!("CREATE TABLE t (id serial PRIMARY KEY); {ROWS}");
    let found = after(&setup, "ALTER TABLE t ALTER id TYPE integer USING id + 1000").await;
    assert_eq!(found, (Verdict::Behind, Some(1007)));
}

#[tokio::test]
async fn a_partition_that_took_anothers_place_is_read_anew() {
    let setup = "CREATE TABLE t (id serial, k integer NOT NULL DEFAULT 1) PARTITION BY LIST (k);
                 CREATE INDEX ON t (id); CREATE TABLE a PARTITION OF t FOR VALUES IN (1);
                 CREATE TABLE b (id integer NOT NULL, k integer NOT NULL); CREATE INDEX ON b (id);
                 INSERT INTO b SELECT n, 1 FROM generate_series(1001, 1007) AS n;";
    let found = after(
        &format!("{setup} {ROWS}"),
        "ALTER TABLE t DETACH PARTITION a; ALTER TABLE a ALTER id DROP DEFAULT;
         ALTER TABLE t ATTACH PARTITION b FOR VALUES IN (1)",
    )
    .await;
    assert_eq!(found, (Verdict::Behind, Some(1007)));
}
