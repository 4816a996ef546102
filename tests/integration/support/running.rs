//! `pgmedic` while it runs, and what other sessions can see of it.

use super::{Database, Outcome, command};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Long enough for a busy machine: a test that gets here has failed.
const DEADLINE: Duration = Duration::from_secs(60);

/// Timeouts that no test reaches, for passes that are held up on purpose.
pub const PATIENT: &str = "[sequences]\nlock_timeout = \"100s\"\nstatement_timeout = \"100s\"\n";

/// A run that has been started.
#[derive(Debug)]
pub struct Running {
    child: Child,
    // Deleted when the run is over.
    _config: tempfile::NamedTempFile,
}

impl Running {
    /// `pgmedic --once --format json` with settings and these arguments.
    pub fn once_with(database: &Database, settings: &str, arguments: &[&str]) -> Self {
        Self::once_with_as(database, "postgres", settings, arguments)
    }

    /// The same, as another role.
    pub fn once_with_as(database: &Database, role: &str, settings: &str, arguments: &[&str]) -> Self {
        let config = database.config_as(role, settings);
        let path = config.path().to_str().expect("a UTF-8 path");
        let arguments = [&["--once", "--format", "json", "--config", path], arguments].concat();
        let mut command = command(&[], &arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("pgmedic starts");
        Self { child, _config: config }
    }

    /// Waits for its end.
    pub fn finish(self) -> Outcome {
        Outcome::of(self.child.wait_with_output().expect("pgmedic ends"))
    }
}

/// Waits until the query's one boolean is true.
pub async fn until(connection: &mut PgConnection, question: &str) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let answer = sqlx::query(AssertSqlSafe(question.to_owned())).fetch_one(&mut *connection).await;
        if answer.unwrap_or_else(|error| panic!("{error}\nin: {question}")).get(0) {
            return;
        }
        assert!(Instant::now() < deadline, "never true: {question}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Waits until `pgmedic` waits for a lock on this relation of `connection`'s database.
pub async fn until_it_waits_for(connection: &mut PgConnection, relation: &str) {
    let question = format!(
        "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                        WHERE a.application_name = 'pgmedic' AND a.datname = current_database()
                          AND l.relation = '{relation}'::regclass AND NOT l.granted)"
    );
    until(connection, &question).await;
}
