//! The binary beside a test, and waiting for what it does on the server.

use super::{Database, Outcome, database};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::Child;

/// Far beyond what anything here takes: whoever is still busy then hangs.
const DEADLINE: Duration = Duration::from_secs(60);

/// A pass that has been started and not yet been waited for. It is killed when it is dropped.
pub struct Running(Child);

impl Running {
    /// `pgmedic --once --format json` with these variables.
    pub fn once(variables: &[(&str, &str)]) -> Self {
        let mut command = tokio::process::Command::from(database::command(variables, &["--once", "--format", "json"]));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        Self(command.spawn().expect("pgmedic starts"))
    }

    /// What it said when it has ended by itself; a hang and a panic are failures of the test.
    pub async fn outcome(self) -> Outcome {
        let output = tokio::time::timeout(DEADLINE, self.0.wait_with_output())
            .await
            .unwrap_or_else(|_| panic!("pgmedic still runs after {DEADLINE:?}"))
            .expect("pgmedic's end");
        let outcome = Outcome::of(output);
        assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
        outcome
    }

    /// SIGKILL, as the kernel would when memory runs out.
    pub async fn kill(mut self) {
        self.0.kill().await.expect("a process to kill");
    }
}

impl Database {
    /// A pass over this database, with more variables.
    pub fn start(&self, variables: &[(&str, &str)]) -> Running {
        Running::once(&[&[("DATABASE_URL", self.url())], variables].concat())
    }

    /// Returns once `condition`, a boolean expression, holds on the server.
    pub async fn eventually(&mut self, condition: &str) {
        let start = Instant::now();
        while self.number(&format!("SELECT ({condition})::integer::bigint")).await == 0 {
            assert!(start.elapsed() < DEADLINE, "still not: {condition}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Returns once a pass over this database waits for a lock, in a message of this name.
    pub async fn pass_waits_in(&mut self, message: &str) {
        self.eventually(&format!("EXISTS (SELECT {})", waiting(message))).await;
    }

    /// Returns once the server has forgotten every pass over this database: a session that is gone holds no lock.
    pub async fn forgets_the_pass(&mut self) {
        self.eventually(
            "NOT EXISTS (SELECT FROM pg_stat_activity
                         WHERE datname = current_database() AND query LIKE '/* pgmedic:%')",
        )
        .await;
    }
}

/// The rest of a query for the session of a pass that waits for a lock.
pub fn waiting(message: &str) -> String {
    format!(
        "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' \
         AND query LIKE '/* pgmedic:{message} */%'"
    )
}
