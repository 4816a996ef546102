//! One connection whose every statement is bounded, named, and correct through a transaction-mode pooler.
//!
//! Work goes out as simple-query messages that open and close their own transaction (or as unnamed statements
//! inside one), because named prepared statements give wrong results where a pooler changes servers underneath.

use super::cancel::cancel_running;
use super::connect::{ConnectError, open};
use super::conninfo::ConnectTarget;
use super::server_info::{SERVER_INFO_SQL, ServerInfo};
use super::transaction::{PREAMBLE_STATEMENTS, TransactionMode, begin_sql};
use futures_util::{Stream, StreamExt};
use pgmedic_core::QueryError;
use pgmedic_core::Timeouts;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection, Either};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What the server's own limits may overrun before it counts as gone: network delay and a busy machine.
const RESPONSE_GRACE: Duration = Duration::from_secs(10);

/// The answers to a script: one list of rows for each statement that was completed.
#[derive(Debug, Default)]
pub struct TransactionResult {
    pub answers: Vec<Vec<PgRow>>,
    /// Why the statement after the last answer failed; the transaction is rolled back then.
    pub failure: Option<QueryError>,
}

/// A connection to one database.
#[derive(Debug)]
pub struct BoundedConnection {
    connection: PgConnection,
    options: PgConnectOptions,
    server: ServerInfo,
    /// In the leading comment of every message. It finds a statement that is still running, also where a pooler chose
    /// the server process.
    tag: String,
    stop: CancellationToken,
    lost: Option<QueryError>,
    /// Relations that the server process was made to touch, as told.
    touched: u64,
}

impl BoundedConnection {
    /// Connects and asks the server who it is. Once `stop` is cancelled, what runs on the server is cancelled too, and
    /// everything asked then fails.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, refuses, or is too old.
    pub async fn connect(
        target: &ConnectTarget,
        bounds: Timeouts,
        stop: &CancellationToken,
    ) -> Result<Self, ConnectError> {
        let opened = stop.run_until_cancelled(open(target)).await;
        let opened = opened.unwrap_or_else(|| Err(ConnectError::at(target.first(), "asked to stop")))?;
        let options = opened.options;
        let mut session = Self {
            connection: opened.connection,
            options: options.clone(),
            server: ServerInfo::default(),
            tag: random_tag(),
            stop: stop.clone(),
            lost: None,
            touched: 0,
        };
        let script = session.run_transaction("server-info", TransactionMode::Read, bounds, [SERVER_INFO_SQL]).await;
        if let Some(failure) = script.failure {
            return Err(ConnectError::at(&options, failure.to_string()));
        }
        let answer = script.answers.first().and_then(|rows| rows.first());
        session.server = ServerInfo::read(answer).map_err(|problem| ConnectError::at(&options, problem))?;
        Ok(session)
    }

    pub fn server(&self) -> &ServerInfo {
        &self.server
    }

    /// The failure that ended the connection; every later request fails with the same.
    pub fn lost(&self) -> Option<&QueryError> {
        self.lost.as_ref()
    }

    /// Announces that the next statements read this many relations. Reconnects where the server process would then have
    /// read more than `most`: a process keeps its cache of every relation until it ends. Where no other connection can be
    /// opened, this one is kept.
    pub async fn reserve_relations(&mut self, relations: u64, most: u64, bounds: Timeouts) {
        if self.touched > 0 && self.touched + relations > most {
            match Self::connect(&ConnectTarget::from(self.options.clone()), bounds, &self.stop).await {
                Ok(fresh) => {
                    tracing::debug!(touched = self.touched, "on with a fresh server process");
                    std::mem::replace(self, fresh).close().await;
                }
                Err(error) => {
                    tracing::debug!(%error, "no fresh connection");
                    // Not tried again for each of the next ones.
                    self.touched = 0;
                }
            }
        }
        self.touched += relations;
    }

    /// Runs `statements` in one message and one transaction. Each must be a single SQL statement made of constants
    /// and of names that the server itself quoted.
    pub async fn run_transaction<S: AsRef<str>>(
        &mut self,
        name: &str,
        access: TransactionMode,
        bounds: Timeouts,
        statements: impl IntoIterator<Item = S>,
    ) -> TransactionResult {
        let mut message = begin_sql(name, &self.tag, access, bounds, self.server.restricts);
        for statement in statements {
            message.push_str(statement.as_ref());
            message.push_str(";\n");
        }
        message.push_str(if access == TransactionMode::ReadOnlyThenRollback { "ROLLBACK" } else { "COMMIT" });
        let mut script = self.send(message, response_timeout(bounds, 1)).await;
        if script.failure.is_some() {
            self.roll_back(bounds).await;
        } else {
            // The end's own.
            script.answers.pop();
        }
        script
    }

    /// Runs each of `statements` in a separate transaction, all in one message, so that the locks of one are released
    /// before the next begins. What follows the one that fails is not run; one that fails to commit has no answer.
    pub async fn run_in_separate_transactions(
        &mut self,
        name: &str,
        access: TransactionMode,
        bounds: Timeouts,
        statements: impl IntoIterator<Item = String>,
    ) -> TransactionResult {
        let (mut message, mut count) = (String::new(), 0);
        for statement in statements {
            message += &begin_sql(name, &self.tag, access, bounds, self.server.restricts);
            message += &statement;
            message += ";\nCOMMIT;\n";
            count += 1;
        }
        let mut script = self.send(message, response_timeout(bounds, count)).await;
        // Behind the first one's answer come its end, the next one's preamble, and its answer.
        let step = PREAMBLE_STATEMENTS + 2;
        if script.failure.is_some() {
            self.roll_back(bounds).await;
            let complete = (script.answers.len() + step - 2) / step;
            script.answers.truncate(complete * step);
        }
        script.answers = script.answers.into_iter().step_by(step).collect();
        script
    }

    /// Runs one statement with bound text arrays, and hands each row to `each` as it arrives.
    ///
    /// # Errors
    ///
    /// The statement's failure, or the first that `each` returns.
    pub async fn query(
        &mut self,
        name: &str,
        bounds: Timeouts,
        statement: &'static str,
        arrays: [Vec<String>; 5],
        mut each: impl FnMut(PgRow) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        if let Some(failure) = self
            .send(
                begin_sql(name, &self.tag, TransactionMode::Read, bounds, self.server.restricts),
                response_timeout(bounds, 1),
            )
            .await
            .failure
        {
            return Err(failure);
        }
        // It stands alone in the list of what runs.
        let named = format!("/* pgmedic:{name} tag={} */ {statement}", self.tag);
        let mut query = sqlx::query(AssertSqlSafe(named)).persistent(false);
        for array in arrays {
            query = query.bind(array);
        }
        let mut rows = query.fetch(&mut self.connection);
        let result = loop {
            match next_or_lost(response_timeout(bounds, 1), &self.stop, &mut rows).await {
                Ok(Some(row)) => {
                    if let Err(failure) = each(row) {
                        break Err(failure);
                    }
                }
                Ok(None) => break Ok(()),
                Err(failure) => break Err(failure),
            }
        };
        drop(rows);
        if let Err(failure) = &result {
            self.mark_lost(failure).await;
        }
        self.roll_back(bounds).await;
        result
    }

    /// Waits, unless we are asked to stop.
    pub async fn sleep_unless_cancelled(&self, pause: Duration) {
        self.stop.run_until_cancelled(tokio::time::sleep(pause)).await;
    }

    /// Says goodbye, so that the server logs no broken connection.
    pub async fn close(self) {
        // Nothing is owed to a server that does not take a goodbye.
        let _ = tokio::time::timeout(RESPONSE_GRACE, self.connection.close()).await;
    }

    /// Ends a transaction of which nothing is to be kept. Should this fail, what is asked next fails and says so.
    async fn roll_back(&mut self, bounds: Timeouts) {
        self.send("/* pgmedic:rollback */ ROLLBACK".to_owned(), response_timeout(bounds, 1)).await;
    }

    /// Sends one message; the answers to its preamble, `PREAMBLE` of them, are left out. After a silence of `limit` the
    /// server counts as gone.
    async fn send(&mut self, message: String, limit: Duration) -> TransactionResult {
        let mut script = TransactionResult { answers: Vec::new(), failure: self.lost.clone() };
        if script.failure.is_some() {
            return script;
        }
        let mut preamble = PREAMBLE_STATEMENTS;
        let mut rows = Vec::new();
        let mut answers = sqlx::raw_sql(AssertSqlSafe(message)).fetch_many(&mut self.connection);
        loop {
            match next_or_lost(limit, &self.stop, &mut answers).await {
                Ok(Some(Either::Right(row))) => rows.push(row),
                Ok(Some(Either::Left(_))) if preamble > 0 => preamble -= 1,
                Ok(Some(Either::Left(_))) => script.answers.push(std::mem::take(&mut rows)),
                Ok(None) => return script,
                Err(failure) => {
                    script.failure = Some(failure);
                    break;
                }
            }
        }
        drop(answers);
        if let Some(failure) = &script.failure {
            self.mark_lost(failure).await;
        }
        script
    }

    async fn mark_lost(&mut self, failure: &QueryError) {
        if failure.is_lost() {
            self.lost = Some(failure.clone());
            cancel_running(&self.options, &self.tag).await;
        }
    }
}

/// Unlike any other session's, on any host.
pub(super) fn random_tag() -> String {
    let random = RandomState::new().build_hasher().finish();
    format!("{random:016x}")
}

/// The longest silence that the server's own limits explain, when so many transactions are in one message: it may send
/// nothing before all are done. Each may wait for its lock; the
/// caller puts together only as many as take no longer than one statement may.
fn response_timeout(bounds: Timeouts, transactions: u32) -> Duration {
    bounds.lock * transactions.saturating_sub(1) + bounds.statement + RESPONSE_GRACE
}

/// The next item, or a lost connection once we are asked to stop or the server has overrun its own limits.
async fn next_or_lost<T>(
    limit: Duration,
    stop: &CancellationToken,
    items: &mut (impl Stream<Item = Result<T, sqlx::Error>> + Unpin),
) -> Result<Option<T>, QueryError> {
    let next = tokio::time::timeout(limit, items.next());
    let Some(next) = stop.run_until_cancelled(next).await else {
        return Err(QueryError::ConnectionLost("asked to stop".to_owned()));
    };
    match next {
        Ok(item) => Ok(item.transpose()?),
        Err(_) => Err(QueryError::no_response(limit)),
    }
}
