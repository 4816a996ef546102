//! Connections and servers that end in the middle of a pass.

use super::refused::error_of;
use super::{LONG_TIMEOUTS, behind, behind_and_cached, run, state};
use crate::support::{Database, Outcome, Running, waiting};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pgmedic_testserver::{ServerOptions, TestServer};
use sqlx::postgres::PgConnection;

/// Creates three tables that are behind, and another session whose lock blocks a pass.
async fn drifted(database: &mut Database, hold: &'static str) -> PgConnection {
    database.sql(&[behind("first"), behind_and_cached("leapt"), behind("last")].concat()).await;
    let mut holder = database.connect().await;
    run(&mut holder, "BEGIN").await;
    run(&mut holder, hold).await;
    holder
}

const WHILE_READING: &str = "LOCK TABLE leapt IN ACCESS EXCLUSIVE MODE";
/// An open `ALTER` blocks a leap and moves nothing.
const WHILE_LEAPING: &str = "ALTER SEQUENCE leapt_id_seq OWNED BY leapt.id";

fn says_lost(outcome: &Outcome, why: &str) {
    assert_eq!(outcome.database()["error"]["kind"], "connection_lost");
    let error = outcome.error();
    assert!(error.contains("connection was lost") && error.contains(why), "{error}");
}

async fn terminate(database: &mut Database, message: &str) {
    database.pass_waits_in(message).await;
    database.row(&format!("SELECT pg_terminate_backend(pid) {}", waiting(message))).await;
}

#[tokio::test]
async fn a_connection_killed_while_reading_is_reported_and_nothing_is_moved() {
    let mut database = Database::new().await;
    let _holder = drifted(&mut database, WHILE_READING).await;
    let pass = database.start(&LONG_TIMEOUTS);
    terminate(&mut database, "observe").await;
    let outcome = pass.outcome().await.exits(1);
    says_lost(&outcome, "terminating connection");
    for name in ["leapt", "last"] {
        let finding = outcome.sequence(&format!("public.{name}_id_seq"));
        assert_eq!(finding["verdict"], "unreadable", "{finding:#}");
    }
    for name in ["first", "leapt", "last"] {
        assert_eq!(state(&mut database, &format!("{name}_id_seq")).await.0, 658, "{name}");
    }
    database.forgets_the_pass().await;
}

#[tokio::test]
async fn a_connection_killed_in_a_leap_leaves_the_sequence_as_it_was() {
    let mut database = Database::new().await;
    let mut holder = drifted(&mut database, WHILE_LEAPING).await;
    let before = state(&mut database, "leapt_id_seq").await;
    let pass = database.start(&LONG_TIMEOUTS);
    terminate(&mut database, "leap").await;
    let outcome = pass.outcome().await.exits(1);
    says_lost(&outcome, "terminating connection");
    for name in ["first", "last"] {
        let repair = &outcome.sequence(&format!("public.{name}_id_seq"))["repair"];
        assert_eq!((&repair["outcome"], &repair["next_value"]), (&"repaired".into(), &696.into()), "done before");
    }
    let repair = &outcome.sequence("public.leapt_id_seq")["repair"];
    assert_eq!(repair["outcome"], "failed", "{repair:#}");
    assert!(repair["reason"]["text"].as_str().is_some_and(|reason| reason.contains("lost")), "{repair:#}");
    run(&mut holder, "COMMIT").await;
    assert_eq!(state(&mut database, "leapt_id_seq").await, before);
    database.forgets_the_pass().await;
}

#[tokio::test]
async fn a_pass_killed_in_a_leap_leaves_nothing_behind() {
    let mut database = Database::new().await;
    let mut holder = drifted(&mut database, WHILE_LEAPING).await;
    let before = state(&mut database, "leapt_id_seq").await;
    let pass = database.start(&[("PGMEDIC_SEQUENCES__LOCK_TIMEOUT", "3s")]);
    database.pass_waits_in("leap").await;
    pass.kill().await;
    // The server does not notice a lost client while it waits. The timeouts end the session, even while the lock is
    // still held.
    database.forgets_the_pass().await;
    run(&mut holder, "COMMIT").await;
    assert_eq!(state(&mut database, "leapt_id_seq").await, before);
}

#[tokio::test]
async fn a_server_killed_in_the_middle_is_reported_and_nothing_is_half_done() {
    // Values that were handed out before the crash stay handed out, including those that the server had logged in
    // advance.
    for (hold, message, last) in [(WHILE_READING, "observe", 658..=658), (WHILE_LEAPING, "leap", 695..=800)] {
        let mut server = TestServer::start(&ServerOptions::default()).expect("a server");
        let mut database = Database::on(&server).await;
        let _holder = drifted(&mut database, hold).await;
        let pass = database.start(&LONG_TIMEOUTS);
        database.pass_waits_in(message).await;
        server.stop_hard();
        let outcome = pass.outcome().await.exits(1);
        says_lost(&outcome, "");
        server.restart().expect("crash recovery");
        database.connection = database.connect().await;
        assert_eq!(state(&mut database, "leapt_id_seq").await.0, 658);
        assert!(last.contains(&state(&mut database, "last_id_seq").await.0), "{message}");
        let outcome = database.once(&[]).exits(0);
        assert_eq!(outcome.sequence("public.leapt_id_seq")["repair"]["next_value"], 696);
    }
}

/// Run together, because each takes as long as pgmedic's timeout.
#[tokio::test]
async fn servers_that_never_answer_or_fall_silent_in_the_middle_are_given_up() {
    let never = async {
        let error = error_of(std::mem::forget, "").await;
        assert!(error.contains("no answer within 5s"), "{error}");
    };
    tokio::join!(never, falls_silent());
}

async fn falls_silent() {
    let mut database = Database::new().await;
    let mut holder = drifted(&mut database, WHILE_READING).await;
    let timeouts = [("PGMEDIC_SEQUENCES__LOCK_TIMEOUT", "60s"), ("PGMEDIC_SEQUENCES__STATEMENT_TIMEOUT", "1s")];
    let pass = database.start(&timeouts);
    database.pass_waits_in("observe").await;
    let backend = database.number(&format!("SELECT pid::bigint {}", waiting("observe"))).await;
    let backend = Pid::from_raw(i32::try_from(backend).expect("a process id"));
    kill(backend, Signal::SIGSTOP).expect("to stop the backend");
    let outcome = pass.outcome().await;
    kill(backend, Signal::SIGCONT).expect("to continue the backend");
    says_lost(&outcome.exits(1), "no answer within 11s");
    run(&mut holder, "COMMIT").await;
    assert_eq!(state(&mut database, "first_id_seq").await.0, 658);
    database.forgets_the_pass().await;
}

#[tokio::test]
async fn one_lost_database_does_not_stop_the_others() {
    let (mut lost, mut well) = (Database::new().await, Database::new().await);
    let _holder = drifted(&mut lost, WHILE_READING).await;
    well.sql(&behind("sessions")).await;
    let settings = format!(
        "[sequences]\nlock_timeout = \"60s\"\nstatement_timeout = \"120s\"\n\
         [[databases]]\nname = \"lost\"\nurl = \"{}\"\n",
        lost.url()
    );
    let file = well.config(&settings);
    let path = file.path().to_str().expect("a UTF-8 path");
    let pass = Running::once(&[("PGMEDIC_CONFIG", path)]);
    terminate(&mut lost, "observe").await;
    let outcome = pass.outcome().await.exits(1);
    says_lost(&outcome, "terminating connection");
    let other = &outcome.json()["databases"][1];
    assert_eq!(other["error"], serde_json::Value::Null);
    assert_eq!(other["sequences"][0]["repair"]["next_value"], 696);
    assert_eq!(well.nextval("sessions_id_seq").await, 696);
}
