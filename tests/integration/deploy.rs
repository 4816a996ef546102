//! What the files under deploy/ rely on.

use crate::support::{Database, command, pgmedic};
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

/// A running agent that is ended with the test.
struct Agent {
    child: Child,
    address: String,
}

impl Agent {
    /// Listens on a free port of every address, as in the image.
    fn start(database: &Database) -> Self {
        let variables = [("DATABASE_URL", database.url()), ("PGMEDIC_HTTP__LISTEN", "0.0.0.0:0")];
        let mut child = command(&variables, &[]).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.by_ref().find_map(|line| line.unwrap().split_once("http://").map(|(_, at)| at.to_owned()));
        // Read to the end, or the agent would wait for room in the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address: address.expect("the log says where it listens") }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_health_check_finds_a_running_agent_and_no_dead_one() {
    let database = Database::new().await;
    let mut agent = Agent::start(&database);
    let address = agent.address.clone();
    let variables = [("PGMEDIC_HTTP__LISTEN", address.as_str())];
    pgmedic(&variables, &["healthcheck"]).exits(0);

    agent.child.kill().unwrap();
    agent.child.wait().unwrap();
    let outcome = pgmedic(&variables, &["healthcheck"]).exits(1);
    assert!(outcome.stderr.contains("/livez"), "{}", outcome.stderr);
}

#[test]
fn the_health_check_needs_no_database_and_fails_with_1_only() {
    let variables = [("DATABASE_URL_FILE", "/no/such/file"), ("PGMEDIC_HTTP__LISTEN", "nowhere")];
    let outcome = pgmedic(&variables, &["healthcheck"]).exits(1);
    assert!(outcome.stderr.contains("PGMEDIC_HTTP__LISTEN"), "{}", outcome.stderr);
}
