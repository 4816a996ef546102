//! Waits for `NOTIFY pgmedic` on a separate connection.
//!
//! A session receives notifications between its transactions, so the lease's connection receives none. A
//! transaction-mode pooler accepts LISTEN, and the next client of that server connection gets the notifications: some
//! drivers fail on them. So LISTEN is sent only once the server connection is known to be unshared. Other poolers drop
//! notifications silently, so delivery is verified on a channel with a random name.

use super::connect::{self, ConnectError, Opened};
use super::connection::random_tag;
use super::conninfo::ConnectTarget;
use futures_util::future::try_join;
use sqlx::postgres::{PgListener, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Postgres, Row};
use std::future::Future;
use std::time::Duration;

/// What is notified to wake us.
const CHANNEL: &str = "pgmedic";

/// One small statement.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// A notification's way to us; long, because what does not arrive by then counts as lost for good.
const ARRIVES_WITHIN: Duration = Duration::from_secs(5);

/// How often a connection that hears nothing is asked whether it is still there: before firewalls forget it.
const ASK_EVERY: Duration = Duration::from_secs(30);

/// The server gives up on an agent that vanished after about a minute, as the system's default is hours; and does not
/// end a session for having heard nothing (PostgreSQL 14 or newer).
const KEEPALIVE: &str = "/* pgmedic:listen */ SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; \
     SET tcp_keepalives_count = 3; SET tcp_user_timeout = 60000; \
     SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings \
     WHERE name OPERATOR(pg_catalog.=) 'idle_session_timeout'";

const BACKEND_PID_SQL: &str = "/* pgmedic:listen */ SELECT pg_catalog.pg_backend_pid()";

/// How often either connection is asked at once. A busy pooler gives both the right answers by chance, with two server
/// connections to choose from, once in 2^16 times.
const POOLER_PROBES: u32 = 8;

/// Whether every payload is UTF-8: a database without an encoding passes on any bytes.
const UTF8: &str = "/* pgmedic:listen */ SELECT pg_catalog.current_setting('client_encoding') OPERATOR(pg_catalog.=) 'UTF8' \
     AND pg_catalog.current_setting('server_encoding') OPERATOR(pg_catalog.<>) 'SQL_ASCII'";

const IS_IN_RECOVERY_SQL: &str = "/* pgmedic:listen */ SELECT pg_catalog.pg_is_in_recovery()";

/// Why notifications cannot be heard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListenError {
    /// Not now, but after promotion.
    #[error("the server is a replica, where nothing can be heard")]
    Replica,
    /// Never, by this URL.
    #[error("a pooler in transaction mode is in between, through which no notification arrives")]
    Pooled,
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("{0}")]
    Other(String),
}

/// A connection that hears.
pub struct Listener {
    listener: PgListener,
    /// Of this one connection: `PgListener` takes no other.
    pool: PgPool,
    /// Payloads can be read as text.
    utf8: bool,
}

impl Listener {
    /// Connects, and listens once it is sure that notifications arrive.
    ///
    /// # Errors
    ///
    /// When they do not, or the database cannot be reached. No connection stays open then.
    pub async fn open(target: &ConnectTarget) -> Result<Self, ListenError> {
        // Before the pool, which hides why it has no connection.
        let Opened { connection: mut other, options } = connect::open(target).await?;
        if with_answer_timeout(sqlx::raw_sql(IS_IN_RECOVERY_SQL).fetch_one(&mut other))
            .await?
            .try_get(0)
            .map_err(failed)?
        {
            let _ = tokio::time::timeout(ANSWER_WITHIN, other.close()).await;
            return Err(ListenError::Replica);
        }
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ANSWER_WITHIN)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(options);
        let opened = async {
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.ignore_pool_close_event(true);
            // The keeper decides when to try again.
            listener.eager_reconnect(false);
            Ok(listener)
        };
        let mut this = match opened.await {
            Ok(listener) => Self { listener, pool, utf8: false },
            Err(error) => return Err(failed(error)),
        };
        let result = this.verify_delivery(&mut other).await;
        let _ = tokio::time::timeout(ANSWER_WITHIN, other.close()).await;
        match result {
            Ok(()) => Ok(this),
            Err(error) => {
                this.close().await;
                Err(error)
            }
        }
    }

    /// Whether our statements, or `other`'s, reach different server processes, or both the same one: then a pooler
    /// gives them away between transactions. Nothing is left behind in either.
    async fn is_pooled(&mut self, other: &mut PgConnection) -> Result<bool, ListenError> {
        let (ours, theirs) = (backend_pid(&mut self.listener).await?, backend_pid(&mut *other).await?);
        // An idle pooler gives the process that was used last, or the one that was used first: of any number, one of
        // these three then meets another than expected.
        let mut shared = ours == theirs
            || backend_pid(&mut self.listener).await? != ours
            || backend_pid(&mut self.listener).await? != ours;
        for _ in 0..POOLER_PROBES {
            shared =
                shared || try_join(backend_pid(&mut self.listener), backend_pid(&mut *other)).await? != (ours, theirs);
        }
        Ok(shared)
    }

    /// Listens on a random channel, notifies it by `other`, and then listens on the real one.
    async fn verify_delivery(&mut self, other: &mut PgConnection) -> Result<(), ListenError> {
        if self.is_pooled(other).await? {
            return Err(ListenError::Pooled);
        }
        let trial = format!("{CHANNEL}_{}", random_tag());
        with_answer_timeout(self.listener.listen(&trial)).await?;
        let notify = format!("/* pgmedic:listen */ NOTIFY {trial}");
        // Through a pooler it may arrive at `other` instead, whose error then says nothing more than silence does. But
        // where no answer comes, nothing was notified, and nothing is known.
        let notified = sqlx::raw_sql(AssertSqlSafe(notify)).execute(other);
        tokio::time::timeout(ANSWER_WITHIN, notified).await.map_err(|_| no_answer())?.ok();
        match tokio::time::timeout(ARRIVES_WITHIN, self.listener.try_recv()).await {
            Ok(Ok(Some(_))) => {}
            Ok(Ok(None)) => return Err(ListenError::Other("the connection was lost".to_owned())),
            Ok(Err(error)) => return Err(failed(error)),
            Err(_) => {
                // Most often reaches the server connection that took the LISTEN. A server, or a network, that is too
                // slow for this as well is no pooler.
                with_answer_timeout(self.listener.unlisten(&trial)).await?;
                // What was under way came before this answer.
                if self.listener.next_buffered().is_none() {
                    return Err(ListenError::Pooled);
                }
            }
        }
        with_answer_timeout(self.listener.unlisten(&trial)).await?;
        with_answer_timeout(self.listener.execute(KEEPALIVE)).await?;
        self.utf8 = with_answer_timeout(self.listener.fetch_one(UTF8)).await?.try_get(0).map_err(failed)?;
        with_answer_timeout(self.listener.listen(CHANNEL)).await
    }

    /// Waits for a notification and returns its payload, which the sender may have written freely. Empty where it cannot
    /// be read.
    ///
    /// # Errors
    ///
    /// When the connection was lost, and with it what was notified since.
    pub async fn next(&mut self) -> Result<String, ListenError> {
        loop {
            match tokio::time::timeout(ASK_EVERY, self.listener.try_recv()).await {
                Ok(Ok(Some(notification))) if self.utf8 => return Ok(notification.payload().to_owned()),
                Ok(Ok(Some(_))) => return Ok(String::new()),
                Ok(Ok(None)) => return Err(ListenError::Other("the connection was lost".to_owned())),
                Ok(Err(error)) => return Err(failed(error)),
                Err(_) => {
                    with_answer_timeout(self.listener.execute("/* pgmedic:listen */ SELECT 1")).await?;
                }
            }
        }
    }

    /// Says goodbye.
    pub async fn close(self) {
        // Gives its connection back to the pool, which closes it.
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

/// The server process that answers this statement.
async fn backend_pid<'c>(connection: impl Executor<'c, Database = Postgres>) -> Result<i32, ListenError> {
    with_answer_timeout(sqlx::raw_sql(BACKEND_PID_SQL).fetch_one(connection)).await?.try_get(0).map_err(failed)
}

/// Neither statement nor payload is in the text.
fn failed(error: sqlx::Error) -> ListenError {
    match error {
        sqlx::Error::Database(cause) => ListenError::Other(cause.message().to_owned()),
        error => ListenError::Other(error.to_string()),
    }
}
