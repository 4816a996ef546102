//! An insert that repairs itself: a duplicate key that comes from a sequence that is behind is repaired, and the insert
//! run again.

use crate::repair::{RepairOutcome, repair_after_violation};
use crate::unique_violation::UniqueViolation;
use pgmedic_core::Timeouts;
use sqlx::postgres::{PgConnection, PgPool, Postgres};
use sqlx::{Connection, Error, Row, Transaction};
use std::time::Duration;

/// How often an insert is run again. Each further time, somebody must have set the sequence back, or have inserted ids
/// past it, in the moment before.
const RETRIES: u32 = 3;

/// How far repairing may go while a login waits for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InlineRepairLimits {
    /// Most values of the sequence that are handed out at once to close a gap: 100 000 take about 30 ms. Wider gaps
    /// are left to the agent, and the error is passed on.
    pub advance_limit: u32,
    /// Largest share of the values left that may be used, 0 to 1: one odd id near the limit must not burn a sequence.
    pub max_repair_ratio: f64,
    /// The longest that a look waits for a lock; the look at a table waits for nothing but `ACCESS EXCLUSIVE`.
    pub lock_timeout: Duration,
    /// The longest that each of its few statements may take.
    pub statement_timeout: Duration,
}

impl Default for InlineRepairLimits {
    fn default() -> Self {
        Self {
            advance_limit: 100_000,
            max_repair_ratio: 0.5,
            lock_timeout: Duration::from_millis(100),
            statement_timeout: Duration::from_secs(1),
        }
    }
}

impl InlineRepairLimits {
    pub(super) fn bounds(&self) -> Timeouts {
        Timeouts { lock: self.lock_timeout, statement: self.statement_timeout }
    }
}

/// What the insert returned, and what it took to get there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryOutcome<T> {
    pub value: T,
    /// How often the insert was run: 1 when there was nothing to repair. More runs than repairs: somebody else was
    /// quicker to repair.
    pub attempts: u32,
    /// Sequences that were moved for it, in order.
    pub repairs: Vec<Repair>,
}

/// A sequence that was moved forward, as its own `nextval` does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// Schema-qualified, quoted as SQL needs it.
    pub sequence: String,
    /// What `nextval` would have returned before.
    pub from: i64,
    /// The last value that was handed out and thrown away: the insert gets one beyond it.
    pub to: i64,
}

/// Runs `insert`, and when it meets a duplicate key because a sequence is behind, moves the sequence past the ids that
/// are there and runs `insert` again, three times at most.
///
/// That is the case when the violated constraint or index is unique and covers exactly one column that a sequence
/// feeds by the catalog, and that sequence is behind the ids in its columns, or was when it handed out this one.
/// The sequence is moved by `nextval` alone, which cannot move it back and locks nothing, on the same connection,
/// so that values that this session has cached are used up too. Every other error, a duplicate of anything else
/// above all, is returned as it came, after a single run.
///
/// `at` is a pool, a connection, or a transaction, begun through sqlx or by `BEGIN`. Outside of a transaction `insert`
/// gets one of its own, which is committed when it succeeds. Inside, it runs in a savepoint: what was done before it
/// remains, whatever happens. **Roll back after cancelling**: a call that is dropped before it has returned may leave
/// the caller's transaction with that savepoint and with settings of the repair's. So `insert` may consist of several statements; they must run on the
/// connection that it is given. Right through a transaction-mode pooler, as far as `insert` is (`persistent(false)`).
///
/// The role needs what the insert needs, and `SELECT` on the sequence and on the columns that it feeds; without, or
/// beyond `limits`, nothing is moved, the error is passed on, and a warning says what to do. Inside a transaction that
/// is `REPEATABLE READ` or `SERIALIZABLE`, ids that were inserted since it began are not seen, and so not repaired.
///
/// # Errors
///
/// Those of `insert`, unchanged; and those of beginning and ending the transaction or savepoint: an `insert` that keeps
/// an error of the server's to itself ends in one.
pub async fn retry_after_repair<'c, T>(
    at: impl Into<RetryTarget<'c>>,
    limits: InlineRepairLimits,
    mut insert: impl AsyncFnMut(&mut PgConnection) -> Result<T, Error>,
) -> Result<RetryOutcome<T>, Error> {
    let mut attempt = Attempt::begin(at, limits).await?;
    loop {
        let result = insert(attempt.connection()).await;
        match attempt.end(result).await? {
            AttemptOutcome::Done(repaired) => return Ok(repaired),
            AttemptOutcome::Retry(another) => attempt = another,
        }
    }
}

/// Where an insert runs. (sqlx's own `Acquire` makes futures that cannot be proved to be `Send`.)
#[derive(Debug)]
pub enum RetryTarget<'c> {
    Pool(&'c PgPool),
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

/// What [`retry_after_repair`] does, step by step, for inserts that borrow what a closure could not (the compiler cannot
/// prove every future that calls an async closure to be `Send`, as `tokio::spawn` and web handlers need it).
///
/// ```no_run
/// # async fn login(pool: &sqlx::PgPool, user: i64) -> Result<i64, sqlx::Error> {
/// use pgmedic::login::{Attempt, Limits, Next};
///
/// let mut attempt = Attempt::begin(pool, Limits::default()).await?;
/// let repaired = loop {
///     let insert = sqlx::query_scalar("INSERT INTO user_sessions (user_id) VALUES ($1) RETURNING session_id");
///     let result = insert.bind(user).persistent(false).fetch_one(attempt.connection()).await;
///     match attempt.end(result).await? {
///         Next::Done(repaired) => break repaired,
///         Next::Again(another) => attempt = another,
///     }
/// };
/// # Ok(repaired.value)
/// # }
/// ```
#[derive(Debug)]
pub struct Attempt<'c> {
    work: AttemptScope<'c>,
    limits: InlineRepairLimits,
    runs: u32,
    repairs: Vec<Repair>,
}

/// How an attempt ended.
#[derive(Debug)]
pub enum AttemptOutcome<'c, T> {
    /// It succeeded, and is committed where the transaction is its own.
    Done(RetryOutcome<T>),
    /// What it met is repaired: do it again, on this one's connection.
    Retry(Attempt<'c>),
}

/// Inside a savepoint.
#[derive(Debug)]
enum AttemptScope<'c> {
    /// Of a transaction of our own.
    Own(Transaction<'c, Postgres>),
    /// Of the caller's transaction.
    Nested(&'c mut PgConnection),
}

/// The savepoint holds a pooler to one server connection between a failed run and the next.
const BEGIN: &str = "/* pgmedic:insert */ BEGIN; SAVEPOINT pgmedic_insert";
const SAVE: &str = "SAVEPOINT pgmedic_insert";
const RELEASE: &str = "RELEASE SAVEPOINT pgmedic_insert";
const BEGUN: &str = "/* pgmedic:insert */ SELECT pg_catalog.statement_timestamp() OPERATOR(pg_catalog.<>) \
                     pg_catalog.transaction_timestamp()";
/// Leaves a transaction as it was before.
const UNDO: &str = "ROLLBACK TO SAVEPOINT pgmedic_insert; RELEASE SAVEPOINT pgmedic_insert";

impl<'c> Attempt<'c> {
    /// Begins a transaction, or a savepoint inside the caller's.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn begin(at: impl Into<RetryTarget<'c>>, limits: InlineRepairLimits) -> Result<Self, Error> {
        let work = match at.into() {
            RetryTarget::Pool(pool) => AttemptScope::Own(pool.begin_with(BEGIN).await?),
            RetryTarget::Connection(connection) => {
                if connection.is_in_transaction() || in_raw_transaction(connection).await? {
                    send(connection, SAVE).await?;
                    AttemptScope::Nested(connection)
                } else {
                    AttemptScope::Own(connection.begin_with(BEGIN).await?)
                }
            }
        };
        Ok(Self { work, limits, runs: 0, repairs: Vec::new() })
    }

    /// Where the insert must run.
    pub fn connection(&mut self) -> &mut PgConnection {
        match &mut self.work {
            AttemptScope::Own(transaction) => transaction,
            AttemptScope::Nested(connection) => connection,
        }
    }

    /// Takes what the insert returned.
    ///
    /// # Errors
    ///
    /// The insert's own, unless it was drift that could be repaired; then nothing of it remains. Or the database's, when
    /// it could not be committed.
    pub async fn end<T>(mut self, result: Result<T, Error>) -> Result<AttemptOutcome<'c, T>, Error> {
        self.runs += 1;
        let error = match result {
            Ok(value) => {
                // COMMIT would not tell that the transaction is aborted: it rolls back, and succeeds.
                if let Err(error) = send(self.connection(), RELEASE).await {
                    self.undo().await;
                    return Err(error);
                }
                if let AttemptScope::Own(transaction) = self.work {
                    transaction.commit().await?;
                }
                return Ok(AttemptOutcome::Done(RetryOutcome { value, attempts: self.runs, repairs: self.repairs }));
            }
            Err(error) => error,
        };
        if let Some(refusal) = UniqueViolation::from_error(&error).filter(|_| self.runs <= RETRIES) {
            let limits = self.limits;
            if let RepairOutcome::Again(moved) = repair_after_violation(self.connection(), &refusal, &limits).await {
                self.repairs.extend(moved);
                return Ok(AttemptOutcome::Retry(self));
            }
        }
        self.undo().await;
        Err(error)
    }

    /// The error that led here is worth more than one about undoing it.
    async fn undo(self) {
        let _ = match self.work {
            AttemptScope::Own(transaction) => transaction.rollback().await,
            AttemptScope::Nested(connection) => send(connection, UNDO).await,
        };
    }
}

/// Whether a transaction is open that sqlx does not know of: one of our own would be the caller's, and be committed.
/// A transaction begins with its first message, to the microsecond.
async fn in_raw_transaction(connection: &mut PgConnection) -> Result<bool, Error> {
    let row = sqlx::raw_sql(BEGUN).fetch_one(connection).await?;
    row.try_get(0)
}

async fn send(connection: &mut PgConnection, statements: &'static str) -> Result<(), Error> {
    sqlx::raw_sql(statements).execute(connection).await.map(drop)
}
