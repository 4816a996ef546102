//! What an agent remembers of a table is not trusted where the server's counters do not tell of every change.

use crate::support::{Database, Passes, server_with};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pgmedic::report::{Cause, Verdict};
use sqlx::Connection;
use std::time::Duration;

const TABLE: &str = "CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 10); SELECT setval('t_id_seq', 10)";

/// Kills a process of the server, after which the others start anew, without their statistics; and connects again.
async fn crash(database: &mut Database) {
    let query = "SELECT pid::bigint FROM pg_stat_activity WHERE backend_type = 'background writer'";
    let writer = i32::try_from(database.number(query).await).unwrap();
    kill(Pid::from_raw(writer), Signal::SIGKILL).unwrap();
    // The session ends with the crash, and the server refuses others until it has recovered.
    let recovered = async {
        while sqlx::query("SELECT 1").execute(&mut database.connection).await.is_ok() {
            tokio::task::yield_now().await;
        }
        loop {
            if let Ok(connection) = sqlx::PgConnection::connect(database.url()).await {
                break connection;
            }
            tokio::task::yield_now().await;
        }
    };
    let recovered = tokio::time::timeout(Duration::from_secs(60), recovered).await;
    database.connection = recovered.expect("the server crashes and recovers within a minute");
}

#[tokio::test]
async fn counters_that_began_anew_in_a_crash_are_not_taken_for_those_before_it() {
    let server = server_with(&[("autovacuum", "off")]);
    let mut database = Database::on(&server).await;
    database.by_itself(TABLE).await;
    let mut passes = Passes::over(&database);
    crash(&mut database).await;
    assert_eq!(passes.next().await.verdict, Verdict::InSync);
    // The pass has read the sequence once since the first crash. After the second one, another session does.
    crash(&mut database).await;
    database.by_itself("SELECT setval('t_id_seq', 2)").await;
    let found = passes.next().await;
    assert_eq!((found.verdict, found.cause), (Verdict::Behind, Some(Cause::Rewound)));
}

#[tokio::test]
async fn a_sequence_set_back_in_a_transaction_that_is_open_is_read_before_it_ends() {
    let mut database = Database::new().await;
    database.by_itself(TABLE).await;
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
    let mut database = Database::new().await;
    database.by_itself(&TABLE.replace("'t_id_seq', 10", "'t_id_seq', 5000")).await;
    let mut passes = Passes::over(&database);
    assert_eq!(passes.next().await.cause, None);
    database.by_itself("SELECT setval('t_id_seq', 400)").await;
    // In each pass from then on, also in one that reads nothing.
    for _ in 0..2 {
        let found = passes.next().await;
        assert_eq!((found.verdict, found.cause), (Verdict::InSync, Some(Cause::Rewound)));
        let reason = found.reason.as_ref().unwrap();
        assert!(reason.text.contains("4600 values will be handed out again"), "{reason}");
    }
}
