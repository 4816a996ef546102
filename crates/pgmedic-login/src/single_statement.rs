//! The retry of an insert that is one statement, without a transaction around it: a healthy insert costs what it costs
//! alone.

use crate::repair::{RepairOutcome, repair_after_violation};
use crate::retry::{Attempt, MOST_RUNS};
use crate::types::{InlineRepairLimits, Repair, RetryOutcome};
use crate::unique_violation::UniqueViolation;
use sqlx::Error;
use sqlx::postgres::{PgConnection, PgPool};

/// Whether the error is a duplicate key of a table: only then can a sequence that is behind be its cause, and only then is
/// [`repair_after`] worth a look.
///
/// ```
/// use pgmedic_login::{is_duplicate_key, sqlx};
///
/// assert!(!is_duplicate_key(&sqlx::Error::RowNotFound));
/// ```
#[must_use]
pub fn is_duplicate_key(error: &Error) -> bool {
    UniqueViolation::from_error(error).is_some()
}

/// Moves the sequence past the taken ids, if `error` is a duplicate key that a sequence explains. None if it is not: then
/// return the error. Otherwise run the insert again, a few times at most; there are no repairs when another session made
/// them first.
///
/// Run it on the connection of the failed insert: outside a transaction, where it begins one, or after a rollback to a
/// savepoint, because the failed insert has aborted its transaction. Through a pooler in transaction mode use [`retry_after_repair`](crate::retry_after_repair), which keeps one server connection.
///
/// ```no_run
/// use pgmedic_login::sqlx::{self, PgConnection};
/// use pgmedic_login::{InlineRepairLimits, repair_after};
///
/// # async fn login(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
/// let insert = "INSERT INTO user_sessions (user_id) VALUES (7)";
/// let Err(error) = sqlx::query(insert).execute(&mut *connection).await else { return Ok(()) };
/// if repair_after(connection, &error, InlineRepairLimits::default()).await?.is_none() {
///     return Err(error);
/// }
/// sqlx::query(insert).execute(connection).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Those of beginning and ending the transaction.
pub async fn repair_after(
    connection: &mut PgConnection,
    error: &Error,
    limits: InlineRepairLimits,
) -> Result<Option<Vec<Repair>>, Error> {
    let Some(violation) = UniqueViolation::from_error(error) else { return Ok(None) };
    let mut scope = Attempt::begin(connection, limits).await?;
    let outcome = repair_after_violation(scope.connection(), &violation, &limits).await;
    scope.end(Ok(())).await?;
    Ok(match outcome {
        RepairOutcome::Retry(repairs) => Some(repairs),
        RepairOutcome::NotRepaired => None,
    })
}

/// Runs `insert`, which must be a single statement, without a transaction. If it fails with a duplicate key because a
/// sequence is behind, moves the sequence past the taken ids and runs it again, at most three times.
///
/// A healthy insert costs nothing more than itself. Otherwise the same as
/// [`retry_after_repair`](crate::retry_after_repair), which inserts of several statements, and poolers in transaction mode,
/// need.
///
/// ```no_run
/// use pgmedic_login::sqlx::{self, PgPool};
/// use pgmedic_login::{InlineRepairLimits, retry_statement_after_repair};
///
/// # async fn login(pool: PgPool, user: i32) -> Result<i32, sqlx::Error> {
/// let outcome = retry_statement_after_repair(&pool, InlineRepairLimits::default(), async move |connection| {
///     let insert = "INSERT INTO user_sessions (user_id) VALUES ($1) RETURNING session_id";
///     sqlx::query_scalar::<_, i32>(insert).bind(user).fetch_one(connection).await
/// })
/// .await?;
/// # Ok(outcome.value)
/// # }
/// ```
///
/// # Errors
///
/// The error of `insert`, unchanged, or one of getting a connection or of the repair's transaction.
pub async fn retry_statement_after_repair<T>(
    pool: &PgPool,
    limits: InlineRepairLimits,
    mut insert: impl AsyncFnMut(&mut PgConnection) -> Result<T, Error>,
) -> Result<RetryOutcome<T>, Error> {
    let mut connection = pool.acquire().await?;
    let (mut attempts, mut repairs) = (0, Vec::new());
    loop {
        attempts += 1;
        let error = match insert(&mut connection).await {
            Ok(value) => return Ok(RetryOutcome { value, attempts, repairs }),
            Err(error) => error,
        };
        if attempts == MOST_RUNS {
            return Err(error);
        }
        match repair_after(&mut connection, &error, limits).await? {
            Some(more) => repairs.extend(more),
            None => return Err(error),
        }
    }
}
