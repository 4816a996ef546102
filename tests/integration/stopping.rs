//! The agent stops in time while the database's server, or its standby, does not respond.

use crate::support::{Agent, Database, LONG_TIMEOUTS, replica_of, wait_until_blocked_on};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pgmedic_testserver::{ServerOptions, TestServer};
use sqlx::{PgConnection, Row};

/// Starts an agent that makes one pass, and no other within an hour.
fn one_pass(database: &Database) -> Agent {
    Agent::start(database, &format!("{LONG_TIMEOUTS}schedule = \"0 0 * * * *\"\n"))
}

/// Processes that are stopped (SIGSTOP), and continue when this is dropped.
struct Frozen(Vec<Pid>);

impl Frozen {
    /// Stops the agent's server processes and the postmaster: nothing is answered, and nothing is canceled.
    async fn new(server: &TestServer, database: &mut Database) -> Self {
        let agents = "SELECT array_agg(pid) FROM pg_stat_activity WHERE application_name = 'pgmedic'";
        let mut pids: Vec<i32> = database.row(agents).await.get(0);
        assert!(pids.len() > 1, "the pass and the lead have a connection each");
        pids.push(server.pid().expect("it runs").cast_signed());
        Self::of(pids)
    }

    fn of(pids: Vec<i32>) -> Self {
        let frozen = Self(pids.into_iter().map(Pid::from_raw).collect());
        for pid in &frozen.0 {
            kill(*pid, Signal::SIGSTOP).unwrap();
        }
        frozen
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        for pid in &self.0 {
            // The processes cannot be reaped while they or their parent are stopped, so their ids are still theirs.
            let _ = kill(*pid, Signal::SIGCONT);
        }
    }
}

/// An agent in the middle of a pass whose server no longer responds.
struct Stuck {
    agent: Agent,
    _frozen: Frozen,
    _holder: PgConnection,
    _database: Database,
    _server: TestServer,
}

impl Stuck {
    async fn new() -> Self {
        let server = TestServer::start(&ServerOptions::default()).unwrap();
        let mut database = Database::on(&server).await;
        database.sql("CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders VALUES (20)").await;
        let mut holder = database.connect().await;
        sqlx::raw_sql("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").execute(&mut holder).await.unwrap();
        let agent = one_pass(&database);
        wait_until_blocked_on(&mut database.connection, "orders").await;
        let frozen = Frozen::new(&server, &mut database).await;
        Self { agent, _frozen: frozen, _holder: holder, _database: database, _server: server }
    }
}

#[tokio::test]
async fn a_server_that_does_not_react_does_not_keep_it() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let stuck = Stuck::new().await;
        stuck.agent.signal(signal);
        let (status, log) = stuck.agent.ended();
        assert!(status.success() && log.contains("stopping"), "{signal}: {status}: {log}");
        assert!(!log.contains("stopped at once"), "{signal}: {log}");
    }
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let stuck = Stuck::new().await;
    // Both signals are pending before the agent can handle one, however slow the machine is.
    for signal in [Signal::SIGSTOP, Signal::SIGTERM, Signal::SIGINT, Signal::SIGCONT] {
        stuck.agent.signal(signal);
    }
    let (status, log) = stuck.agent.ended();
    assert!(status.success() && log.contains("stopped at once"), "{status}: {log}");
    assert!(!log.contains("did not end in time"), "{log}");
}

#[tokio::test]
async fn nothing_is_left_waiting_for_a_standby_that_confirms_no_commit() {
    let mut server = TestServer::start(&ServerOptions::default()).unwrap();
    let replica = replica_of(&mut server);
    let mut database = Database::on(&server).await;
    // One repair is sent alone, and then two in one message.
    for table in 1..=3 {
        database.sql(&format!("CREATE TABLE t{table} (id serial PRIMARY KEY); INSERT INTO t{table} VALUES (20)")).await;
    }
    let mut holder = database.connect().await;
    sqlx::raw_sql("BEGIN; ALTER SEQUENCE t2_id_seq OWNED BY t2.id").execute(&mut holder).await.unwrap();
    database.sql("ALTER SYSTEM SET synchronous_standby_names = '*'").await;
    database.sql("SELECT pg_reload_conf()").await;
    database.wait_for_condition("EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')").await;
    let agent = one_pass(&database);
    database.pass_waits_in("advance").await;

    let mut standby = Database::at("postgres", replica.url("postgres")).await;
    let receiver: i32 = standby.row("SELECT pid FROM pg_stat_wal_receiver").await.get(0);
    let frozen = Frozen::of(vec![receiver]);
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
    let left = "FROM pg_stat_activity WHERE application_name = 'pgmedic' AND state = 'active'";
    database.wait_for_condition(&format!("EXISTS (SELECT {left} AND wait_event = 'SyncRep')")).await;
    agent.signal(Signal::SIGTERM);
    let (status, log) = agent.ended();
    assert!(status.success(), "{status}: {log}");
    database.wait_for_condition(&format!("NOT EXISTS (SELECT {left})")).await;
    drop(frozen);
}
