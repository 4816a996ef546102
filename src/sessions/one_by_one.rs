//! Takes a batch that failed apart: its sessions are ended one by one, and those that cannot be are noted.

use super::batch::{ALL_IMMEDIATE, took_along};
use super::blocked::{BatchFailure, Blocked, explain_failure};
use super::statements::{Address, Order, Rows, Target, Turn};
use super::store::{ResolvedStore, SweepGuard, sweep_guard_sql};
use super::sweep::{Run, Sweep, SweepResult};
use crate::db::TransactionMode;
use pgmedic_core::QueryError;
use serde::Deserialize;
use sqlx::Row;

/// So many are tried while none could be ended: perhaps none can be.
const FEW: u32 = 32;

/// What one transaction did, as `one_by_one.sql` says it.
#[derive(Debug, Deserialize)]
struct Apart {
    tried: u64,
    /// The time was up.
    stopped: bool,
    ended: u64,
    /// The time of the last session tried, in microseconds since 1970; none where they have no order.
    last: Option<i64>,
    blocked: Vec<BlockedSession>,
}

#[derive(Debug, Deserialize)]
struct BlockedSession {
    #[serde(flatten)]
    address: Address,
    /// The SQLSTATE and the constraint: sessions with the same one have the same reason.
    failure: String,
}

impl Sweep<'_> {
    /// Ends what can be ended of the next batch, which failed, and notes the rest.
    pub(super) async fn take_apart(
        &mut self,
        name: &str,
        target: &mut Target<'_>,
        failure: &BatchFailure,
        result: &mut SweepResult,
        blocked: &mut Blocked,
    ) -> Run {
        if is_of_every_row(failure, self.context.resolved) {
            return self.stopped(failure, result);
        }
        let few = FEW.min(self.context.config.batch_size);
        let most = if result.ended == 0 { few } else { self.context.config.batch_size };
        let apart = if *failure == BatchFailure::Query(QueryError::QueryCanceled) {
            // A single session takes too long.
            self.give_up_one(*target, failure, blocked).await
        } else {
            self.one_by_one(name, *target, most, Order::Batch, blocked).await
        };
        let apart = match apart {
            // One of them takes too long. The first failed before it.
            Err(BatchFailure::Query(QueryError::QueryCanceled)) if most > 1 => {
                self.one_by_one(name, *target, 1, Order::Batch, blocked).await
            }
            apart => apart,
        };
        let is_over = match apart {
            Ok(apart) => {
                let renewed = target.renews_itself() && apart.ended > 0;
                let is_last = !apart.stopped && apart.tried < u64::from(most) && !renewed;
                // Others have locked the rest.
                let is_stuck = apart.ended == 0 && apart.blocked.is_empty();
                let last = apart.last;
                if let Some(end) = self.note(name, *target, apart, result, blocked).await {
                    return end;
                }
                let is_over = is_last || is_stuck;
                if is_over && target.pages().is_none() {
                    return Run::Complete;
                }
                if let (Target::Over { cursor, turn, .. }, Some(last)) = (&mut *target, last) {
                    let margin = self.context.config.encoding.rounding();
                    match *turn {
                        Turn::Newest => blocked.forget_outside(..=last + margin),
                        Turn::Oldest => blocked.forget_outside(last - margin..),
                        Turn::Last | Turn::Stored(_) => {}
                    }
                    *cursor = Some(last);
                }
                is_over
            }
            Err(failure) => return self.stopped(&failure, result),
        };
        if result.ended == 0 && blocked.are_many() {
            // The oldest ones may be the only ones that cannot be ended.
            match self.one_by_one(name, *target, few, Order::Random, blocked).await {
                Ok(apart) => {
                    if let Some(end) = self.note(name, *target, apart, result, blocked).await {
                        return end;
                    }
                }
                Err(BatchFailure::Query(QueryError::QueryCanceled)) => {}
                Err(failure) => return self.stopped(&failure, result),
            }
        }
        match blocked.is_hopeless(result.ended) {
            true => Run::Stopped,
            false if is_over => Run::Complete,
            false => Run::Continue,
        }
    }

    /// Counts what one transaction did. `Some` where the sweep is to stop.
    async fn note(
        &mut self,
        name: &str,
        target: Target<'_>,
        apart: Apart,
        result: &mut SweepResult,
        blocked: &mut Blocked,
    ) -> Option<Run> {
        result.ended += apart.ended;
        for BlockedSession { address, failure } in apart.blocked {
            if let Some(address) = blocked.add_known(&failure, address) {
                // The first of its kind is tried again alone: the server tells why in full only then.
                match self.batch(name, target, 1, Rows::Only(std::slice::from_ref(&address))).await {
                    Ok(batch) => result.ended += batch.ended,
                    Err(
                        failure @ (BatchFailure::Query(QueryError::ConnectionLost(_)) | BatchFailure::TookAlong(_)),
                    ) => {
                        return Some(self.stopped(&failure, result));
                    }
                    Err(why) => {
                        let reason = explain_failure(&why, self.context.resolved, self.timeouts);
                        blocked.add(failure, address, reason);
                    }
                }
            }
        }
        if self.is_time_up(result.ended) {
            result.unfinished = true;
            return Some(Run::Stopped);
        }
        None
    }

    fn stopped(&self, failure: &BatchFailure, result: &mut SweepResult) -> Run {
        let reason = Some(explain_failure(failure, self.context.resolved, self.timeouts));
        match failure {
            BatchFailure::TookAlong(_) => result.hold = reason,
            _ => result.error = reason,
        }
        Run::Stopped
    }

    /// The next session takes too long by itself.
    async fn give_up_one(
        &mut self,
        target: Target<'_>,
        failure: &BatchFailure,
        blocked: &mut Blocked,
    ) -> Result<Apart, BatchFailure> {
        let statement = self.context.sql.addresses(target, 1, Rows::Except(blocked.addresses()), Order::Batch);
        let answer = self.connection.run_transaction("addresses", TransactionMode::Read, self.timeouts, [statement]);
        let answer = answer.await;
        if let Some(error) = answer.failure {
            return Err(BatchFailure::Query(error));
        }
        let row = answer.answers.first().and_then(|rows| rows.first());
        let address = row.map(Address::read).transpose().map_err(BatchFailure::Query)?;
        let last = address.as_ref().and_then(|address| address.at);
        if let Some(address) = &address {
            let reason = explain_failure(failure, self.context.resolved, self.timeouts);
            blocked.add("57014".to_owned(), address.clone(), reason);
        }
        let blocked = address.map(|address| BlockedSession { address, failure: "57014".to_owned() });
        Ok(Apart { tried: 1, stopped: true, ended: 0, last, blocked: blocked.into_iter().collect() })
    }

    /// Ends up to `size` sessions, each in a subtransaction of one transaction, for as long as others may wait for them.
    async fn one_by_one(
        &mut self,
        name: &str,
        target: Target<'_>,
        size: u32,
        order: Order,
        blocked: &Blocked,
    ) -> Result<Apart, BatchFailure> {
        let (sql, store) = (self.context.sql, self.context.resolved);
        let mut statements = sweep_guard_sql(self.context.config, store, SweepGuard::Judged);
        statements.push(ALL_IMMEDIATE.to_owned());
        if self.notices_taken() {
            statements.push(sql.note_deleted());
        }
        let addresses = sql.addresses(target, size, Rows::Except(blocked.addresses()), order);
        statements.extend(sql.one_by_one(target, &addresses, self.timeouts.lock / 2));
        let outcome = statements.len() - 1;
        if self.notices_taken() {
            statements.extend(sql.check_taken());
        }
        let answer = self.connection.run_transaction(name, TransactionMode::Write, self.timeouts, &statements).await;
        match answer.failure {
            None => {}
            // The same rows were found, locked and changed by the batch: what is new is the language.
            Some(QueryError::PermissionDenied(_)) => return Err(BatchFailure::NoLanguage),
            Some(QueryError::ConcurrentlyChanged) if answer.answers.len() == outcome + 2 => {
                return Err(took_along(answer.answers.last()));
            }
            Some(error) => return Err(BatchFailure::Query(error)),
        }
        let outcome = answer.answers.get(outcome).and_then(|rows| rows.first());
        let outcome = outcome.map(|row| row.try_get::<String, _>("outcome").map_err(QueryError::from)).transpose();
        let outcome = outcome.map_err(BatchFailure::Query)?.unwrap_or_default();
        let read = serde_json::from_str(&outcome).map_err(|error| error.to_string());
        read.map_err(|error| BatchFailure::Query(QueryError::UnexpectedResponse(error)))
    }
}

/// Whether the failure has nothing to do with single sessions, so that trying them apart would only repeat it.
fn is_of_every_row(failure: &BatchFailure, store: &ResolvedStore) -> bool {
    let BatchFailure::Query(error) = failure else { return matches!(failure, BatchFailure::TookAlong(_)) };
    match error {
        // A trigger may need a privilege for some sessions only.
        QueryError::PermissionDenied(_) => store.effects.triggers.is_empty(),
        QueryError::ConcurrentlyChanged
        | QueryError::ConnectionLost(_)
        | QueryError::StatementPooled
        | QueryError::UnexpectedResponse(_) => true,
        // Resources; the operator's intervention; internal errors.
        QueryError::Server { code, .. } if ["53", "57", "58", "XX"].iter().any(|class| code.starts_with(class)) => true,
        // A value that the column does not take, or a state of the whole server, unless a trigger says so of a session.
        QueryError::Server { code, .. } => {
            let is_general = ["22001", "22003", "22P02"].contains(&code.as_str())
                || ["25", "54", "55"].iter().any(|class| code.starts_with(class));
            is_general && store.effects.triggers.is_empty()
        }
        QueryError::LockNotAvailable
        | QueryError::BeingVacuumed { .. }
        | QueryError::QueryCanceled
        | QueryError::UndefinedObject(_)
        | QueryError::UndefinedColumn(_)
        | QueryError::Raised { .. } => false,
    }
}
