//! Receives `NOTIFY pgmedic`, on a connection that is idle otherwise. The lease may be held on it too.
//!
//! A transaction-mode pooler accepts LISTEN, and then delivers the notifications to the next client of that server connection:
//! some drivers fail on them. So LISTEN is sent only after it is verified that no pooler shares the server connection.
//! Other poolers may drop notifications silently, so delivery is verified too, by a notification with a random payload.

use super::answers::ANSWER_WITHIN;
use super::budget::Permit;
use super::channel::random_tag;
use super::connect::{Opened, open_beside_standing};
use super::connect_error::ConnectError;
use super::conninfo::ConnectTarget;
use super::own_transactions::OwnTransactions;
use futures_util::future::try_join;
use pgmedic_core::{Reason, ReasonKind};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions};
use sqlx::{Acquire, AssertSqlSafe, Connection, Executor, PgConnection, Postgres, Row};
use std::future::Future;
use std::time::Duration;

/// The channel whose notifications start a pass.
const CHANNEL: &str = "pgmedic";

/// The channel on which delivery is tried. The payload is random; a random name would be a new statement each time.
const TRIAL_CHANNEL: &str = "pgmedic_trial";

/// For the delivery of a notification. Long, because a later one counts as not delivered.
const ARRIVES_WITHIN: Duration = Duration::from_secs(5);

/// How often a connection without notifications is checked: before firewalls drop it.
const ASK_EVERY: Duration = Duration::from_secs(10);

/// The server's side of [`SESSION_SQL`].
const SESSION_ENDS_WITHIN: Duration = Duration::from_secs(45);

/// Lets the server end the session 45 s after the agent has vanished, or has stopped: the system's default is hours. An idle
/// agent asks more often (`idle_session_timeout` is of PostgreSQL 14 or newer). Settings of the role do not count.
const SESSION_SQL: &str = include_str!("listener_session.sql");

const BACKEND_PID_SQL: &str = "/* pgmedic:listen */ SELECT pg_catalog.pg_backend_pid()";

/// How often both connections ask for their server process at the same time. A busy pooler with two server connections gives
/// the expected answers by chance once in 2^16 times.
const POOLER_PROBES: u32 = 8;

/// Whether every payload is UTF-8: a database without an encoding sends any bytes.
const UTF8: &str = "/* pgmedic:listen */ SELECT pg_catalog.current_setting('client_encoding') OPERATOR(pg_catalog.=) 'UTF8' \
     AND pg_catalog.current_setting('server_encoding') OPERATOR(pg_catalog.<>) 'SQL_ASCII'";

pub(super) const IS_IN_RECOVERY_SQL: &str = "/* pgmedic:listen */ SELECT pg_catalog.pg_is_in_recovery()";

/// Why notifications cannot be received.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListenError {
    /// Only a primary delivers notifications; after a promotion this server does.
    #[error("the server is a replica, which delivers no notifications")]
    Replica,
    /// This connection string leads through a pooler.
    #[error("a pooler in transaction mode is in between, through which no notification arrives")]
    Pooled,
    /// The budget of connections has no room for another that stays open.
    #[error("no connection is left for it")]
    NoConnectionLeft,
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("{0}")]
    Other(String),
}

impl From<ListenError> for Reason {
    fn from(error: ListenError) -> Self {
        match error {
            ListenError::Connect(error) => error.into(),
            error @ ListenError::Replica => Self::new(ReasonKind::ReadOnly, error.to_string()),
            error @ ListenError::NoConnectionLeft => Self::new(ReasonKind::TooManyConnections, error.to_string()),
            error @ ListenError::Pooled => Self::new(ReasonKind::NoNotifications, error.to_string()),
            error @ ListenError::Other(_) => Self::new(ReasonKind::ServerError, error.to_string()),
        }
    }
}

/// A connection that receives notifications.
#[derive(Debug)]
pub struct Listener {
    listener: PgListener,
    /// A pool of this one connection, as `PgListener` takes no single connection.
    pool: PgPool,
    /// Payloads can be read as text.
    utf8: bool,
    transactions: OwnTransactions,
    /// Last, so that the connection is closed before it is counted no more.
    permit: Permit,
}

impl Listener {
    /// Connects, verifies that notifications are delivered, and listens.
    ///
    /// # Errors
    ///
    /// When they are not delivered, or the database cannot be reached. No connection stays open then.
    pub async fn open(target: &ConnectTarget) -> Result<Self, ListenError> {
        let opened = open_beside_standing(target).await.map_err(|error| match error.kind() {
            ReasonKind::TooManyConnections => ListenError::NoConnectionLeft,
            _ => ListenError::Connect(error),
        });
        let (Opened { connection: mut other, options, permit }, standing) = opened?;
        let result = async {
            let in_recovery = sqlx::raw_sql(IS_IN_RECOVERY_SQL).fetch_one(&mut other);
            if with_answer_timeout(in_recovery).await?.try_get(0).map_err(failed)? {
                return Err(ListenError::Replica);
            }
            let mut listener = Self::connect(options, standing).await?;
            let listening = async {
                if listener.is_pooled(&mut other).await? {
                    return Err(ListenError::Pooled);
                }
                listener.prepare_session().await?;
                listener.listen(&mut other).await
            };
            match listening.await {
                Ok(()) => Ok(listener),
                Err(error) => {
                    listener.close().await;
                    Err(error)
                }
            }
        };
        let result = result.await;
        let _ = tokio::time::timeout(ANSWER_WITHIN, other.close()).await;
        drop(permit);
        result
    }

    /// Connects, and does no more. The address was reached before, as a pool does not return the cause of a failure.
    pub(super) async fn connect(options: PgConnectOptions, mut permit: Permit) -> Result<Self, ListenError> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ANSWER_WITHIN)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(options);
        let listener = PgListener::connect_with(&pool).await;
        let mut listener = listener.map_err(|error| match error {
            // The pool asks again where the server, or the role, has none left.
            sqlx::Error::PoolTimedOut => ListenError::NoConnectionLeft,
            error => failed(error),
        })?;
        permit.opened();
        listener.ignore_pool_close_event(true);
        // The agent decides when to try again.
        listener.eager_reconnect(false);
        Ok(Self { listener, pool, utf8: false, transactions: OwnTransactions::default(), permit })
    }

    /// Counts its transactions there from now on.
    pub(super) fn count_in(&mut self, transactions: OwnTransactions) {
        self.transactions = transactions;
    }

    /// A statement was sent on its connection.
    pub(super) fn count_transaction(&self) {
        self.transactions.add(1);
    }

    /// The connection, for a statement that is answered at once. Notifications that come meanwhile are kept.
    pub(super) async fn connection(&mut self) -> Result<&mut PgConnection, ListenError> {
        with_answer_timeout((&mut self.listener).acquire()).await
    }

    /// Whether a pooler shares server processes between clients: statements of one connection reach different processes, or
    /// those of both connections reach the same one.
    pub(super) async fn is_pooled(&mut self, other: &mut PgConnection) -> Result<bool, ListenError> {
        let (own, others) = (backend_pid(&mut self.listener).await?, backend_pid(&mut *other).await?);
        // An idle pooler chooses the process that was used last, or first: either way, one of these three comparisons finds
        // an unexpected process.
        let mut shared = own == others
            || backend_pid(&mut self.listener).await? != own
            || backend_pid(&mut self.listener).await? != own;
        for _ in 0..POOLER_PROBES {
            shared =
                shared || try_join(backend_pid(&mut self.listener), backend_pid(&mut *other)).await? != (own, others);
        }
        Ok(shared)
    }

    /// Makes the server end the session of an agent that has vanished. Not behind a pooler, whose other clients would get
    /// these settings.
    pub(super) async fn prepare_session(&mut self) -> Result<(), ListenError> {
        with_answer_timeout(self.listener.execute(SESSION_SQL)).await?;
        Ok(())
    }

    /// Listens on the trial channel, sends a notification with a random payload from `other`, and then listens on the real channel.
    pub(super) async fn listen(&mut self, other: &mut PgConnection) -> Result<(), ListenError> {
        let payload = random_tag();
        with_answer_timeout(self.listener.listen(TRIAL_CHANNEL)).await?;
        let notify = format!("/* pgmedic:listen */ SELECT pg_catalog.pg_notify('{TRIAL_CHANNEL}', '{payload}')");
        // A pooler may deliver it to `other` instead, whose driver fails on it: that error tells no more than a notification
        // that does not arrive. But without an answer to NOTIFY nothing was sent, and nothing is known.
        let notified = sqlx::raw_sql(AssertSqlSafe(notify)).execute(other);
        tokio::time::timeout(ANSWER_WITHIN, notified).await.map_err(|_| no_answer())?.ok();
        match tokio::time::timeout(ARRIVES_WITHIN, self.receive(&payload)).await {
            Ok(Ok(Some(()))) => {}
            Ok(Ok(None)) => return Err(ListenError::Other("the connection was lost".to_owned())),
            Ok(Err(error)) => return Err(failed(error)),
            Err(_) => {
                // UNLISTEN most often reaches the server connection that took the LISTEN. Where the server or the network
                // is too slow for this statement too, the cause is not a pooler.
                with_answer_timeout(self.listener.unlisten(TRIAL_CHANNEL)).await?;
                // A notification that was only late arrived before this answer.
                if self.listener.next_buffered().is_none_or(|trial| trial.payload() != payload) {
                    return Err(ListenError::Pooled);
                }
            }
        }
        with_answer_timeout(self.listener.unlisten(TRIAL_CHANNEL)).await?;
        self.utf8 = with_answer_timeout(self.listener.fetch_one(UTF8)).await?.try_get(0).map_err(failed)?;
        with_answer_timeout(self.listener.listen(CHANNEL)).await
    }

    /// Waits for the trial notification with this payload; none when the connection was lost. Another agent's is ignored.
    async fn receive(&mut self, payload: &str) -> Result<Option<()>, sqlx::Error> {
        while let Some(notification) = self.listener.try_recv().await? {
            if notification.payload() == payload {
                return Ok(Some(()));
            }
        }
        Ok(None)
    }

    /// Waits for a notification and returns its payload, which any role of the database can choose. Empty where it is not
    /// UTF-8.
    ///
    /// # Errors
    ///
    /// When the connection was lost, with the notifications since then, or must be closed.
    pub async fn next(&mut self) -> Result<String, ListenError> {
        loop {
            match tokio::time::timeout(ASK_EVERY, self.listener.try_recv()).await {
                Ok(Ok(Some(notification))) if self.utf8 => return Ok(notification.payload().to_owned()),
                Ok(Ok(Some(_))) => return Ok(String::new()),
                Ok(Ok(None)) => return Err(ListenError::Other("the connection was lost".to_owned())),
                Ok(Err(error)) => return Err(failed(error)),
                Err(_) if !self.may_stay() => return Err(ListenError::NoConnectionLeft),
                Err(_) => {
                    let answer = self.listener.execute("/* pgmedic:listen */ SELECT 1");
                    let answer = with_answer_timeout(answer).await;
                    self.count_transaction();
                    if let Err(error) = answer {
                        self.permit.lost(SESSION_ENDS_WITHIN);
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Whether the budget has room for this connection still.
    pub(super) fn may_stay(&self) -> bool {
        self.permit.may_stay()
    }

    /// Ends the connection with the protocol's message.
    pub async fn close(self) {
        // Returns the connection to the pool, which closes it.
        drop(self.listener);
        let _ = tokio::time::timeout(ANSWER_WITHIN, self.pool.close()).await;
    }
}

async fn with_answer_timeout<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, ListenError> {
    match tokio::time::timeout(ANSWER_WITHIN, answer).await {
        Ok(answer) => answer.map_err(failed),
        Err(_) => Err(no_answer()),
    }
}

fn no_answer() -> ListenError {
    ListenError::Other("the server does not answer".to_owned())
}

/// The ID of the server process that answers this statement.
async fn backend_pid<'c>(connection: impl Executor<'c, Database = Postgres>) -> Result<i32, ListenError> {
    with_answer_timeout(sqlx::raw_sql(BACKEND_PID_SQL).fetch_one(connection)).await?.try_get(0).map_err(failed)
}

/// The error in words, which contain neither the statement nor a payload.
fn failed(error: sqlx::Error) -> ListenError {
    match error {
        sqlx::Error::Database(cause) => ListenError::Other(cause.message().to_owned()),
        error => ListenError::Other(error.to_string()),
    }
}
