//! An insert that heals itself: a duplicate key that comes from a sequence that is behind is mended, and the insert
//! run again.

use super::mend::{Cure, cure};
use super::refusal::Refusal;
use crate::db::Bounds;
use futures_util::future::BoxFuture;
use sqlx::postgres::{PgConnection, PgPool, Postgres};
use sqlx::{Connection, Error, Transaction};
use std::time::Duration;

/// How often an insert is run again. Each time somebody else must have set the sequence back, or have inserted ids
/// past it, in the moment before.
const RETRIES: u32 = 3;

/// How far healing may go while a login waits for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Most values of the sequence that are handed out at once to close a gap: 100 000 take about 30 ms. Wider gaps
    /// are left to the agent, and the error is passed on.
    pub advance_limit: u32,
    /// Largest share of the values left that may be used, 0 to 1: one odd id near the limit must not burn a sequence.
    pub max_leap_ratio: f64,
    /// The longest that a look waits for a lock; the look at a table waits for nothing but `ACCESS EXCLUSIVE`.
    pub lock_timeout: Duration,
    /// The longest that each of its few statements may take.
    pub statement_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            advance_limit: 100_000,
            max_leap_ratio: 0.5,
            lock_timeout: Duration::from_millis(100),
            statement_timeout: Duration::from_secs(1),
        }
    }
}

impl Limits {
    pub(super) fn bounds(&self) -> Bounds {
        Bounds { lock: self.lock_timeout, statement: self.statement_timeout }
    }
}

/// What the insert returned, and what it took to get there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Healed<T> {
    pub value: T,
    /// How often the insert was run: 1 when there was nothing to heal. More runs than repairs: somebody else was
    /// quicker to mend.
    pub runs: u32,
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
/// `at` is a pool, a connection, or a transaction that was begun through sqlx. Outside of a
/// transaction `insert` gets one of its own, which is committed when it succeeds. Inside, it runs in a savepoint: what
/// was done before it remains, whatever happens. So `insert` may consist of several statements; they must run on the
/// connection that it is given. Right through a transaction-mode pooler, as far as `insert` is (`persistent(false)`).
///
/// The role needs what the insert needs, and `SELECT` on the sequence and on the columns that it feeds; without, or
/// beyond `limits`, nothing is moved, the error is passed on, and a warning says what to do. Inside a transaction that
/// is `REPEATABLE READ` or `SERIALIZABLE`, ids that were inserted since it began are not seen, and so not healed.
///
/// # Errors
///
/// Those of `insert`, unchanged; and those of beginning and ending the transaction or savepoint.
pub async fn heal_and_retry<'c, T>(
    at: impl Into<Place<'c>>,
    limits: Limits,
    insert: impl AsyncFnMut(&mut PgConnection) -> Result<T, Error>,
) -> Result<Healed<T>, Error> {
    match at.into() {
        Place::Pool(pool) => {
            // Boxed, so that the whole can be proved to be `Send`.
            let connection: BoxFuture<'static, _> = Box::pin(pool.acquire());
            on(&mut *connection.await?, limits, insert).await
        }
        Place::Connection(connection) => on(connection, limits, insert).await,
    }
}

/// Where an insert runs. (sqlx's own `Acquire` makes futures that cannot be proved to be `Send`.)
#[derive(Debug)]
pub enum Place<'c> {
    Pool(&'c PgPool),
    Connection(&'c mut PgConnection),
}

impl<'c> From<&'c PgPool> for Place<'c> {
    fn from(pool: &'c PgPool) -> Self {
        Self::Pool(pool)
    }
}

impl<'c> From<&'c mut PgConnection> for Place<'c> {
    fn from(connection: &'c mut PgConnection) -> Self {
        Self::Connection(connection)
    }
}

impl<'c> From<&'c mut Transaction<'_, Postgres>> for Place<'c> {
    fn from(transaction: &'c mut Transaction<'_, Postgres>) -> Self {
        Self::Connection(transaction)
    }
}

async fn on<T>(
    connection: &mut PgConnection,
    limits: Limits,
    insert: impl AsyncFnMut(&mut PgConnection) -> Result<T, Error>,
) -> Result<Healed<T>, Error> {
    if connection.is_in_transaction() {
        sqlx::raw_sql(SAVE).execute(&mut *connection).await?;
        let result = run(connection, limits, insert).await;
        let end = sqlx::raw_sql(if result.is_ok() { RELEASE } else { UNDO }).execute(connection).await;
        return result.and_then(|healed| end.map(|_| healed));
    }
    let mut transaction = connection.begin_with(BEGIN).await?;
    let healed = run(&mut transaction, limits, insert).await?;
    transaction.commit().await?;
    Ok(healed)
}

/// The savepoint holds a pooler to one server connection between a failed run and the next, for the price of no round
/// trip.
const BEGIN: &str = "/* pgmedic:insert */ BEGIN; SAVEPOINT pgmedic_insert";
const SAVE: &str = "/* pgmedic:insert */ SAVEPOINT pgmedic_insert";
const RELEASE: &str = "/* pgmedic:insert */ RELEASE SAVEPOINT pgmedic_insert";
/// Leaves a transaction as it was before.
const UNDO: &str = "/* pgmedic:insert */ ROLLBACK TO SAVEPOINT pgmedic_insert; RELEASE SAVEPOINT pgmedic_insert";

/// Inside the savepoint, which it leaves behind.
async fn run<T>(
    connection: &mut PgConnection,
    limits: Limits,
    mut insert: impl AsyncFnMut(&mut PgConnection) -> Result<T, Error>,
) -> Result<Healed<T>, Error> {
    let mut repairs = Vec::new();
    let mut runs = 0;
    loop {
        runs += 1;
        let error = match insert(connection).await {
            Ok(value) => return Ok(Healed { value, runs, repairs }),
            Err(error) => error,
        };
        let Some(refusal) = Refusal::of(&error).filter(|_| runs <= RETRIES) else { return Err(error) };
        match cure(connection, &refusal, &limits).await {
            Cure::None => return Err(error),
            Cure::Again(moved) => repairs.extend(moved),
        }
    }
}
