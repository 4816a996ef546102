//! Leadership: which of several agents works on a database.
//!
//! The lease is an advisory lock that ends with a transaction, not with a connection. So it works through a transaction-mode
//! pooler too, which would give a connection with a lock to another client. The transaction reads nothing, so it holds no
//! snapshot and does not delay vacuum. It is begun again every ten seconds; otherwise the server ends it. Repairs are correct
//! also where two agents lead.

use super::connect::{Opened, open};
use super::connect_error::ConnectError;
use super::conninfo::ConnectTarget;
use pgmedic_core::QueryError;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection, Row};
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};

/// The first key of pgmedic's advisory locks: "pgmd" in ASCII (PostgreSQL manual, Advisory Lock Functions).
const LOCK_NAMESPACE: i32 = 0x7067_6d64;

/// How long the lock remains after an agent has vanished without closing its connection.
const LEASE_DURATION: Duration = Duration::from_secs(45);

/// Four times in the lease's duration, so that one renewal may be late or fail.
const RENEW_EVERY: Duration = Duration::from_secs(10);

/// For one round trip of a statement that waits for no lock.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Ends the transaction. There is none where a renewal was dropped halfway, and the server must not log a warning for that.
const ROLLBACK_SQL: &str = "/* pgmedic:lease */ SET LOCAL client_min_messages = error; ROLLBACK";

/// Why this agent does not hold the lock any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LeaseLost(String);

impl LeaseLost {
    /// The driver panicked on a message of the server.
    pub fn panicked() -> Self {
        Self("renewing it panicked: this is a bug in pgmedic, please report it".to_owned())
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
    /// Tries to get the lease. Agents with different keys do different work on one database. None when another agent
    /// holds it; then the connection is closed.
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
            Err(error) => Err(ConnectError::because(&options, error)),
        }
    }

    /// Begins the transaction again when that is due; before, only checks the connection. Returns whether this agent still
    /// holds the lock: another one may have taken it between the two transactions.
    ///
    /// The rollback and the begin are two messages, because a pooler that is told to pause, or to leave a server, waits for a
    /// moment without a transaction.
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

    /// Renews the lease in time, until it is lost.
    ///
    /// Dropping this future in the middle of a renewal does not disturb the connection: the driver reads the rest of the
    /// answer before it sends the next message.
    pub async fn renew_until_lost(&mut self) -> LeaseLost {
        loop {
            sleep_until(self.begun + RENEW_EVERY).await;
            match self.renew().await {
                Ok(true) => {}
                Ok(false) => return LeaseLost("another agent took it".to_owned()),
                Err(error) => return LeaseLost(error.to_string()),
            }
        }
    }

    async fn begin(&mut self) -> Result<bool, QueryError> {
        // The server ends the transaction of an agent that does not renew it, and notices a dead network as soon.
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
        // Set only after the reply, so that a renewal that was dropped halfway is repeated.
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

    /// Releases the lock at once, for the next agent.
    pub async fn release(self) {
        // Closing ends the transaction; a server that does not answer ends it after the lease's duration.
        let _ = timeout(ANSWER_WITHIN, self.connection.close()).await;
    }
}
