//! Leadership: which of several agents works on a database.
//!
//! The lease is an advisory lock of a transaction, not of a session, so it also works through a transaction-mode pooler,
//! where a session's lock would leak to the next client of that server connection. The transaction reads nothing, so it
//! holds no snapshot and delays no vacuum. It is begun again every ten seconds; otherwise the server ends it. Correctness never depends on it.

use super::connect::{ConnectError, Opened, open};
use super::conninfo::ConnectTarget;
use pgmedic_core::QueryError;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection, Row};
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};

/// The first key of our advisory locks: "pgmd" in ASCII (PostgreSQL manual, Advisory Lock Functions).
const LOCK_NAMESPACE: i32 = 0x7067_6d64;

/// How long the lock outlives an agent that is stopped or cut off without a word.
const LEASE_DURATION: Duration = Duration::from_secs(45);

/// Four in a lifetime, so that one that is late or lost costs nothing.
const RENEW_EVERY: Duration = Duration::from_secs(10);

/// One round trip of a statement that never waits.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Ends the transaction, without a warning where there is none: a renewal may have been left in the middle.
const ROLLBACK_SQL: &str = "/* pgmedic:lease */ SET LOCAL client_min_messages = error; ROLLBACK";

/// Why the lock is not ours any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LeaseLost(String);

impl LeaseLost {
    /// The driver panicked on what the server sent.
    pub fn panicked() -> Self {
        Self("keeping it panicked: this is a bug of pgmedic's, please report it".to_owned())
    }
}

/// A held lock, and the connection that holds it.
#[derive(Debug)]
pub struct Lease {
    connection: PgConnection,
    key: i32,
    /// When its transaction began.
    begun: Instant,
}

impl Lease {
    /// Tries to lead. `key` tells apart agents that do different work on one database. None when another agent leads:
    /// then no connection stays open.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached.
    pub async fn acquire(target: &ConnectTarget, key: i32) -> Result<Option<Self>, ConnectError> {
        let Opened { connection, options } = open(target).await?;
        let mut lease = Self { connection, key, begun: Instant::now() };
        match lease.begin().await {
            Ok(true) => Ok(Some(lease)),
            Ok(false) => {
                lease.release().await;
                Ok(None)
            }
            Err(error) => Err(ConnectError::at(&options, error.to_string())),
        }
    }

    /// Begins the transaction again when that is due, and otherwise checks that it is still open. Returns whether this agent
    /// still holds the lock: another agent may have taken it in between.
    ///
    /// It begins again in two messages: a pooler that is told to pause, or to leave a server, waits for a moment without a
    /// transaction.
    ///
    /// # Errors
    ///
    /// When the connection was lost, and the lock with it.
    pub async fn renew(&mut self) -> Result<bool, QueryError> {
        if self.begun.elapsed() < RENEW_EVERY {
            self.ask("/* pgmedic:lease */ SELECT 1".to_owned()).await?;
            return Ok(true);
        }
        self.ask(ROLLBACK_SQL.to_owned()).await?;
        self.begin().await
    }

    /// Renews in good time, for as long as the lock is ours.
    ///
    /// Dropping this in the middle of a renewal leaves the connection in order: the driver reads the rest of the answer
    /// before it asks anything else.
    pub async fn renew_until_lost(&mut self) -> LeaseLost {
        loop {
            sleep_until(self.begun + RENEW_EVERY).await;
            match self.renew().await {
                Ok(true) => {}
                Ok(false) => return LeaseLost("another agent was quicker".to_owned()),
                Err(error) => return LeaseLost(error.to_string()),
            }
        }
    }

    async fn begin(&mut self) -> Result<bool, QueryError> {
        // The server ends a leader that is stopped or cut off, and the network's own silence is noticed sooner.
        let lifetime = LEASE_DURATION.as_millis();
        let statements = format!(
            "/* pgmedic:lease */ BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY; \
             SET LOCAL search_path = pg_catalog, pg_temp; \
             SET LOCAL idle_in_transaction_session_timeout = {lifetime}; \
             SET LOCAL tcp_user_timeout = {lifetime}; \
             SELECT pg_catalog.pg_try_advisory_xact_lock({LOCK_NAMESPACE}, {key})",
            key = self.key
        );
        let row = self.ask(statements).await?.ok_or_else(|| QueryError::UnexpectedResponse("none".to_owned()))?;
        // Only now: one whose answer was not waited for is begun again.
        self.begun = Instant::now();
        Ok(row.try_get(0)?)
    }

    async fn ask(&mut self, statements: String) -> Result<Option<PgRow>, QueryError> {
        let answer = sqlx::raw_sql(AssertSqlSafe(statements)).fetch_optional(&mut self.connection);
        match timeout(ANSWER_WITHIN, answer).await {
            Ok(row) => Ok(row?),
            Err(_) => Err(QueryError::no_response(ANSWER_WITHIN)),
        }
    }

    /// Gives the lock back at once, for the next agent.
    pub async fn release(self) {
        // Closing ends the transaction; a server that does not answer does the same by itself.
        let _ = timeout(ANSWER_WITHIN, self.connection.close()).await;
    }
}
