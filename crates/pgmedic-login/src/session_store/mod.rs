//! Keeps user sessions in a table: a login closes the user's older sessions and creates a new one, also when the
//! sequence is behind.
//!
//! | file | what is in it |
//! |---|---|
//! | `session_table.rs` | the table, its columns and the rules, as the application describes them |
//! | `catalog.rs`, `table_columns.sql` | compares that description with the database, once |
//! | `statements.rs` | the SQL made from it |
//! | `token.rs` | the client's secret and its hash |
//! | `error.rs` | errors |

mod catalog;
mod error;
mod session_table;
mod statements;
mod token;

pub use error::{SessionTableError, StoreError};
pub use session_table::{CloseAction, SessionTable, UserLock};
pub use token::Token;

use crate::own_transaction::{Held, OwnTransaction};
use crate::retry::{Attempt, RELEASE, SAVE};
use crate::types::Repair;
use sqlx::postgres::{PgPool, PgRow};
use sqlx::{AssertSqlSafe, Column, Row};
use statements::StoreSql;
use std::fmt;
use std::time::Duration;
use token::hash;

/// The longest lifetime. PostgreSQL's dates end at 294276.
const MAX_TTL: Duration = Duration::from_secs(1000 * 366 * 24 * 60 * 60);

/// A table of user sessions. Share it between requests in an `Arc`.
///
/// Only the SHA-256 of a token is stored. Sessions expire by the database's clock.
///
/// ```no_run
/// use pgmedic_login::sqlx::PgPool;
/// use pgmedic_login::{SessionStore, SessionTable, StoreError};
/// use std::time::Duration;
///
/// # async fn login(pool: PgPool) -> Result<(), StoreError> {
/// let half_an_hour = Duration::from_secs(1800);
/// let store = SessionStore::open(pool, SessionTable::default()).await?;
/// let login = store.create_session(7, half_an_hour).await?;
/// let cookie = login.token.expose();
/// if let Some(session) = store.touch(cookie, half_an_hour).await? {
///     println!("user {} for another {:?}", session.user, session.expires_in);
/// }
/// store.revoke(cookie).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SessionStore {
    pool: PgPool,
    table: SessionTable,
    statements: StoreSql,
}

/// A session that a login created. `Debug` shows neither its id nor its token.
#[non_exhaustive]
pub struct NewSession {
    /// The key of its row.
    pub id: i64,
    /// The secret for the client. It cannot be read again later.
    pub token: Token,
    /// How many older sessions of the user were closed, including expired ones that were deleted.
    pub closed: u64,
    /// The sequences that were moved, usually none.
    pub repairs: Vec<Repair>,
}

/// A live session. `Debug` shows neither its id nor its user.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Session {
    /// The key of its row.
    pub id: i64,
    /// The user's key, as the server writes it as text.
    pub user: String,
    /// The time until it expires, by the database's clock; [`Duration::MAX`] if it never does.
    pub expires_in: Duration,
}

impl SessionStore {
    /// Opens the store, and checks that the tables, columns, types and indexes exist that it needs.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnusableTable`] names what is missing, and how to add it. [`StoreError::Lifetime`] if
    /// [`max_age`](SessionTable::max_age) is 0 or above 1000 years. [`StoreError::Database`] otherwise.
    pub async fn open(pool: PgPool, table: SessionTable) -> Result<Self, StoreError> {
        if let Some(max_age) = table.max_age {
            validate_ttl(max_age)?;
        }
        let names = catalog::check(&table, &pool).await?;
        let statements = StoreSql::new(&table, names);
        Ok(Self { pool, table, statements })
    }

    /// Creates a session that lives for `ttl`, and closes the user's oldest sessions beyond
    /// [`max_sessions_per_user`](SessionTable::max_sessions_per_user), in one transaction. Logins of one user wait for
    /// each other. If the sequence is behind, it is repaired as by [`retry_after_repair`](crate::retry_after_repair).
    ///
    /// `user` is sent as text, and the server reads it as the column's type: a number, a UUID, or a name.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownUser`]; [`StoreError::Lifetime`] if `ttl` is 0 or above 1000 years; the database's error.
    /// Nothing is changed then.
    pub async fn create_session(&self, user: impl fmt::Display, ttl: Duration) -> Result<NewSession, StoreError> {
        let ttl = validate_ttl(self.table.max_age.map_or(ttl, |max_age| max_age.min(ttl)))?;
        let user = storable(user)?;
        let token = Token::generate()?;
        let hash = hash(token.expose());
        // Two round trips: BEGIN, the lock and the insert; what follows it, and COMMIT.
        let mut transaction = OwnTransaction::new(Held::Pool(self.pool.acquire().await?));
        // Rows are deleted after the insert: if the row with the max id were deleted before it, a repair would not see
        // that id, and the sequence would hand it out again. Rows that stay are closed before the insert, because a
        // unique index may limit the live sessions of a user.
        let deletes = self.table.deletes();
        let mut insert = self.statements.insert(&user, &hash, ttl);
        if !deletes {
            insert = format!("{}; {insert}", self.statements.close_excess(&user, None));
        }
        let mut statements = format!("{}; {}; {SAVE}; {insert}", self.statements.begin, self.statements.lock(&user));
        let mut attempt = Attempt::with_savepoint(&mut transaction, self.table.limits);
        let rows = loop {
            match sqlx::raw_sql(AssertSqlSafe(statements)).fetch_all(attempt.connection()).await {
                Ok(rows) => break rows,
                Err(error) => attempt = attempt.retry_after(error).await?,
            }
            statements = insert.clone();
        };
        let repairs = attempt.into_repairs();
        let Some(id) = rows.iter().find_map(|row| row.try_get::<i64, _>("id").ok()) else {
            // The transaction is dropped.
            return Err(StoreError::UnknownUser);
        };
        let mut closed = count_closed(&rows);
        let last = if deletes { format!("; {}", self.statements.close_excess(&user, Some(id))) } else { String::new() };
        // RELEASE fails in an aborted transaction, in which COMMIT would roll back without an error.
        let last = AssertSqlSafe(format!("{RELEASE}{last}; COMMIT"));
        closed += count_closed(&transaction.commit_by(last).await?);
        Ok(NewSession { id, token, closed, repairs })
    }

    /// The live session of a token. None if it has expired, was closed, or never existed.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn find(&self, token: &str) -> Result<Option<Session>, StoreError> {
        self.fetch_session(self.statements.find(&hash(token))).await
    }

    /// Lets a live session expire `ttl` from now, but not later than [`max_age`](SessionTable::max_age) after its
    /// creation. None if it is not live; a session that has ended stays ended.
    ///
    /// # Errors
    ///
    /// [`StoreError::Lifetime`] if `ttl` is 0 or above 1000 years; the database's error.
    pub async fn touch(&self, token: &str, ttl: Duration) -> Result<Option<Session>, StoreError> {
        validate_ttl(ttl)?;
        self.fetch_session(self.statements.touch(&hash(token), ttl)).await
    }

    /// Closes the session of a token, and returns whether there was one that was not closed.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn revoke(&self, token: &str) -> Result<bool, StoreError> {
        let statement = AssertSqlSafe(self.statements.revoke(&hash(token)));
        Ok(sqlx::raw_sql(statement).execute(&self.pool).await?.rows_affected() > 0)
    }

    /// Closes every session of a user, and returns how many. The session of a concurrent login is either closed too, or
    /// created afterwards.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownUser`]; the database's error.
    pub async fn revoke_all(&self, user: impl fmt::Display) -> Result<u64, StoreError> {
        let user = storable(user)?;
        let mut transaction = self.begin().await?;
        let lock = AssertSqlSafe(self.statements.lock(&user));
        if sqlx::raw_sql(lock).fetch_all(&mut *transaction).await?.is_empty() {
            transaction.rollback().await?;
            return Err(StoreError::UnknownUser);
        }
        let close = AssertSqlSafe(self.statements.close_all(&user));
        let closed = sqlx::raw_sql(close).execute(&mut *transaction).await?.rows_affected();
        transaction.commit().await?;
        Ok(closed)
    }

    /// Begins a transaction in which each statement sees what other logins did before it.
    async fn begin(&self) -> Result<OwnTransaction<'static>, sqlx::Error> {
        let connection = Held::Pool(self.pool.acquire().await?);
        OwnTransaction::begin(connection, AssertSqlSafe(self.statements.begin.clone())).await
    }

    /// Sends one simple-query message: a complete transaction, also through a pooler.
    async fn fetch_session(&self, statement: String) -> Result<Option<Session>, StoreError> {
        let row = sqlx::raw_sql(AssertSqlSafe(statement)).fetch_optional(&self.pool).await?;
        Ok(row.as_ref().map(read_session).transpose()?)
    }
}

/// The user's key as text. No column of the server holds a zero byte, and so no such user.
fn storable(user: impl fmt::Display) -> Result<String, StoreError> {
    let user = user.to_string();
    if user.contains('\0') { Err(StoreError::UnknownUser) } else { Ok(user) }
}

/// How many sessions the statements have closed: each returned a row.
fn count_closed(rows: &[PgRow]) -> u64 {
    rows.iter().filter(|row| row.columns().first().is_some_and(|column| column.name() == "closed")).count() as u64
}

fn read_session(row: &PgRow) -> Result<Session, sqlx::Error> {
    let seconds: f64 = row.try_get(2)?;
    // An expiry of `infinity` does not fit a Duration.
    let expires_in = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
    Ok(Session { id: row.try_get(0)?, user: row.try_get(1)?, expires_in })
}

/// The seconds of a time to live.
fn validate_ttl(ttl: Duration) -> Result<f64, StoreError> {
    if ttl.is_zero() || ttl > MAX_TTL { Err(StoreError::Lifetime(ttl)) } else { Ok(ttl.as_secs_f64()) }
}

// Ids and tokens must not appear in a log.
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
