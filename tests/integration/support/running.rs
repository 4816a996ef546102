//! Runs the binary beside a test, and waits for its effects on the server.

use super::{Database, Outcome, command};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;
use tokio::process::Child;

/// The longest wait for any event here. A process that takes longer hangs.
const DEADLINE: Duration = Duration::from_secs(60);

/// Timeouts that no test reaches, for passes that a test blocks.
pub const LONG_TIMEOUTS: &str = "[sequences]\nlock_timeout = \"100s\"\nstatement_timeout = \"100s\"\n";

/// A pass that was started and not yet waited for. It is killed when it is dropped.
pub struct Running {
    child: Child,
    // Deleted when the pass has ended.
    _config: Option<NamedTempFile>,
}

impl Running {
    /// Starts `pgmedic --once --format json` with these variables.
    pub fn once(variables: &[(&str, &str)]) -> Self {
        Self::start(variables, &["--once", "--format", "json"], None)
    }

    /// Starts `pgmedic --once --format json` with settings and these arguments.
    pub fn once_with(database: &Database, settings: &str, arguments: &[&str]) -> Self {
        Self::once_with_as(database, "postgres", settings, arguments)
    }

    /// The same, as another role.
    pub fn once_with_as(database: &Database, role: &str, settings: &str, arguments: &[&str]) -> Self {
        let config = database.config_as(role, settings);
        let path = config.path().to_str().expect("a UTF-8 path").to_owned();
        Self::start(&[], &[&["--once", "--format", "json", "--config", &path], arguments].concat(), Some(config))
    }

    fn start(variables: &[(&str, &str)], arguments: &[&str], config: Option<NamedTempFile>) -> Self {
        let mut command = tokio::process::Command::from(command(variables, arguments));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        Self { child: command.spawn().expect("pgmedic starts"), _config: config }
    }

    /// Waits for its end and returns its output. The test fails if it hangs or panics.
    pub async fn outcome(self) -> Outcome {
        let output = tokio::time::timeout(DEADLINE, self.child.wait_with_output())
            .await
            .unwrap_or_else(|_| panic!("pgmedic still runs after {DEADLINE:?}"))
            .expect("pgmedic's end");
        let outcome = Outcome::of(output);
        assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
        outcome
    }

    /// Kills it with SIGKILL, as the kernel does when memory runs out.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("a process to kill");
    }
}

impl Database {
    /// Starts a pass over this database, with additional variables.
    pub fn start(&self, variables: &[(&str, &str)]) -> Running {
        Running::once(&[&[("DATABASE_URL", self.url())], variables].concat())
    }

    /// Waits until `condition`, a boolean expression, is true on the server.
    pub async fn wait_for_condition(&mut self, condition: &str) {
        wait_until(&mut self.connection, &format!("SELECT ({condition})")).await;
    }

    /// Waits until a pass over this database waits for a lock, in a query with this tag.
    pub async fn pass_waits_in(&mut self, message: &str) {
        self.wait_for_condition(&format!("EXISTS (SELECT {})", waiting(message))).await;
    }

    /// Waits until no session of a pass over this database exists. A session that has ended holds no lock.
    pub async fn forgets_the_pass(&mut self) {
        self.wait_for_condition(
            "NOT EXISTS (SELECT FROM pg_stat_activity
                         WHERE datname = current_database() AND query LIKE '/* pgmedic:%')",
        )
        .await;
    }
}

/// The FROM and WHERE of a query for the session of a pass that waits for a lock.
pub fn waiting(message: &str) -> String {
    format!(
        "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' \
         AND query LIKE '/* pgmedic:{message} %'"
    )
}

/// Waits until the query returns true.
pub async fn wait_until(connection: &mut PgConnection, question: &str) {
    let start = Instant::now();
    loop {
        let answer = sqlx::query(AssertSqlSafe(question.to_owned())).fetch_one(&mut *connection).await;
        if answer.unwrap_or_else(|error| panic!("{error}\nin: {question}")).get(0) {
            return;
        }
        assert!(start.elapsed() < DEADLINE, "timed out waiting for: {question}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Waits until `pgmedic` waits for a lock on this relation of the connection's database.
pub async fn wait_until_blocked_on(connection: &mut PgConnection, relation: &str) {
    let question = format!(
        "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                        WHERE a.application_name = 'pgmedic' AND a.datname = current_database()
                          AND l.relation = '{relation}'::regclass AND NOT l.granted)"
    );
    wait_until(connection, &question).await;
}
