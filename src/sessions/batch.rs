//! Ends one batch of sessions, in a transaction with the checks before and after it.

use super::blocked::BatchFailure;
use super::reasons::is_transient;
use super::statements::{Rows, Target};
use super::store::{SweepGuard, sweep_guard_sql};
use super::sweep::Sweep;
use crate::db::TransactionMode;
use pgmedic_core::{QueryError, Timeouts};
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::time::Duration;

/// Attempts at one batch, whose errors may be transient: a lock that was not available, a concurrent change.
const MAX_ATTEMPTS: u32 = 3;

/// Runs what is checked late, and lets nothing be so any more.
pub(super) const ALL_IMMEDIATE: &str = "SET CONSTRAINTS ALL IMMEDIATE";

/// Notes when a batch begins to lock sessions.
const BEGAN_SQL: &str =
    "SELECT pg_catalog.set_config('pgmedic.began', extract(epoch FROM clock_timestamp())::text, true)";

/// For how long, in microseconds, the batch has locked them.
const TOOK_SQL: &str = "SELECT ((extract(epoch FROM clock_timestamp())::numeric - current_setting('pgmedic.began')::numeric) \
                        * 1000000)::bigint AS took";

/// What one batch did.
pub(super) struct SweepBatch {
    pub(super) ended: u64,
    pub(super) found: u64,
    /// The time of the last session found, in microseconds since 1970; none where the batch has no order.
    pub(super) last: Option<i64>,
    pub(super) took: Duration,
}

/// What a statement after the batch checks, which fails where something is not as it should be.
#[derive(Debug, Clone, Copy)]
enum Check {
    /// More rows changed than those of the batch.
    Changed,
    /// A trigger kept sessions.
    Kept,
    /// Triggers deleted rows of other tables.
    Taken,
}

impl Sweep<'_> {
    pub(super) async fn batch(
        &mut self,
        name: &str,
        target: Target<'_>,
        size: u32,
        rows: Rows<'_>,
    ) -> Result<SweepBatch, BatchFailure> {
        let (sql, store) = (self.context.sql, self.context.resolved);
        let mut statements = sweep_guard_sql(self.context.config, store, self.guard);
        let of_guard = statements.len() - 1;
        // A constraint that is checked late would fail in COMMIT, where nothing tells which one.
        statements.push(ALL_IMMEDIATE.to_owned());
        if store.is_checked() {
            statements.push(sql.note_changed());
        }
        if self.notices_taken() {
            statements.push(sql.note_deleted());
        }
        statements.push(BEGAN_SQL.to_owned());
        let of_batch = statements.len();
        statements.push(sql.end_batch(target, size, rows));
        let mut checks = Vec::new();
        if store.is_checked() {
            // A trigger may have deferred what is checked, too.
            statements.push(ALL_IMMEDIATE.to_owned());
            checks.push(Check::Changed);
        }
        if store.effects.triggers.iter().any(|trigger| trigger.may_keep_rows) {
            statements.push(sql.check_kept());
            checks.push(Check::Kept);
        }
        if store.is_checked() {
            statements.push(sql.check_changed());
            checks.push(Check::Changed);
        }
        if self.notices_taken() {
            for statement in sql.check_taken() {
                statements.push(statement);
                checks.push(Check::Taken);
            }
        }
        statements.push(TOOK_SQL.to_owned());
        // An application that extends one of the sessions waits for the batch.
        let longest = if size > 1 { self.timeouts.lock * 3 } else { self.timeouts.statement };
        let timeouts = Timeouts { statement: longest.min(self.timeouts.statement), ..self.timeouts };
        let mut attempt = 1;
        loop {
            let result = self.connection.run_transaction(name, TransactionMode::Write, timeouts, &statements).await;
            let failed_check = result.answers.len().checked_sub(of_batch + 1).and_then(|check| checks.get(check));
            match (result.failure, failed_check) {
                (Some(error), _) if is_transient(&error) && attempt < MAX_ATTEMPTS => {
                    self.connection.sleep_unless_cancelled(self.timeouts.lock * attempt).await;
                    attempt += 1;
                }
                (Some(QueryError::ConcurrentlyChanged), Some(Check::Changed)) => {
                    return Err(BatchFailure::ChangedMore);
                }
                (Some(QueryError::ConcurrentlyChanged), Some(Check::Kept)) => return Err(BatchFailure::Kept),
                (Some(QueryError::ConcurrentlyChanged), Some(Check::Taken)) => {
                    return Err(took_along(result.answers.last()));
                }
                (Some(QueryError::ConcurrentlyChanged), None)
                    if result.answers.len() == of_guard && self.guard == SweepGuard::Unchanged =>
                {
                    // By an index, perhaps, that does no harm.
                    self.guard = SweepGuard::Judged;
                    let guard = sweep_guard_sql(self.context.config, store, self.guard);
                    statements.splice(..=of_guard, guard);
                }
                // The batch itself divides nothing: a trigger did.
                (Some(QueryError::ConcurrentlyChanged), None) if result.answers.len() == of_batch => {
                    let error = QueryError::Server { code: "22012".to_owned(), message: "division by zero".to_owned() };
                    return Err(BatchFailure::Query(error));
                }
                (Some(error), _) => return Err(BatchFailure::Query(error)),
                (None, _) => {
                    let batch = result.answers.get(of_batch).and_then(|rows| rows.first());
                    let took = result.answers.last().and_then(|rows| rows.first());
                    return match (batch, took) {
                        (Some(batch), Some(took)) => SweepBatch::read(batch, took).map_err(BatchFailure::Query),
                        _ => {
                            Err(BatchFailure::Query(QueryError::UnexpectedResponse("a batch said nothing".to_owned())))
                        }
                    };
                }
            }
        }
    }
}

impl SweepBatch {
    fn read(batch: &PgRow, took: &PgRow) -> Result<Self, QueryError> {
        Ok(Self {
            ended: batch.try_get::<i64, _>("ended")?.unsigned_abs(),
            found: batch.try_get::<i64, _>("found")?.unsigned_abs(),
            last: batch.try_get("last")?,
            took: Duration::from_micros(took.try_get::<i64, _>("took")?.unsigned_abs()),
        })
    }
}

/// That triggers deleted rows of other tables, whose names are in the answer to `taken.sql`.
pub(super) fn took_along(answer: Option<&Vec<PgRow>>) -> BatchFailure {
    let row = answer.and_then(|rows| rows.first());
    let names = row.and_then(|row| row.try_get::<Option<String>, _>("taken").ok().flatten());
    BatchFailure::TookAlong(names.unwrap_or_default())
}
