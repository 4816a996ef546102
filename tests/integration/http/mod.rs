//! The agent's pages, for clients that break every rule.

mod crowd;
mod flood;
mod fuzz;
mod guarded;
mod limits;
mod pages;
mod secrets;
mod slow;
mod status;
mod thousand;

use crate::support::{Agent, Database};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A schedule that does not tick during a test.
const HOURLY: &str = "[sequences]\nschedule = \"0 0 * * * *\"\n";

/// Longer than every time limit of the agent: a client that is not served by then never is.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(60);

const PAGES: [&str; 9] = [
    "/",
    "/metrics",
    "/livez",
    "/readyz",
    "/healthz",
    "/api/v1/reports",
    "/assets/status.css",
    "/assets/status.js",
    "/assets/icon.svg",
];

/// An agent that has made its only pass, and what it looks at.
async fn agent() -> (Database, Agent) {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 20)").await;
    let agent = Agent::start(&database, HOURLY);
    agent.wait_until(&format!("pgmedic_database_up{{database=\"{}\"}}", database.name), |up| up == 1.0);
    (database, agent)
}

/// One connection.
struct Client(TcpStream);

impl Client {
    #[track_caller]
    fn of(agent: &Agent) -> Self {
        let stream = TcpStream::connect(agent.address()).expect("it listens");
        stream.set_read_timeout(Some(CLIENT_TIMEOUT)).expect("a time-out");
        stream.set_write_timeout(Some(CLIENT_TIMEOUT)).expect("a time-out");
        Self(stream)
    }

    /// Sends this, and ignores errors.
    fn say(mut self, bytes: impl AsRef<[u8]>) -> Self {
        let _ = self.0.write_all(bytes.as_ref());
        self
    }

    /// Sends this, which must succeed.
    #[track_caller]
    fn send(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.write_all(bytes.as_ref()).expect("the agent reads it");
        self
    }

    /// The whole response, until the agent closes the connection; panics when it does not.
    #[track_caller]
    fn hear(mut self) -> String {
        let mut answer = Vec::new();
        match self.0.read_to_end(&mut answer) {
            Err(error) if is_timeout(&error) => panic!("never closed after {}", String::from_utf8_lossy(&answer)),
            _ => String::from_utf8_lossy(&answer).into_owned(),
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// The response to these bytes.
#[track_caller]
fn asked(agent: &Agent, bytes: impl AsRef<[u8]>) -> String {
    Client::of(agent).say(bytes).hear()
}

/// The status of an answer; none where there is no answer.
fn status(answer: &str) -> Option<u16> {
    answer.split(' ').nth(1)?.parse().ok()
}

/// The agent is alive, and has logged nothing about its clients.
#[track_caller]
fn is_well(agent: Agent) {
    assert_eq!(agent.get("/livez"), (200, "ok\n".to_owned()));
    let log = agent.stop();
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
}
