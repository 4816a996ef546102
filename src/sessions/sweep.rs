//! Ends sessions: in batches, each in a transaction, until none is left, the time is up, or the pass is cancelled.

use super::context::StoreContext;
use super::reasons::{explain_sweep_error, is_transient};
use super::store::{PerUserLimit, sweep_guard_sql};
use super::times::Cutoffs;
use crate::db::{BoundedConnection, TransactionMode};
use pgmedic_core::{QueryError, Reason, ReasonKind, Timeouts};
use sqlx::Row;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// Attempts at one batch, whose errors may be transient: a lock that was not available, a concurrent change.
const MAX_ATTEMPTS: u32 = 3;

/// A sweep of one store.
pub struct Sweep<'a> {
    pub connection: &'a mut BoundedConnection,
    pub context: &'a StoreContext<'a>,
    pub timeouts: Timeouts,
    pub cancel: &'a CancellationToken,
    pub deadline: Instant,
}

/// What a sweep did, also where it failed half way.
#[derive(Debug, Default)]
pub struct SweepResult {
    pub ended: u64,
    /// It stopped before the last batch: the time was up, or the pass was cancelled.
    pub unfinished: bool,
    pub error: Option<Reason>,
}

/// What one batch did.
struct SweepBatch {
    ended: u64,
    found: u64,
    /// The time of the last session found, in microseconds since 1970; none where the batch has no order.
    last: Option<i64>,
}

/// What follows a batch.
enum Step {
    /// Another batch, from this time on.
    Next(Option<i64>),
    /// No session is left to end, but for locked ones.
    Complete,
    /// The result says why.
    Stopped,
}

impl Sweep<'_> {
    /// Ends the sessions that are over by these cutoffs.
    pub async fn expire(&mut self, cutoffs: &Cutoffs) -> SweepResult {
        let mut result = SweepResult::default();
        let (sql, size) = (self.context.sql, self.context.config.batch_size);
        for rule in sql.rules(cutoffs) {
            let mut cursor = None;
            loop {
                match self.step("expire", &sql.batch(rule, cursor, size), &mut result).await {
                    Step::Next(last) => cursor = last.or(cursor),
                    Step::Complete => break,
                    Step::Stopped => return result,
                }
            }
        }
        result
    }

    /// Ends the live sessions beyond the newest ones that their users may have.
    pub async fn supersede(&mut self, limit: &PerUserLimit) -> SweepResult {
        let mut result = SweepResult::default();
        let statement = self.context.sql.supersede(limit, self.context.config.batch_size);
        while let Step::Next(_) = self.step("supersede", &statement, &mut result).await {}
        result
    }

    async fn step(&mut self, name: &str, statement: &str, result: &mut SweepResult) -> Step {
        if self.cancel.is_cancelled() || Instant::now() >= self.deadline {
            result.unfinished = true;
            return Step::Stopped;
        }
        match self.batch(name, statement).await {
            Ok(batch) => {
                result.ended += batch.ended;
                let is_full = batch.found >= u64::from(self.context.config.batch_size);
                // Where none could be ended, the rest is locked by other sessions.
                if is_full && batch.ended > 0 { Step::Next(batch.last) } else { Step::Complete }
            }
            Err(error) => {
                let mut reason = explain_sweep_error(&error, self.timeouts);
                if reason.kind == ReasonKind::ForeignKey {
                    reason.fix = self.context.resolved.foreign_key_fix();
                }
                result.error = Some(reason);
                Step::Stopped
            }
        }
    }

    async fn batch(&mut self, name: &str, statement: &str) -> Result<SweepBatch, QueryError> {
        let mut statements = sweep_guard_sql(self.context.config, self.context.resolved);
        statements.push(statement.to_owned());
        let mut attempt = 1;
        loop {
            let result =
                self.connection.run_transaction(name, TransactionMode::Write, self.timeouts, &statements).await;
            match result.failure {
                Some(error) if is_transient(&error) && attempt < MAX_ATTEMPTS => {
                    self.connection.sleep_unless_cancelled(self.timeouts.lock * attempt).await;
                    attempt += 1;
                }
                Some(error) => return Err(error),
                None => {
                    let row = result.answers.last().and_then(|rows| rows.first());
                    let row = row.ok_or_else(|| QueryError::UnexpectedResponse("a batch said nothing".to_owned()))?;
                    return Ok(SweepBatch {
                        ended: row.try_get::<i64, _>("ended")?.unsigned_abs(),
                        found: row.try_get::<i64, _>("found")?.unsigned_abs(),
                        last: row.try_get("last")?,
                    });
                }
            }
        }
    }
}
