//! Runs an insert, and again after a repair when its id was taken because a sequence is behind.

use crate::own_transaction::{Held, OwnTransaction};
use crate::repair::{RepairOutcome, repair_after_violation};
use crate::types::{InlineRepairLimits, Repair, RetryOutcome};
use crate::unique_violation::UniqueViolation;
use sqlx::postgres::{PgConnection, PgPool, Postgres};
use sqlx::{Connection, Error, Row, Transaction};

/// How often an insert is run again. A second retry is needed only if another session moved the sequence back, or
/// inserted ids past it, since the repair before.
pub(crate) const RETRIES: u32 = 3;
/// How often an insert runs at most.
pub(crate) const MOST_RUNS: u32 = 1 + RETRIES;

/// Runs `insert`. If it fails with a duplicate key because a sequence is behind, moves the sequence past the taken ids
/// and runs `insert` again, at most three times.
///
/// ```no_run
/// use pgmedic_login::sqlx::{self, PgPool};
/// use pgmedic_login::{InlineRepairLimits, retry_after_repair};
///
/// # async fn login(pool: PgPool, user: i32) -> Result<i32, sqlx::Error> {
/// let outcome = retry_after_repair(&pool, InlineRepairLimits::default(), async move |connection| {
///     let insert = "INSERT INTO user_sessions (user_id) VALUES ($1) RETURNING session_id";
///     sqlx::query_scalar::<_, i32>(insert).bind(user).fetch_one(connection).await
/// })
/// .await?;
/// # Ok(outcome.value)
/// # }
/// ```
///
/// # The insert
///
/// `insert` may consist of several statements. All of them must run on the connection that it is given. Write it as
/// `async move |connection| …`: the compiler then proves the future to be `Send`, as `tokio::spawn` and web handlers
/// require. [`Attempt`] is the same procedure for inserts that cannot own what they use.
///
/// `at` is a pool, a connection, or a transaction, begun through sqlx or with `BEGIN`. Outside a transaction, `insert`
/// gets a new one, which is committed when it succeeds; it must not begin or end a transaction itself, also not through
/// sqlx. Inside a transaction, it runs in a savepoint, and everything that was done before the call remains, whether it
/// succeeds or fails.
///
/// **Roll back after cancelling**: a call that is dropped before it returns may leave the caller's transaction with the
/// savepoint and with settings of the repair, such as `search_path` and `lock_timeout`.
///
/// A pooler in transaction mode is supported, if `insert` supports it (`persistent(false)`).
///
/// # The repair
///
/// A duplicate key is repaired if the violated constraint or index is unique and covers exactly one column, which a
/// sequence feeds according to the catalog, and if that sequence is behind the ids in its columns, or was when it handed
/// out this id. The repair calls `nextval` on the same connection: it cannot move the sequence back, takes no lock, and
/// also uses up values that this connection has cached. Every other error is returned as it is, after a single run.
///
/// The role needs the privileges of the insert, and `SELECT` on the sequence and on the columns that it feeds. Without
/// them, or beyond `limits`, nothing is moved, the error is returned, and a warning says what to do. In a transaction
/// that is `REPEATABLE READ` or `SERIALIZABLE`, ids that were inserted after it began are not visible, and so are not
/// repaired.
///
/// # Errors
///
/// The error of `insert`, unchanged, or one of beginning or ending the transaction or savepoint. An `insert` that
/// returns `Ok` although a statement failed, or that ended the transaction, ends in the latter.
pub async fn retry_after_repair<'c, T>(
    at: impl Into<RetryTarget<'c>>,
    limits: InlineRepairLimits,
    mut insert: impl AsyncFnMut(&mut PgConnection) -> Result<T, Error>,
) -> Result<RetryOutcome<T>, Error> {
    let mut attempt = Attempt::begin(at, limits).await?;
    loop {
        let result = insert(attempt.connection()).await;
        match attempt.end(result).await? {
            AttemptOutcome::Done(outcome) => return Ok(outcome),
            AttemptOutcome::Retry(next) => attempt = next,
        }
    }
}

/// Where an insert runs. A pool, a connection or a transaction converts into it.
// A bound on sqlx's `Acquire` would make futures that are not provably `Send`.
#[derive(Debug)]
#[non_exhaustive]
pub enum RetryTarget<'c> {
    /// A connection of the pool, in a new transaction.
    Pool(&'c PgPool),
    /// This connection, in its transaction if it is in one, or in a new one.
    Connection(&'c mut PgConnection),
}

impl<'c> From<&'c PgPool> for RetryTarget<'c> {
    fn from(pool: &'c PgPool) -> Self {
        Self::Pool(pool)
    }
}

impl<'c> From<&'c mut PgConnection> for RetryTarget<'c> {
    fn from(connection: &'c mut PgConnection) -> Self {
        Self::Connection(connection)
    }
}

impl<'c> From<&'c mut Transaction<'_, Postgres>> for RetryTarget<'c> {
    fn from(transaction: &'c mut Transaction<'_, Postgres>) -> Self {
        Self::Connection(transaction)
    }
}

/// The procedure of [`retry_after_repair`] step by step, for inserts that borrow more than an `async move` closure can
/// own.
///
/// ```no_run
/// use pgmedic_login::sqlx::{self, PgPool};
/// use pgmedic_login::{Attempt, AttemptOutcome, InlineRepairLimits};
///
/// # async fn login(pool: &PgPool, user: &str) -> Result<i64, sqlx::Error> {
/// let mut attempt = Attempt::begin(pool, InlineRepairLimits::default()).await?;
/// let outcome = loop {
///     let insert = sqlx::query_scalar("INSERT INTO user_sessions (user_name) VALUES ($1) RETURNING session_id");
///     let result = insert.bind(user).persistent(false).fetch_one(attempt.connection()).await;
///     match attempt.end(result).await? {
///         AttemptOutcome::Done(outcome) => break outcome,
///         AttemptOutcome::Retry(next) => attempt = next,
///     }
/// };
/// # Ok(outcome.value)
/// # }
/// ```
///
/// Roll back the caller's transaction after dropping an attempt that has not ended.
#[derive(Debug)]
pub struct Attempt<'c> {
    scope: AttemptScope<'c>,
    limits: InlineRepairLimits,
    runs: u32,
    repairs: Vec<Repair>,
}

/// How an attempt ended.
#[derive(Debug)]
pub enum AttemptOutcome<'c, T> {
    /// The insert succeeded. If the attempt began the transaction, it is committed.
    Done(RetryOutcome<T>),
    /// The sequence is repaired: run the insert again, on the connection of this attempt.
    Retry(Attempt<'c>),
}

/// The transaction in which the savepoint is.
#[derive(Debug)]
enum AttemptScope<'c> {
    /// The attempt began it, and ends it.
    Own(OwnTransaction<'c>),
    /// The caller began it.
    Nested(&'c mut PgConnection),
}

/// Begins with a savepoint too: its transaction keeps a pooler on one server connection between a failed run and the
/// next.
const BEGIN: &str = "/* pgmedic:insert */ BEGIN; SAVEPOINT pgmedic_insert";
pub(crate) const SAVE: &str = "SAVEPOINT pgmedic_insert";
pub(crate) const RELEASE: &str = "RELEASE SAVEPOINT pgmedic_insert";
/// Begins likewise, and returns whether the caller had begun a transaction with a plain `BEGIN`, of which sqlx does not know:
/// this one is the caller's then, and the server warns of the second `BEGIN`. Outside a transaction, both timestamps are
/// those of this message.
const BEGIN_UNLESS_BEGUN: &str = "/* pgmedic:insert */ SELECT pg_catalog.statement_timestamp() \
                                  OPERATOR(pg_catalog.<>) pg_catalog.transaction_timestamp(); \
                                  BEGIN; SAVEPOINT pgmedic_insert";
/// RELEASE fails in an aborted transaction, in which COMMIT would roll back without an error.
const COMMIT: &str = "RELEASE SAVEPOINT pgmedic_insert; COMMIT";
/// Returns the caller's transaction to the state before the attempt.
const UNDO: &str = "ROLLBACK TO SAVEPOINT pgmedic_insert; RELEASE SAVEPOINT pgmedic_insert";

impl<'c> Attempt<'c> {
    /// Begins a transaction, or a savepoint inside the caller's.
    ///
    /// # Errors
    ///
    /// Those of getting a connection, and the database's.
    pub async fn begin(at: impl Into<RetryTarget<'c>>, limits: InlineRepairLimits) -> Result<Self, Error> {
        let scope = match at.into() {
            RetryTarget::Pool(pool) => {
                AttemptScope::Own(OwnTransaction::begin(Held::Pool(pool.acquire().await?), BEGIN).await?)
            }
            RetryTarget::Connection(connection) => {
                if connection.is_in_transaction() {
                    send(connection, SAVE).await?;
                    AttemptScope::Nested(connection)
                } else if begin_unless_begun(connection).await? {
                    AttemptScope::Own(OwnTransaction::new(Held::Borrowed(connection)))
                } else {
                    AttemptScope::Nested(connection)
                }
            }
        };
        Ok(Self { scope, limits, runs: 0, repairs: Vec::new() })
    }

    /// The connection on which the insert must run.
    pub fn connection(&mut self) -> &mut PgConnection {
        match &mut self.scope {
            AttemptScope::Own(transaction) => transaction,
            AttemptScope::Nested(connection) => connection,
        }
    }

    /// Ends the attempt with what the insert returned.
    ///
    /// # Errors
    ///
    /// The insert's error, unless it was repaired; nothing of the insert remains then. Or the database's, when the
    /// insert could not be committed.
    pub async fn end<T>(self, result: Result<T, Error>) -> Result<AttemptOutcome<'c, T>, Error> {
        let value = match result {
            Ok(value) => value,
            Err(error) => return self.retry_after(error).await.map(AttemptOutcome::Retry),
        };
        match self.scope {
            AttemptScope::Own(transaction) => {
                transaction.commit_by(COMMIT).await.map_err(explain_ended_transaction)?;
            }
            AttemptScope::Nested(connection) => {
                if let Err(error) = send(connection, RELEASE).await {
                    // This error is the one to return.
                    let _ = send(connection, UNDO).await;
                    return Err(error);
                }
            }
        }
        Ok(AttemptOutcome::Done(RetryOutcome { value, attempts: self.runs + 1, repairs: self.repairs }))
    }

    /// The next attempt, after a run that failed with `error`: or that error, unless it was repaired.
    pub(crate) async fn retry_after(mut self, error: Error) -> Result<Self, Error> {
        self.runs += 1;
        let violation = if self.runs <= RETRIES { UniqueViolation::from_error(&error) } else { None };
        if let Some(violation) = violation {
            let limits = self.limits;
            match repair_after_violation(self.connection(), &violation, &limits).await {
                RepairOutcome::Retry(repairs) => {
                    self.repairs.extend(repairs);
                    return Ok(self);
                }
                RepairOutcome::NotRepaired => {}
            }
        }
        self.undo().await;
        Err(error)
    }

    /// An attempt in the caller's transaction, whose first statements set the savepoint.
    pub(crate) fn with_savepoint(connection: &'c mut PgConnection, limits: InlineRepairLimits) -> Self {
        Self { scope: AttemptScope::Nested(connection), limits, runs: 0, repairs: Vec::new() }
    }

    /// Ends an attempt whose caller releases the savepoint. Returns what was repaired.
    pub(crate) fn into_repairs(self) -> Vec<Repair> {
        self.repairs
    }

    /// Ignores an error, because the one that led here is returned.
    async fn undo(self) {
        let _ = match self.scope {
            AttemptScope::Own(transaction) => transaction.rollback().await,
            AttemptScope::Nested(connection) => send(connection, UNDO).await,
        };
    }
}

/// A transaction with the savepoint in which a repair works.
pub(crate) async fn begin_scope(connection: &mut PgConnection) -> Result<OwnTransaction<'_>, Error> {
    OwnTransaction::begin(Held::Borrowed(connection), BEGIN).await
}

/// Begins a transaction, unless the caller has begun one with a plain `BEGIN`, and sets the savepoint. Returns whether it
/// began one.
async fn begin_unless_begun(connection: &mut PgConnection) -> Result<bool, Error> {
    // While the answer is on its way, the transaction is rolled back if this future is dropped.
    let mut transaction = OwnTransaction::new(Held::Borrowed(connection));
    let result = sqlx::raw_sql(BEGIN_UNLESS_BEGUN).fetch_all(&mut *transaction).await;
    // If the server refused the message, it began nothing.
    transaction.keep();
    let is_begun: bool = result?.first().ok_or(Error::RowNotFound)?.try_get(0)?;
    Ok(!is_begun)
}

/// Says what to do about an insert that ended the transaction that it ran in.
fn explain_ended_transaction(error: Error) -> Error {
    let code = error.as_database_error().and_then(|error| error.code());
    if code.as_deref() != Some("25P01") {
        return error;
    }
    Error::InvalidArgument(
        "the insert committed or rolled back the transaction that it ran in: call retry_after_repair with a transaction \
         of yours, in which an insert may begin others, or let the insert begin and end none"
            .to_owned(),
    )
}

async fn send(connection: &mut PgConnection, statements: &'static str) -> Result<(), Error> {
    sqlx::raw_sql(statements).execute(connection).await.map(drop)
}
