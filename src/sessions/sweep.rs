//! Ends sessions: in batches, each in a transaction, until none is left, the time is up, or the pass is cancelled.
//!
//! A batch that fails is taken apart, until the sessions that cannot be ended are alone. The others are ended.

use super::batch_size::BatchSize;
use super::blocked::{BatchFailure, Blocked, explain_failure};
use super::context::StoreContext;
use super::deadline::Deadline;
use super::reasons::is_transient;
use super::statements::{Address, Rows, Target};
use super::store::{PerUserLimit, sweep_guard_sql};
use super::times::Cutoffs;
use crate::db::{BoundedConnection, TransactionMode};
use pgmedic_core::{QueryError, Reason, Timeouts};
use sqlx::Row;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Attempts at one batch, whose errors may be transient: a lock that was not available, a concurrent change.
const MAX_ATTEMPTS: u32 = 3;

/// Notes when a batch begins to lock sessions.
const BEGAN_SQL: &str =
    "SELECT pg_catalog.set_config('pgmedic.began', extract(epoch FROM clock_timestamp())::text, true)";

/// For how long, in microseconds, the batch has locked them.
const TOOK_SQL: &str = "SELECT ((extract(epoch FROM clock_timestamp())::numeric - current_setting('pgmedic.began')::numeric) \
                        * 1000000)::bigint AS took";

/// A sweep of one store.
pub struct Sweep<'a> {
    pub connection: &'a mut BoundedConnection,
    pub context: &'a StoreContext<'a>,
    pub timeouts: Timeouts,
    pub cancel: &'a CancellationToken,
    pub started: Instant,
    pub deadline: Deadline,
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
    took: Duration,
}

impl Sweep<'_> {
    /// Ends the sessions that are over by these cutoffs.
    pub async fn expire(&mut self, cutoffs: &Cutoffs) -> SweepResult {
        let (mut result, mut blocked) = (SweepResult::default(), Blocked::default());
        for rule in self.context.sql.rules(cutoffs) {
            if self.run("expire", Target::Over { rule, cursor: None }, &mut result, &mut blocked).await.is_stopped() {
                break;
            }
        }
        result.error = result.error.or_else(|| blocked.reason());
        result
    }

    /// Ends the live sessions beyond the newest ones that their users may have.
    pub async fn supersede(&mut self, limit: &PerUserLimit) -> SweepResult {
        let (mut result, mut blocked) = (SweepResult::default(), Blocked::default());
        self.run("supersede", Target::Superseded(limit), &mut result, &mut blocked).await;
        result.error = result.error.or_else(|| blocked.reason());
        result
    }

    async fn run(
        &mut self,
        name: &str,
        mut target: Target<'_>,
        result: &mut SweepResult,
        blocked: &mut Blocked,
    ) -> Run {
        let context = self.context;
        let mut size = BatchSize::new(context.config.batch_size, context.resolved.has_effects(), self.timeouts.lock);
        loop {
            if self.is_time_up(result.ended) {
                result.unfinished = true;
                return Run::Stopped;
            }
            match self.batch(name, target, size.get(), Rows::Except(blocked.addresses())).await {
                Ok(batch) => {
                    result.ended += batch.ended;
                    // Where none could be ended, the rest is locked by other sessions.
                    if batch.found < u64::from(size.get()) || batch.ended == 0 {
                        return Run::Complete;
                    }
                    if let (Target::Over { cursor, .. }, Some(last)) = (&mut target, batch.last) {
                        *cursor = Some(last);
                    }
                    size.took(batch.took);
                }
                Err(BatchFailure::Query(QueryError::QueryCanceled)) if size.get() > 1 => size.took_too_long(),
                Err(failure) => match self.take_apart(name, target, size.get(), &failure, result, blocked).await {
                    Run::Continue => {}
                    end => return end,
                },
            }
        }
    }

    /// Ends what can be ended of the next batch, which failed, and notes the rest.
    async fn take_apart(
        &mut self,
        name: &str,
        target: Target<'_>,
        size: u32,
        failure: &BatchFailure,
        result: &mut SweepResult,
        blocked: &mut Blocked,
    ) -> Run {
        let explain = |failure: &BatchFailure, timeouts| explain_failure(failure, self.context.resolved, timeouts);
        if is_of_every_row(failure) {
            result.error = Some(explain(failure, self.timeouts));
            return Run::Stopped;
        }
        let first = match self.addresses(target, size, blocked).await {
            Ok(addresses) => addresses,
            Err(error) => {
                result.error = Some(explain(&BatchFailure::Query(error), self.timeouts));
                return Run::Stopped;
            }
        };
        if first.is_empty() {
            return Run::Complete;
        }
        let mut parts = vec![first];
        while let Some(mut part) = parts.pop() {
            if self.is_time_up(result.ended) {
                result.unfinished = true;
                return Run::Stopped;
            }
            let rows = u32::try_from(part.len()).unwrap_or(u32::MAX);
            match self.batch(name, target, rows, Rows::Only(&part)).await {
                Ok(batch) => result.ended += batch.ended,
                Err(failure) if is_of_every_row(&failure) => {
                    result.error = Some(explain(&failure, self.timeouts));
                    return Run::Stopped;
                }
                Err(failure) if part.len() == 1 => {
                    blocked.add(part.remove(0), explain(&failure, self.timeouts));
                    if blocked.is_hopeless(result.ended) {
                        return Run::Stopped;
                    }
                }
                Err(_) => {
                    let second = part.split_off(part.len() / 2);
                    parts.extend([second, part]);
                }
            }
        }
        Run::Continue
    }

    async fn addresses(
        &mut self,
        target: Target<'_>,
        size: u32,
        blocked: &Blocked,
    ) -> Result<Vec<Address>, QueryError> {
        let statement = self.context.sql.addresses(target, size, Rows::Except(blocked.addresses()));
        let answer = self.connection.run_transaction("addresses", TransactionMode::Read, self.timeouts, [statement]);
        let result = answer.await;
        if let Some(error) = result.failure {
            return Err(error);
        }
        let has_children = self.context.resolved.has_children;
        result.answers.iter().flatten().map(|row| Address::read(row, has_children)).collect()
    }

    async fn batch(
        &mut self,
        name: &str,
        target: Target<'_>,
        size: u32,
        rows: Rows<'_>,
    ) -> Result<SweepBatch, BatchFailure> {
        let (sql, store) = (self.context.sql, self.context.resolved);
        let mut statements = sweep_guard_sql(self.context.config, store);
        // A constraint that is checked late would fail in COMMIT, where nothing tells which one.
        statements.push("SET CONSTRAINTS ALL IMMEDIATE".to_owned());
        if store.is_checked() {
            statements.push(sql.note_deleted());
        }
        statements.push(BEGAN_SQL.to_owned());
        let of_batch = statements.len();
        statements.push(sql.end_batch(target, size, rows));
        let mut checks = Vec::new();
        if store.effects.triggers.iter().any(|trigger| trigger.may_keep_rows) {
            statements.push(sql.check_kept());
            checks.push(BatchFailure::Kept);
        }
        if store.is_checked() {
            statements.push(sql.check_deleted());
            checks.push(BatchFailure::DeletedMore);
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
                (Some(QueryError::ConcurrentlyChanged), Some(check)) => return Err(check.clone()),
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

    fn is_time_up(&self, ended: u64) -> bool {
        self.cancel.is_cancelled() || self.deadline.is_up(self.started.elapsed(), ended)
    }
}

impl SweepBatch {
    fn read(batch: &sqlx::postgres::PgRow, took: &sqlx::postgres::PgRow) -> Result<Self, QueryError> {
        Ok(Self {
            ended: batch.try_get::<i64, _>("ended")?.unsigned_abs(),
            found: batch.try_get::<i64, _>("found")?.unsigned_abs(),
            last: batch.try_get("last")?,
            took: Duration::from_micros(took.try_get::<i64, _>("took")?.unsigned_abs()),
        })
    }
}

/// What follows.
enum Run {
    Continue,
    /// No session is left to end, but for locked ones and those that cannot be ended.
    Complete,
    /// The result says why.
    Stopped,
}

impl Run {
    fn is_stopped(&self) -> bool {
        matches!(self, Self::Stopped)
    }
}

/// Whether the failure has nothing to do with single sessions, so that trying them apart would only repeat it.
fn is_of_every_row(failure: &BatchFailure) -> bool {
    match failure {
        BatchFailure::Query(error) => match error {
            QueryError::PermissionDenied(_)
            | QueryError::ConcurrentlyChanged
            | QueryError::ConnectionLost(_)
            | QueryError::StatementPooled
            | QueryError::UnexpectedResponse(_) => true,
            // A value that the column does not take; resources; the operator's intervention; internal errors.
            QueryError::Server { code, .. } => {
                ["22001", "22003", "22P02"].contains(&code.as_str())
                    || ["25", "53", "54", "57", "58", "XX"].iter().any(|class| code.starts_with(class))
            }
            QueryError::LockNotAvailable
            | QueryError::BeingVacuumed { .. }
            | QueryError::QueryCanceled
            | QueryError::UndefinedObject(_) => false,
        },
        BatchFailure::Kept | BatchFailure::DeletedMore => false,
    }
}
