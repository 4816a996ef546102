//! What an agent remembers of a table is not trusted where the server's counters do not tell of every change.

use crate::support::{Database, server_with};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pgmedic::config::{Environment, Settings};
use pgmedic::pass_options::PassOptions;
use pgmedic::progress::Progress;
use pgmedic::report::{Cause, SequenceReport, Verdict};
use pgmedic::sequences::{SequencePassState, pass};
use sqlx::{AssertSqlSafe, Connection};
use std::sync::Arc;

/// Passes of one agent, which never reads everything by its schedule, and repairs nothing.
struct Passes {
    settings: Settings,
    state: SequencePassState,
}

impl Passes {
    fn over(database: &Database) -> Self {
        let settings = "[sequences]\nrepair = false\nfull_pass_every = 1000000\nlock_timeout = \"10s\"\n";
        let config = database.config(settings);
        let settings = Settings::load(Some(config.path()), &Environment::default()).unwrap();
        Self { settings, state: SequencePassState::persistent() }
    }

    /// The finding of the one sequence.
    async fn next(&mut self) -> Arc<SequenceReport> {
        let (database, options, progress) = (&self.settings.databases[0], PassOptions::default(), Progress::default());
        let report = pass(database, &self.settings.sequences, &options, &mut self.state, &progress).await;
        assert_eq!(report.error, None);
        Arc::clone(&report.sequences[0])
    }
}

/// Runs statements in a session that ends, so that the server's statistics contain them.
async fn by_itself(database: &Database, statements: &str) {
    let mut session = database.connect().await;
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut session).await.unwrap();
    session.close().await.unwrap();
}

const TABLE: &str = "CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 10); SELECT setval('t_id_seq', 10)";

/// Kills a process of the server, after which the others start anew, without their statistics; and connects again.
async fn crash(database: &mut Database) {
    let query = "SELECT pid::bigint FROM pg_stat_activity WHERE backend_type = 'background writer'";
    let writer = i32::try_from(database.number(query).await).unwrap();
    kill(Pid::from_raw(writer), Signal::SIGKILL).unwrap();
    // The session ends with the crash, and the server refuses others until it has recovered.
    while sqlx::query("SELECT 1").execute(&mut database.connection).await.is_ok() {
        tokio::task::yield_now().await;
    }
    database.connection = loop {
        if let Ok(connection) = sqlx::PgConnection::connect(database.url()).await {
            break connection;
        }
        tokio::task::yield_now().await;
    };
}

#[tokio::test]
async fn counters_that_began_anew_in_a_crash_are_not_taken_for_those_before_it() {
    let server = server_with(&[("autovacuum", "off")]);
    let mut database = Database::on(&server).await;
    by_itself(&database, TABLE).await;
    let mut passes = Passes::over(&database);
    crash(&mut database).await;
    assert_eq!(passes.next().await.verdict, Verdict::InSync);
    // The pass has read the sequence once since the first crash. After the second one, another session does.
    crash(&mut database).await;
    by_itself(&database, "SELECT setval('t_id_seq', 2)").await;
    let found = passes.next().await;
    assert_eq!((found.verdict, found.cause), (Verdict::Behind, Some(Cause::Rewound)));
}

#[tokio::test]
async fn a_sequence_set_back_in_a_transaction_that_is_open_is_read_before_it_ends() {
    let database = Database::new().await;
    by_itself(&database, TABLE).await;
    let mut passes = Passes::over(&database);
    assert_eq!(passes.next().await.verdict, Verdict::InSync);
    let mut other = database.connect().await;
    // It is in effect at once, and counted when its transaction ends.
    sqlx::raw_sql("BEGIN; SELECT setval('t_id_seq', 2)").execute(&mut other).await.unwrap();
    let found = passes.next().await;
    assert_eq!((found.verdict, found.cause), (Verdict::Behind, Some(Cause::Rewound)));
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    assert_eq!(passes.next().await.verdict, Verdict::Behind, "no rollback undoes it");
}

#[tokio::test]
async fn a_next_value_before_the_remembered_one_is_rewound_also_where_no_id_is_in_the_way() {
    let database = Database::new().await;
    by_itself(&database, &TABLE.replace("'t_id_seq', 10", "'t_id_seq', 5000")).await;
    let mut passes = Passes::over(&database);
    assert_eq!(passes.next().await.cause, None);
    by_itself(&database, "SELECT setval('t_id_seq', 400)").await;
    // In each pass from then on, also in one that reads nothing.
    for _ in 0..2 {
        let found = passes.next().await;
        assert_eq!((found.verdict, found.cause), (Verdict::InSync, Some(Cause::Rewound)));
        let reason = found.reason.as_ref().unwrap();
        assert!(reason.text.contains("4600 values will be handed out again"), "{reason}");
    }
}
