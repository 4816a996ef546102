//! Sends messages over one connection and receives their answers, until it is lost or cancelled.

use super::budget::Permit;
use super::cancel::cancel_running;
use super::own_transactions::OwnTransactions;
use super::transaction::{Message, TransactionResult};
use futures_util::{Stream, StreamExt};
use pgmedic_core::QueryError;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Either};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long the server process of a lost connection is still counted: until it has noticed a cancellation, and where it cannot
/// be reached, until its timeouts end it.
const ENDED_WITHIN: Duration = Duration::from_secs(1);
const LOST_FOR: Duration = Duration::from_secs(60);

/// A connection, and what ends it.
#[derive(Debug)]
pub struct Channel {
    pub connection: PgConnection,
    pub options: PgConnectOptions,
    /// In the comment that begins each message. `pg_stat_activity` finds a running statement by it, also where a pooler
    /// chose the server process.
    pub tag: String,
    pub cancel: CancellationToken,
    /// An audit log writes the whole message for each statement in it, so each statement is a message.
    pub is_audited: bool,
    /// The failure that ended the connection; every later statement fails with it too.
    pub lost: Option<QueryError>,
    pub transactions: OwnTransactions,
    /// Last, so that the connection is closed before it is counted no more.
    pub permit: Permit,
}

impl Channel {
    /// Sends one message and collects its answers. Without any response for `limit` the connection counts as lost.
    pub async fn send(&mut self, message: Message, limit: Duration) -> TransactionResult {
        if let Some(failure) = &self.lost {
            return TransactionResult { answers: Vec::new(), failure: Some(failure.clone()) };
        }
        let messages = if self.is_audited { message.each(&self.tag) } else { vec![message.sql()] };
        let transactions = message.transactions();
        let mut answers = message.answers();
        let mut failure = None;
        for sql in messages {
            let mut response = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_many(&mut self.connection);
            failure = loop {
                match next_or_lost(limit, &self.cancel, &mut response).await {
                    Ok(Some(Either::Right(row))) => answers.row(row),
                    Ok(Some(Either::Left(_))) => answers.statement_completed(),
                    Ok(None) => break None,
                    Err(failure) => break Some(failure),
                }
            };
            if failure.is_some() {
                break;
            }
        }
        // Which of them were made before a failure is not known.
        self.transactions.add(if failure.is_none() { transactions } else { transactions.min(1) });
        if let Some(failure) = &failure {
            self.mark_lost(failure, limit).await;
        }
        TransactionResult { answers: answers.finish(), failure }
    }

    /// Records that the connection was lost, if that is what failed, and ends what still runs on the server.
    pub async fn mark_lost(&mut self, failure: &QueryError, limit: Duration) {
        if failure.is_lost() {
            self.lost = Some(failure.clone());
            let ended = cancel_running(&self.options, &self.tag, &self.permit).await;
            if ended {
                self.permit.lost(ENDED_WITHIN);
            } else if *failure == QueryError::no_response(limit) {
                self.permit.lost(LOST_FOR);
            }
        }
    }
}

/// A random number in hexadecimal, so that no other connection has the same tag, on any host.
pub(super) fn random_tag() -> String {
    let random = RandomState::new().build_hasher().finish();
    format!("{random:016x}")
}

/// The next item of a response. After `limit`, and once `cancel` is cancelled, the connection counts as lost.
pub async fn next_or_lost<T>(
    limit: Duration,
    cancel: &CancellationToken,
    items: &mut (impl Stream<Item = Result<T, sqlx::Error>> + Unpin),
) -> Result<Option<T>, QueryError> {
    let next = tokio::time::timeout(limit, items.next());
    let Some(next) = cancel.run_until_cancelled(next).await else {
        return Err(QueryError::ConnectionLost("asked to stop".to_owned()));
    };
    match next {
        Ok(item) => Ok(item.transpose()?),
        Err(_) => Err(QueryError::no_response(limit)),
    }
}
