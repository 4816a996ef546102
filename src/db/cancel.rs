//! Cancels a statement that still runs on the server when its answer is not waited for any more.

use super::budget::Permit;
use super::connect::{Opened, open_to_cancel};
use pgmedic_core::{fill_sql, quote_literal};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Long enough to connect and run some small statements, also over a slow network; short enough for a person who stops the
/// agent and waits.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(3);

/// A statement that can be cancelled ends sooner.
const TERMINATE_AFTER: Duration = Duration::from_millis(200);

/// Ends the statements that run with this tag, over a new connection. Where that fails, the server's timeouts end each
/// statement, except a COMMIT that waits for a standby.
///
/// `pg_stat_activity` and the signal are a moment apart. Where a pooler gives the server process to another client in that
/// moment, that client's statement is cancelled.
///
/// Returns whether they were ended. The budget of connections may have no room for this.
pub async fn cancel_running(options: &PgConnectOptions, tag: &str, permit: &Permit) -> bool {
    let work = async {
        let opened = open_to_cancel(options, permit).await.map_err(|error| error.to_string())?;
        let Some(Opened { connection: mut other, permit: _permit, .. }) = opened else {
            return Err("no connection is left".to_owned());
        };
        let ended = cancel_then_terminate(&mut other, tag).await.map_err(|error| error.to_string());
        // Its work is done: an error on closing does not matter.
        let _ = other.close().await;
        ended
    };
    let ended = timeout(CANCEL_TIMEOUT, work).await.unwrap_or_else(|_| Err("no answer".to_owned()));
    if let Err(error) = &ended {
        tracing::debug!(error, "a running statement could not be cancelled; the server's timeouts end it");
    }
    ended.is_ok()
}

/// Cancels, which ends the statement and the rest of its message. A COMMIT that waits for a standby only stops waiting,
/// and the next statement of the message runs: so a process that is still active then is terminated.
async fn cancel_then_terminate(other: &mut PgConnection, tag: &str) -> Result<(), sqlx::Error> {
    if signal(other, "cancel", tag).await? {
        sleep(TERMINATE_AFTER).await;
        signal(other, "terminate", tag).await?;
    }
    Ok(())
}

/// Sends the signal; whether any statement was running.
async fn signal(other: &mut PgConnection, how: &str, tag: &str) -> Result<bool, sqlx::Error> {
    let tag = quote_literal(&format!("tag={tag}"));
    let query = fill_sql(include_str!("cancel.sql"), &[("HOW", how), ("TAG", &tag)]);
    let statement = format!("/* pgmedic:{how} */ {query}");
    Ok(!sqlx::raw_sql(AssertSqlSafe(statement)).fetch_all(other).await?.is_empty())
}
