//! Sessions in a table: a login closes its user's older ones and opens a new one, whatever the sequence does.

mod session_table;
mod statements;
mod token;

pub use session_table::{CloseAction, SessionTable, UserLock};
pub use token::Token;

use crate::retry::{Attempt, AttemptOutcome, Repair};
use sqlx::postgres::{PgPool, PgRow, Postgres};
use sqlx::{AssertSqlSafe, Row, Transaction};
use statements::StoreSql;
use std::fmt;
use std::time::Duration;
use token::hash;

/// The longest lifetime: beyond it, PostgreSQL's own dates end.
const LONGEST: Duration = Duration::from_secs(1000 * 366 * 24 * 60 * 60);

/// Why the store could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The layout does not fit the database.
    #[error("the session store's layout: {0}")]
    SessionTable(String),
    /// The table of users has no such user.
    #[error("there is no such user")]
    UnknownUser,
    #[error("a session cannot live for {}; expected more than 0 and at most 1000 years", humantime::format_duration(*.0))]
    Lifetime(Duration),
    #[error("the operating system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// A session store on a pool; share it behind an `Arc`.
#[derive(Debug)]
pub struct SessionStore {
    pool: PgPool,
    layout: SessionTable,
    statements: StoreSql,
}

/// A session that was just opened.
pub struct NewSession {
    /// The key of its row.
    pub id: i64,
    /// To be given to the client: it cannot be had again.
    pub token: Token,
    /// How many older sessions of the user's were closed for it, deleted expired ones included.
    pub closed: u64,
    /// Sequences that had to be moved.
    pub repairs: Vec<Repair>,
}

/// A live session.
#[derive(Clone, PartialEq)]
pub struct Session {
    /// The key of its row.
    pub id: i64,
    /// Whose it is, in the server's spelling.
    pub user: String,
    /// How long it has to live, by the database's clock.
    pub expires_in: Duration,
}

impl SessionStore {
    /// Checks the layout against the database: every table and column, their types, and the index that look-ups need.
    ///
    /// # Errors
    ///
    /// What does not fit, and what would; or the database's own error.
    pub async fn open(pool: PgPool, layout: SessionTable) -> Result<Self, StoreError> {
        if let Some(max_age) = layout.max_age {
            validate_ttl(max_age)?;
        }
        let names = layout.check(&pool).await?;
        let statements = StoreSql::new(&layout, names);
        Ok(Self { pool, layout, statements })
    }

    /// Closes the user's oldest sessions, so that one more makes `live_per_user`, and opens one that lives for `ttl`:
    /// both or neither. Logins of the same user wait for each other, so that exactly that many stay live. An insert
    /// that meets a sequence that is behind repairs itself ([`Attempt`]).
    ///
    /// `user` is sent as text and read by the server as the column's type: a number, a UUID, a name.
    ///
    /// # Errors
    ///
    /// When there is no such user, `ttl` is none, or the database's own error; then nothing is changed.
    pub async fn create_session(&self, user: impl fmt::Display, ttl: Duration) -> Result<NewSession, StoreError> {
        let ttl = validate_ttl(self.layout.max_age.map_or(ttl, |max_age| max_age.min(ttl)))?;
        let user = user.to_string();
        let token = Token::generate()?;
        let hash = hash(token.expose());
        let mut transaction = self.begin(&user).await?;
        // A deleted id must not be given out again, as it would be were the highest one deleted before the sequence is
        // found to be behind. Where rows stay, room is made first: an index may allow a user so many live ones only.
        let delete = matches!(self.layout.close, CloseAction::Delete);
        let mut closed = if delete { 0 } else { self.close_excess_sessions(&mut transaction, &user, None).await? };
        let mut attempt = Attempt::begin(&mut transaction, self.layout.limits).await?;
        let repaired = loop {
            let insert = sqlx::query_scalar(AssertSqlSafe(self.statements.insert.clone()));
            let insert = insert.bind(&user).bind(&hash).bind(ttl).persistent(false);
            let result: Result<i64, _> = insert.fetch_one(attempt.connection()).await;
            match attempt.end(result).await? {
                AttemptOutcome::Done(repaired) => break repaired,
                AttemptOutcome::Retry(another) => attempt = another,
            }
        };
        if delete {
            closed = self.close_excess_sessions(&mut transaction, &user, Some(repaired.value)).await?;
        }
        transaction.commit().await?;
        Ok(NewSession { id: repaired.value, token, closed, repairs: repaired.repairs })
    }

    /// The live session of a token, if there is one.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn find(&self, token: &str) -> Result<Option<Session>, StoreError> {
        self.fetch_session(self.statements.find(&hash(token))).await
    }

    /// Lets a live session live for `ttl` from now, but no longer than `max_age` from its creation. None when it was not
    /// live any more: nothing brings it back.
    ///
    /// # Errors
    ///
    /// When `ttl` is none, or the database's own error.
    pub async fn touch(&self, token: &str, ttl: Duration) -> Result<Option<Session>, StoreError> {
        validate_ttl(ttl)?;
        self.fetch_session(self.statements.touch(&hash(token), ttl)).await
    }

    /// Closes the session of a token. Whether there was one.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn revoke(&self, token: &str) -> Result<bool, StoreError> {
        let statement = AssertSqlSafe(self.statements.revoke(&hash(token)));
        Ok(sqlx::raw_sql(statement).execute(&self.pool).await?.rows_affected() > 0)
    }

    /// Closes every session of a user's, and returns how many. A login that runs at the same time comes before it, and
    /// is closed too, or after it.
    ///
    /// # Errors
    ///
    /// When there is no such user, or the database's own error.
    pub async fn revoke_all(&self, user: impl fmt::Display) -> Result<u64, StoreError> {
        let user = user.to_string();
        let mut transaction = self.begin(&user).await?;
        let closed = self.execute_for_user(&mut transaction, &self.statements.close_all, &user).await?;
        transaction.commit().await?;
        Ok(closed)
    }

    /// A transaction that holds the user's lock.
    async fn begin(&self, user: &str) -> Result<Transaction<'static, Postgres>, StoreError> {
        let mut transaction = self.pool.begin_with(AssertSqlSafe(self.statements.begin.clone())).await?;
        match self.execute_for_user(&mut transaction, &self.statements.lock, user).await? {
            0 => Err(StoreError::UnknownUser),
            _ => Ok(transaction),
        }
    }

    /// Closes the sessions that may not stay beside a `new` one, and returns how many.
    async fn close_excess_sessions(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        user: &str,
        new: Option<i64>,
    ) -> Result<u64, sqlx::Error> {
        let query = sqlx::query(AssertSqlSafe(self.statements.make_room.clone())).bind(user).bind(new);
        Ok(query.persistent(false).execute(&mut **transaction).await?.rows_affected())
    }

    /// Runs a statement about a user, and returns how many rows it touched.
    async fn execute_for_user(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        statement: &str,
        user: &str,
    ) -> Result<u64, sqlx::Error> {
        let query = sqlx::query(AssertSqlSafe(statement.to_owned())).bind(user).persistent(false);
        Ok(query.execute(&mut **transaction).await?.rows_affected())
    }

    /// One simple-query message is a transaction of its own, also through a pooler.
    async fn fetch_session(&self, statement: String) -> Result<Option<Session>, StoreError> {
        let row = sqlx::raw_sql(AssertSqlSafe(statement)).fetch_optional(&self.pool).await?;
        Ok(row.as_ref().map(session).transpose()?)
    }
}

fn session(row: &PgRow) -> Result<Session, sqlx::Error> {
    let seconds: f64 = row.try_get(2)?;
    // Never means never: infinity is the longest there is.
    let expires_in = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
    Ok(Session { id: row.try_get(0)?, user: row.try_get(1)?, expires_in })
}

/// In seconds.
fn validate_ttl(ttl: Duration) -> Result<f64, StoreError> {
    if ttl.is_zero() || ttl > LONGEST { Err(StoreError::Lifetime(ttl)) } else { Ok(ttl.as_secs_f64()) }
}

/// Without what must not come into a log.
impl fmt::Debug for NewSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSession")
            .field("closed", &self.closed)
            .field("repairs", &self.repairs)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}
