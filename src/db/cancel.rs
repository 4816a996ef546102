//! Ending what we left running on the server when we no longer wait for it.

use super::connect::connect;
use pgmedic_core::quote_literal;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Long enough for some small statements on a new connection, also from afar; short enough for a shutdown that waits for it.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(3);

/// What was cancelled ends in less.
const TERMINATE_AFTER: Duration = Duration::from_millis(200);

/// Cancels the statements that carry this tag. Where the server does not answer, its own time-outs end each statement, but
/// no COMMIT that waits for a standby.
///
/// `pg_stat_activity` is read a moment before: if a pooler gives the server process to another client in that moment, that
/// client's statement is canceled.
pub async fn cancel_running(options: &PgConnectOptions, tag: &str) {
    let work = async {
        let mut other = connect(options).await.map_err(|error| error.to_string())?;
        let ended = cancel_then_terminate(&mut other, tag).await.map_err(|error| error.to_string());
        // Nothing is owed to it.
        let _ = other.close().await;
        ended
    };
    let ended = timeout(CANCEL_TIMEOUT, work).await.unwrap_or_else(|_| Err("no answer".to_owned()));
    if let Err(error) = ended {
        tracing::debug!(error, "what we left running could not be ended: the server's time-outs do");
    }
}

/// A cancelled statement ends its message. But a COMMIT that waits for a standby is only hurried by it, and what follows in
/// the same message would be done, and wait again: that takes the end of the server process.
async fn cancel_then_terminate(other: &mut PgConnection, tag: &str) -> Result<(), sqlx::Error> {
    if signal(other, "cancel", tag).await? {
        sleep(TERMINATE_AFTER).await;
        signal(other, "terminate", tag).await?;
    }
    Ok(())
}

/// Whether there was any to signal.
async fn signal(other: &mut PgConnection, how: &str, tag: &str) -> Result<bool, sqlx::Error> {
    let statement = format!(
        "/* pgmedic:{how} */ SELECT pg_catalog.pg_{how}_backend(pid) FROM pg_catalog.pg_stat_activity \
         WHERE pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid() AND state OPERATOR(pg_catalog.=) 'active' \
         AND pg_catalog.strpos(query, {}) OPERATOR(pg_catalog.>) 0",
        quote_literal(&format!("tag={tag}"))
    );
    Ok(!sqlx::raw_sql(AssertSqlSafe(statement)).fetch_all(other).await?.is_empty())
}
