//! Leadership: which of several agents works on a database.
//!
//! An advisory lock that lives as long as a transaction, not as a session: so it is right through a transaction-mode
//! pooler too, where a session's lock would leak to whoever gets that server connection next. The transaction reads
//! nothing, so it holds no snapshot and keeps no vacuum back; it is begun anew at every turn, and the server ends it
//! when it is not. Correctness never depends on it.

use super::connect::{ConnectError, open};
use super::error::Failure;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection, Row};
use std::time::Duration;

/// The first key of our advisory locks: "pgmd" in ASCII (PostgreSQL manual, Advisory Lock Functions).
const PGMEDIC: i32 = 0x7067_6d64;

/// A held lock, and the connection that holds it.
#[derive(Debug)]
pub struct Lease {
    connection: PgConnection,
    key: i32,
    lifetime: Duration,
}

impl Lease {
    /// Tries to lead. `key` tells apart agents that do different work on one database; `lifetime` is how long the lock
    /// outlives an agent that stopped renewing it. None when another agent leads: then no connection stays open.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached.
    pub async fn take(options: &PgConnectOptions, key: i32, lifetime: Duration) -> Result<Option<Self>, ConnectError> {
        let mut lease = Self { connection: open(options).await?, key, lifetime };
        match lease.begin("").await {
            Ok(true) => Ok(Some(lease)),
            Ok(false) => {
                lease.release().await;
                Ok(None)
            }
            Err(error) => Err(ConnectError::at(options, error.to_string())),
        }
    }

    /// Begins the transaction anew. Whether the lock is still ours: somebody else may have been quicker.
    ///
    /// # Errors
    ///
    /// When the connection was lost, and the lock with it.
    pub async fn renew(&mut self) -> Result<bool, Failure> {
        self.begin("ROLLBACK; ").await
    }

    async fn begin(&mut self, end: &str) -> Result<bool, Failure> {
        // The server ends a leader that is stopped or cut off, and the network's own silence is noticed sooner.
        let lifetime = self.lifetime.as_millis().max(1);
        let statements = format!(
            "/* pgmedic:lead */ {end}BEGIN READ ONLY; \
             SET LOCAL search_path = pg_catalog, pg_temp; \
             SET LOCAL idle_in_transaction_session_timeout = {lifetime}; \
             SET LOCAL tcp_user_timeout = {lifetime}; \
             SELECT pg_catalog.pg_try_advisory_xact_lock({PGMEDIC}, {key})",
            key = self.key
        );
        let answer = sqlx::raw_sql(AssertSqlSafe(statements)).fetch_one(&mut self.connection);
        match tokio::time::timeout(RENEW_WITHIN, answer).await {
            Ok(row) => Ok(row?.try_get(0)?),
            Err(_) => Err(Failure::silent(RENEW_WITHIN)),
        }
    }

    /// Gives the lock back at once, for the next agent.
    pub async fn release(self) {
        // Closing ends the transaction; a server that does not answer does the same by itself.
        let _ = tokio::time::timeout(RENEW_WITHIN, self.connection.close()).await;
    }
}

/// One round trip of a statement that never waits.
const RENEW_WITHIN: Duration = Duration::from_secs(2);
