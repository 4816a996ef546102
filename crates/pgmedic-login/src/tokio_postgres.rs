//! The retry for applications that use tokio-postgres, also through a pool such as deadpool-postgres.
//!
//! It calls `pgmedic.repair`, which `pgmedic sql install` installs: the role needs `EXECUTE` on it, and no privilege to read
//! the sequence. Works through a pooler in transaction mode as far as the insert does.

use crate::repair::warn_not_repaired;
use crate::retry::RETRIES;
use ::tokio_postgres::error::{DbError, SqlState};
use ::tokio_postgres::types::Type;
use ::tokio_postgres::{Error, GenericClient, Transaction};

const REPAIR: &str = "/* pgmedic:insert */ SELECT pgmedic.repair($1, $2, $3)";

/// Whether the error is a duplicate key of a table: only then can a sequence that is behind be its cause, and only then is
/// [`repair_after`] worth a call.
#[must_use]
pub fn is_duplicate_key(error: &Error) -> bool {
    violated_key(error).is_some()
}

/// Moves the sequence past the taken ids, if `error` is a duplicate key that a sequence explains. Returns whether the insert
/// should run again, a few times at most.
///
/// Run it outside a transaction, or after a rollback to a savepoint: the failed insert has aborted its transaction.
///
/// ```no_run
/// use pgmedic_login::tokio_postgres::repair_after;
/// use tokio_postgres::{Client, Error};
///
/// # async fn login(client: &Client) -> Result<(), Error> {
/// let insert = "INSERT INTO user_sessions (user_id) VALUES (7)";
/// let Err(error) = client.batch_execute(insert).await else { return Ok(()) };
/// if !repair_after(client, &error).await? {
///     return Err(error);
/// }
/// client.batch_execute(insert).await
/// # }
/// ```
///
/// # Errors
///
/// The database's: the function is not installed, or refuses with the reason.
pub async fn repair_after<C: GenericClient + Sync>(client: &C, error: &Error) -> Result<bool, Error> {
    let Some(names) = violated_key(error) else { return Ok(false) };
    let [schema, table, constraint] = &names;
    let parameters = [schema, table, constraint].map(|name| (name as _, Type::TEXT));
    // Not prepared: it is needed rarely.
    let rows = client.query_typed(REPAIR, &parameters).await?;
    rows.first().map_or(Ok(false), |row| row.try_get(0))
}

/// Runs `insert`, which must be a single statement, outside a transaction. If it fails with a duplicate key because a
/// sequence is behind, moves the sequence past the taken ids and runs it again, at most three times. A healthy insert costs
/// nothing more than itself.
///
/// ```no_run
/// use pgmedic_login::tokio_postgres::retry_statement_after_repair;
/// use tokio_postgres::{Client, Error};
///
/// # async fn login(client: &Client, user: i32) -> Result<i32, Error> {
/// let row = retry_statement_after_repair(client, async move |client| {
///     client.query_one("INSERT INTO user_sessions (user_id) VALUES ($1) RETURNING session_id", &[&user]).await
/// })
/// .await?;
/// row.try_get(0)
/// # }
/// ```
///
/// A client of deadpool-postgres is given as `&**client`.
///
/// # Errors
///
/// The error of `insert`, unchanged. What keeps the repair from running is a warning of the `tracing` crate.
pub async fn retry_statement_after_repair<C: GenericClient + Sync, T>(
    client: &C,
    mut insert: impl AsyncFnMut(&C) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut retries = 0;
    loop {
        let error = match insert(client).await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if retries == RETRIES || !is_repaired(client, &error).await {
            return Err(error);
        }
        retries += 1;
    }
}

/// The same inside a transaction: each run of `insert`, which may be several statements, is in a savepoint. Everything that
/// was done before the call remains, whether it succeeds or fails.
///
/// ```no_run
/// use pgmedic_login::tokio_postgres::retry_after_repair;
/// use tokio_postgres::{Client, Error};
///
/// # async fn login(client: &mut Client, user: i32) -> Result<(), Error> {
/// let mut transaction = client.transaction().await?;
/// transaction.execute("DELETE FROM user_sessions WHERE user_id = $1", &[&user]).await?;
/// retry_after_repair(&mut transaction, async move |savepoint| {
///     savepoint.execute("INSERT INTO user_sessions (user_id) VALUES ($1)", &[&user]).await
/// })
/// .await?;
/// transaction.commit().await
/// # }
/// ```
///
/// A call that is dropped before it returns may leave the savepoint in the transaction: roll it back.
///
/// # Errors
///
/// The error of `insert`, unchanged, or one of setting or ending the savepoint.
pub async fn retry_after_repair<T>(
    transaction: &mut Transaction<'_>,
    mut insert: impl AsyncFnMut(&Transaction<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut retries = 0;
    loop {
        let savepoint = transaction.savepoint("pgmedic_insert").await?;
        let error = match insert(&savepoint).await {
            Ok(value) => {
                savepoint.commit().await?;
                return Ok(value);
            }
            Err(error) => error,
        };
        savepoint.rollback().await?;
        if retries == RETRIES {
            return Err(error);
        }
        // A failed call would abort the caller's transaction.
        let savepoint = transaction.savepoint("pgmedic_repair").await?;
        if !is_repaired(&savepoint, &error).await {
            savepoint.rollback().await?;
            return Err(error);
        }
        savepoint.commit().await?;
        retries += 1;
    }
}

async fn is_repaired<C: GenericClient + Sync>(client: &C, error: &Error) -> bool {
    match repair_after(client, error).await {
        Ok(again) => again,
        Err(reason) => {
            let [schema, table, constraint] = violated_key(error).unwrap_or_default();
            warn_not_repaired(&schema, &table, &constraint, &reason);
            false
        }
    }
}

/// The schema, the table and the constraint of a duplicate key.
fn violated_key(error: &Error) -> Option<[String; 3]> {
    let error: &DbError = error.as_db_error().filter(|error| *error.code() == SqlState::UNIQUE_VIOLATION)?;
    Some([error.schema()?, error.table()?, error.constraint()?].map(str::to_owned))
}
