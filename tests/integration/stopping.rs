//! Stopping while the database's server does not react at all.

use crate::support::{Agent, Database, until_it_waits_for};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pgmedic::demo::{Server, ServerOptions};
use sqlx::{PgConnection, Row};

/// Processes that are stopped, and go on when this is dropped.
struct Frozen(Vec<Pid>);

impl Frozen {
    /// The agent's server processes, and the one that takes new connections: nothing is answered and nothing cancelled.
    async fn new(server: &Server, database: &mut Database) -> Self {
        let agents = "SELECT array_agg(pid) FROM pg_stat_activity WHERE application_name = 'pgmedic'";
        let mut pids: Vec<i32> = database.row(agents).await.get(0);
        assert!(pids.len() > 1, "the pass and the lead have a connection each");
        pids.push(server.pid().expect("it runs").cast_signed());
        let pids: Vec<Pid> = pids.into_iter().map(Pid::from_raw).collect();
        for pid in &pids {
            kill(*pid, Signal::SIGSTOP).unwrap();
        }
        Self(pids)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        for pid in &self.0 {
            // Nobody waits for them while their parent is stopped, which is the last: their ids are no others'.
            let _ = kill(*pid, Signal::SIGCONT);
        }
    }
}

/// An agent in the middle of a pass whose server no longer reacts.
struct Stuck {
    agent: Agent,
    _frozen: Frozen,
    _holder: PgConnection,
    _database: Database,
    _server: Server,
}

impl Stuck {
    async fn new() -> Self {
        let server = Server::start(&ServerOptions::default()).unwrap();
        let mut database = Database::of(server.url("postgres"), |name| server.url(name)).await;
        database.sql("CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders VALUES (20)").await;
        let mut holder = database.connect().await;
        sqlx::raw_sql("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").execute(&mut holder).await.unwrap();
        let patient =
            "[sequences]\nschedule = \"0 0 * * * *\"\nlock_timeout = \"100s\"\nstatement_timeout = \"100s\"\n";
        let agent = Agent::start(&database, patient);
        until_it_waits_for(&mut database.connection, "orders").await;
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
    // Both are there before it looks, however slow this machine is.
    for signal in [Signal::SIGSTOP, Signal::SIGTERM, Signal::SIGINT, Signal::SIGCONT] {
        stuck.agent.signal(signal);
    }
    let (status, log) = stuck.agent.ended();
    assert!(status.success() && log.contains("stopped at once"), "{status}: {log}");
    assert!(!log.contains("did not end in time"), "{log}");
}
