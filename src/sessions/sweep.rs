//! Ending sessions: in batches, a transaction each, until none is left, time is up, or we are asked to stop.

use super::reasons::{explain_sweep_error, is_transient};
use super::statements::{Cutoffs, SweepSql};
use super::store::{PerUserLimit, sweep_guard_sql};
use crate::config::SessionStoreConfig;
use crate::db::{BoundedConnection, TransactionMode};
use pgmedic_core::{QueryError, Reason, ReasonKind, Timeouts};
use sqlx::Row;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// Tries of one batch: others may hold a lock, or be in our way, only so often.
const TRIES: u32 = 3;

/// A sweep of one store.
pub struct Sweep<'a> {
    pub session: &'a mut BoundedConnection,
    pub store: &'a SessionStoreConfig,
    pub statements: &'a SweepSql<'a>,
    pub bounds: Timeouts,
    pub stop: &'a CancellationToken,
    pub until: Instant,
}

/// What a sweep did, also where it failed half way.
#[derive(Debug, Default)]
pub struct SweepResult {
    pub ended: u64,
    /// There may be more: time was up.
    pub unfinished: bool,
    pub failure: Option<Reason>,
}

/// What one batch did.
struct SweepBatch {
    ended: u64,
    found: u64,
    last: Option<i64>,
}

impl Sweep<'_> {
    /// Ends what is over by these bounds.
    pub async fn expire(&mut self, cut: &Cutoffs) -> SweepResult {
        let mut done = SweepResult::default();
        for end in 0..self.statements.store.ends.len() {
            let mut cursor = None;
            loop {
                let statement = self.statements.batch(end, cut, cursor, self.store.batch_size);
                match self.step("expire", &statement, &mut done).await {
                    Some(batch) => cursor = batch.last.or(cursor),
                    None if done.failure.is_some() || done.unfinished => return done,
                    None => break,
                }
            }
        }
        done
    }

    /// Ends what is beyond the newest `keep` of each user's.
    pub async fn supersede(&mut self, cut: &Cutoffs, limit: &PerUserLimit) -> SweepResult {
        let mut done = SweepResult::default();
        let statement = self.statements.supersede(cut, limit, self.store.batch_size);
        while self.step("supersede", &statement, &mut done).await.is_some() {}
        done
    }

    /// One batch; none when it was the last.
    async fn step(&mut self, name: &str, statement: &str, done: &mut SweepResult) -> Option<SweepBatch> {
        if self.stop.is_cancelled() || Instant::now() >= self.until {
            done.unfinished = true;
            return None;
        }
        match self.batch(name, statement).await {
            Ok(batch) => {
                done.ended += batch.ended;
                // What is left is locked, and others' for now.
                (batch.ended > 0 && batch.found >= u64::from(self.store.batch_size)).then_some(batch)
            }
            Err(failure) => {
                let mut reason = explain_sweep_error(&failure, self.bounds);
                if reason.kind == ReasonKind::ForeignKey {
                    reason.fix = self.statements.store.foreign_key_fix();
                }
                done.failure = Some(reason);
                None
            }
        }
    }

    async fn batch(&mut self, name: &str, statement: &str) -> Result<SweepBatch, QueryError> {
        let mut tries = 1;
        let mut statements = sweep_guard_sql(self.store, self.statements.store);
        statements.push(statement.to_owned());
        loop {
            let script = self.session.run_transaction(name, TransactionMode::Write, self.bounds, &statements).await;
            match script.failure {
                Some(failure) if is_transient(&failure) && tries < TRIES => {
                    self.session.sleep_unless_cancelled(self.bounds.lock * tries).await;
                    tries += 1;
                }
                Some(failure) => return Err(failure),
                None => {
                    let row = script.answers.last().and_then(|rows| rows.first());
                    let row = row.ok_or_else(|| QueryError::UnexpectedResponse("a batch said nothing".to_owned()))?;
                    return Ok(SweepBatch {
                        ended: row.try_get::<i64, _>(0)?.unsigned_abs(),
                        found: row.try_get::<i64, _>(1)?.unsigned_abs(),
                        last: if row.len() > 2 { row.try_get(2)? } else { None },
                    });
                }
            }
        }
    }
}
