//! A connection to one database. Every statement has timeouts and a name, and works through a transaction-mode pooler.
//!
//! A simple-query message opens and ends its transactions itself. Statements with parameters are unnamed, inside a
//! transaction: a named prepared statement may be missing, or be another one, where a pooler has changed the server
//! process.

use super::cached_relations::CachedRelations;
use super::channel::{Channel, next_or_lost, random_tag};
use super::connect::{Opened, open, open_another};
use super::connect_error::ConnectError;
use super::conninfo::ConnectTarget;
use super::own_transactions::OwnTransactions;
use super::server_info::{ServerInfo, server_info_sql};
use super::transaction::{Message, Preamble, TransactionMode, TransactionResult};
use pgmedic_core::{QueryError, ReasonKind, Timeouts};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How much later than the server's timeouts a response may arrive: the delay of the network and of a busy machine.
const RESPONSE_GRACE: Duration = Duration::from_secs(10);

/// The first answer of a server nearby takes less: a round trip, and what a new server process has to load for it.
const FAR: Duration = Duration::from_millis(12);

/// A connection to one database.
#[derive(Debug)]
pub struct BoundedConnection {
    server: ServerInfo,
    /// What the server process may have in its caches.
    cached: CachedRelations,
    /// How long its first answer took.
    first_answer: Duration,
    channel: Channel,
}

impl BoundedConnection {
    /// Connects, and asks the server for its version and settings. When `cancel` is cancelled, the statement that runs on
    /// the server is cancelled, and it and every later one fail.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, refuses, or is too old.
    pub async fn connect(
        target: &ConnectTarget,
        timeouts: Timeouts,
        cancel: &CancellationToken,
    ) -> Result<Self, ConnectError> {
        let opened = cancel.run_until_cancelled(open(target)).await;
        let opened = opened
            .unwrap_or_else(|| Err(ConnectError::at(target.first(), ReasonKind::ConnectionLost, "asked to stop")))?;
        Self::introduce(opened, target.transactions.clone(), timeouts, cancel).await
    }

    /// Opens another connection to the same server and database. None where the budget has no room for it now.
    ///
    /// # Errors
    ///
    /// As [`Self::connect`].
    pub async fn another(&self, timeouts: Timeouts) -> Result<Option<Self>, ConnectError> {
        let Channel { options, permit, cancel, transactions, .. } = &self.channel;
        match cancel.run_until_cancelled(open_another(options, permit)).await {
            Some(Ok(Some(opened))) => Self::introduce(opened, transactions.clone(), timeouts, cancel).await.map(Some),
            Some(Err(error)) => Err(error),
            Some(Ok(None)) | None => Ok(None),
        }
    }

    /// Asks the server of a new connection for its version and settings.
    async fn introduce(
        opened: Opened,
        transactions: OwnTransactions,
        timeouts: Timeouts,
        cancel: &CancellationToken,
    ) -> Result<Self, ConnectError> {
        let Opened { connection, options, permit } = opened;
        // The server counts the one in which it starts the session.
        transactions.add(1);
        let mut connection = Self {
            server: ServerInfo::default(),
            cached: CachedRelations::default(),
            first_answer: Duration::ZERO,
            channel: Channel {
                connection,
                options: options.clone(),
                tag: random_tag(),
                cancel: cancel.clone(),
                is_audited: false,
                lost: None,
                transactions,
                permit,
            },
        };
        let asked = Instant::now();
        let result =
            connection.run_transaction("server-info", TransactionMode::Read, timeouts, [server_info_sql()]).await;
        connection.first_answer = asked.elapsed();
        if let Some(failure) = result.failure {
            return Err(ConnectError::because(&options, failure));
        }
        let answer = result.answers.first().and_then(|rows| rows.first());
        connection.server = ServerInfo::read(answer).map_err(|problem| ConnectError::because(&options, problem))?;
        connection.channel.is_audited = connection.server.is_audited;
        Ok(connection)
    }

    pub fn server(&self) -> &ServerInfo {
        &self.server
    }

    /// Whether a round trip takes long, as to another region.
    pub fn is_far(&self) -> bool {
        self.first_answer >= FAR
    }

    /// The failure that ended the connection; every later statement fails with it too.
    pub fn lost(&self) -> Option<&QueryError> {
        self.channel.lost.as_ref()
    }

    /// Announces that the next statements read `relations`: each by its OID, and how many it is with its partitions and indexes.
    /// Connects anew where the server process would then have more than `most` in its caches: it keeps what it learned of each
    /// until it ends. Keeps the present connection where no other one can be opened.
    pub async fn reserve_relations(&mut self, relations: &[(u32, u64)], most: u64, timeouts: Timeouts) {
        if self.cached.would_exceed(most, relations) {
            match self.another(timeouts).await {
                Ok(Some(fresh)) => {
                    tracing::debug!(relations = self.cached.count(), "changed to a fresh server process");
                    std::mem::replace(self, fresh).close().await;
                }
                result => {
                    tracing::debug!(error = ?result.err(), "no fresh connection");
                    // Not tried again for each of the next ones.
                    self.cached = CachedRelations::default();
                }
            }
        }
        self.cached.add(relations);
    }

    /// Runs `statements` in one message and one transaction. Each must be a single SQL statement made of constants
    /// and of names that the server itself quoted.
    pub async fn run_transaction<S: Into<String>>(
        &mut self,
        name: &str,
        mode: TransactionMode,
        timeouts: Timeouts,
        statements: impl IntoIterator<Item = S>,
    ) -> TransactionResult {
        let preamble = self.preamble(name, mode, timeouts);
        let message = Message::one_transaction(&preamble, statements.into_iter().map(Into::into));
        let result = self.channel.send(message, response_timeout(timeouts, 1)).await;
        if result.failure.is_some() {
            self.roll_back(timeouts).await;
        }
        result
    }

    /// Runs each of `statements` in a separate transaction, all in one message: the locks of one are released before the
    /// next begins. The statements after one that fails are not run; one that fails to commit has no answer.
    pub async fn run_in_separate_transactions(
        &mut self,
        name: &str,
        mode: TransactionMode,
        timeouts: Timeouts,
        statements: impl ExactSizeIterator<Item = String>,
    ) -> TransactionResult {
        self.run_groups_in_separate_transactions(name, mode, timeouts, statements.map(|statement| vec![statement]))
            .await
    }

    /// The same for groups of statements, each group in a separate transaction. The answer of a group has the rows of all
    /// its statements.
    pub async fn run_groups_in_separate_transactions(
        &mut self,
        name: &str,
        mode: TransactionMode,
        timeouts: Timeouts,
        groups: impl ExactSizeIterator<Item = Vec<String>>,
    ) -> TransactionResult {
        let transactions = u32::try_from(groups.len()).unwrap_or(u32::MAX);
        let message = Message::separate_transactions(&self.preamble(name, mode, timeouts), groups);
        let result = self.channel.send(message, response_timeout(timeouts, transactions)).await;
        if result.failure.is_some() {
            self.roll_back(timeouts).await;
        }
        result
    }

    /// Runs one statement with arrays of text as parameters, and passes each row to `each` as it arrives.
    ///
    /// # Errors
    ///
    /// The statement's failure, or the first that `each` returns.
    pub async fn query(
        &mut self,
        name: &str,
        timeouts: Timeouts,
        statement: &str,
        arrays: [Vec<String>; 5],
        mut each: impl FnMut(PgRow) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        let limit = response_timeout(timeouts, 1);
        let begin = Message::begin(&self.preamble(name, TransactionMode::Read, timeouts));
        if let Some(failure) = self.channel.send(begin, limit).await.failure {
            return Err(failure);
        }
        // pg_stat_activity shows this statement without the preamble, so it has the name and the tag too.
        let named = format!("/* pgmedic:{name} tag={} */ {statement}", self.channel.tag);
        let mut query = sqlx::query(AssertSqlSafe(named)).persistent(false);
        for array in arrays {
            query = query.bind(array);
        }
        let mut rows = query.fetch(&mut self.channel.connection);
        let result = loop {
            match next_or_lost(limit, &self.channel.cancel, &mut rows).await {
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
            self.channel.mark_lost(failure, limit).await;
        }
        self.roll_back(timeouts).await;
        result
    }

    /// Waits for `pause`, or until the connection is cancelled.
    pub async fn sleep_unless_cancelled(&self, pause: Duration) {
        self.channel.cancel.run_until_cancelled(tokio::time::sleep(pause)).await;
    }

    /// Ends the connection with the protocol's message, so that the server logs no broken one.
    pub async fn close(self) {
        // It is closed also where the server does not take the message.
        let _ = tokio::time::timeout(RESPONSE_GRACE, self.channel.connection.close()).await;
    }

    fn preamble<'a>(&'a self, name: &'a str, mode: TransactionMode, timeouts: Timeouts) -> Preamble<'a> {
        Preamble { name, tag: &self.channel.tag, mode, timeouts, restrict_views: self.server.can_restrict_views }
    }

    /// Ends the transaction that is open. Should this fail, the next statement fails too, and its failure is reported.
    async fn roll_back(&mut self, timeouts: Timeouts) {
        let message = Message::without_answer("/* pgmedic:rollback */ ROLLBACK");
        self.channel.send(message, response_timeout(timeouts, 1)).await;
    }
}

/// The longest time without a response that the timeouts explain, with so many transactions in one message: the server
/// may send nothing before all are done. Each may wait for its lock. The caller sees to it that their work together takes
/// no longer than one statement may.
fn response_timeout(timeouts: Timeouts, transactions: u32) -> Duration {
    timeouts.lock * transactions.saturating_sub(1) + timeouts.statement + RESPONSE_GRACE
}
