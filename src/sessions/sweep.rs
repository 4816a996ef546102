//! Ends sessions: in batches, until none is left, the time is up, or the pass is cancelled.
//!
//! A batch that fails is taken apart in `one_by_one.rs`.

use super::batch_size::BatchSize;
use super::blocked::{BatchFailure, Blocked};
use super::context::StoreContext;
use super::deadline::Deadline;
use super::pages::{PagePosition, Pages, pages_of_backlog};
use super::reasons::explain_sweep_error;
use super::statements::{Rows, Target, Turn};
use super::store::{PerUserLimit, SweepGuard};
use super::times::Cutoffs;
use crate::db::BoundedConnection;
use pgmedic_core::{QueryError, Reason, Timeouts};
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// A sweep of one store.
pub struct Sweep<'a> {
    pub connection: &'a mut BoundedConnection,
    pub context: &'a StoreContext<'a>,
    pub timeouts: Timeouts,
    pub cancel: &'a CancellationToken,
    pub started: Instant,
    pub deadline: Deadline,
    /// What triggers delete in other tables may go.
    pub is_approved: bool,
    /// The sessions that were over when the sweep began, or the least that they were where not all were counted.
    pub expired_before: u64,
    /// Where the last sweep stopped.
    pub first: PagePosition,
    pub guard: SweepGuard,
    /// No more than these are ended, because triggers might make others over.
    pub most_expired: Option<u64>,
}

/// What a sweep did, also where it failed half way.
#[derive(Debug, Default)]
pub struct SweepResult {
    pub ended: u64,
    /// It stopped before the last batch: the time was up, or the pass was cancelled.
    pub unfinished: bool,
    /// Where it stopped, and the next one goes on.
    pub next: PagePosition,
    /// Why it stopped, where that has nothing to do with single sessions.
    pub error: Option<Reason>,
    /// It stopped because more would go with the sessions, which a person may approve.
    pub hold: Option<Reason>,
    /// The sessions that could not be ended.
    pub blocked: Blocked,
}

impl SweepResult {
    /// The time is up, and the next sweep goes on there.
    fn stop_at(&mut self, target: &mut Target<'_>) {
        self.unfinished = true;
        self.next.page = target.pages().map_or(0, |pages| pages.first);
    }
}

impl Sweep<'_> {
    /// Ends the sessions that are over by these cutoffs, but for `left_alone`.
    pub async fn expire(&mut self, cutoffs: &Cutoffs, left_alone: Blocked) -> SweepResult {
        let mut result = SweepResult::default();
        let pages = match pages_of_backlog(self.connection, self.context, self.expired_before, self.timeouts).await {
            Ok(pages) => pages,
            Err(error) => {
                let error = Some(explain_sweep_error(&error, self.timeouts));
                return SweepResult { error, blocked: left_alone, ..result };
            }
        };
        // Where sessions refer to each other, those that refer come first: to older ones in some stores, as to the session
        // that they continue, and to newer ones in others. Where the time does not tell, one after the other is found.
        let turns = match (self.context.resolved.effects.chains.is_empty(), pages) {
            (true, Some(pages)) => &[Turn::Stored(pages)][..],
            (true, None) => &[Turn::Oldest],
            (false, _) => &[Turn::Newest, Turn::Oldest, Turn::Last, Turn::Oldest],
        };
        for turn in turns {
            let before = result.ended;
            let blocked = std::mem::replace(&mut result.blocked, left_alone.clone());
            self.expire_in_turn(cutoffs, *turn, &mut result).await;
            let has_effect = result.ended > before;
            if *turn == Turn::Last && !has_effect {
                // The turn before tried all of them.
                result.blocked = blocked;
                break;
            }
            let is_done = *turn != Turn::Last && !result.blocked.is_by_foreign_key();
            if is_done || result.error.is_some() || result.hold.is_some() || result.unfinished {
                break;
            }
        }
        result
    }

    async fn expire_in_turn(&mut self, cutoffs: &Cutoffs, turn: Turn, result: &mut SweepResult) {
        for (rule, nth) in self.context.sql.rules(cutoffs).zip(0_usize..) {
            // The sweep that stopped came to this rule, and its page counts for no other one.
            let turn = match turn {
                Turn::Stored(_) if nth < self.first.rule => continue,
                Turn::Stored(pages) if nth == self.first.rule => Turn::Stored(pages.starting_at(self.first.page)),
                turn => turn,
            };
            result.next.rule = nth;
            let mut blocked = result.blocked.all_again();
            let run = self.run("expire", Target::Over { rule, turn, cursor: None }, result, &mut blocked).await;
            result.blocked = blocked;
            if run.is_stopped() {
                break;
            }
        }
    }

    /// Ends the live sessions beyond the newest ones that their users may have, but for `left_alone`.
    pub async fn supersede(&mut self, limit: &PerUserLimit, left_alone: Blocked) -> SweepResult {
        let (mut result, mut blocked) = (SweepResult::default(), left_alone);
        self.run("supersede", Target::Superseded(limit), &mut result, &mut blocked).await;
        SweepResult { blocked, ..result }
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
        // A sweep whose time is up before it begins tries one batch, or none would ever end anything.
        let mut has_tried = false;
        loop {
            if self.cancel.is_cancelled() || has_tried && self.is_time_up(result.ended) {
                result.stop_at(&mut target);
                return Run::Stopped;
            }
            has_tried = true;
            let left = match target {
                Target::Over { .. } => self.most_expired.map_or(u64::MAX, |most| most.saturating_sub(result.ended)),
                Target::Superseded(_) => u64::MAX,
            };
            if left == 0 {
                return Run::Complete;
            }
            let wanted = u32::try_from(left).unwrap_or(u32::MAX).min(size.get());
            match self.batch(name, target, wanted, Rows::Except(blocked.addresses())).await {
                Ok(batch) => {
                    result.ended += batch.ended;
                    if let Some(pages) = target.pages() {
                        let found = if batch.ended == 0 { 0 } else { batch.found };
                        if !go_on(pages, found, wanted, blocked) {
                            return Run::Complete;
                        }
                        // What finds few says little of what a session costs.
                        if found * 2 >= u64::from(wanted) {
                            size.took(batch.took);
                        }
                        continue;
                    }
                    // Where none could be ended, the rest is locked by other sessions.
                    let is_last = batch.found < u64::from(wanted) && !target.renews_itself();
                    if is_last || batch.ended == 0 && !size.reach_further() {
                        return Run::Complete;
                    }
                    if batch.ended == 0 {
                        continue;
                    }
                    if let (Target::Over { cursor, .. }, Some(last)) = (&mut target, batch.last) {
                        *cursor = Some(last);
                    }
                    size.took(batch.took);
                }
                // The turns before needed neither so long nor these privileges.
                Err(BatchFailure::Query(QueryError::QueryCanceled | QueryError::PermissionDenied(_)))
                    if target.renews_itself() =>
                {
                    return Run::Complete;
                }
                Err(BatchFailure::Query(QueryError::QueryCanceled))
                    if size.get() > 1 || target.pages().is_some_and(|pages| pages.count > 1) =>
                {
                    if let Some(pages) = target.pages() {
                        *pages = if size.get() > 1 { pages.fewer() } else { pages.one() };
                    }
                    size.took_too_long();
                }
                Err(failure) => match self.take_apart(name, &mut target, &failure, result, blocked).await {
                    Run::Continue => {}
                    Run::Complete => {
                        let Some(pages) = target.pages() else { return Run::Complete };
                        if !go_on(pages, 0, wanted, blocked) {
                            return Run::Complete;
                        }
                    }
                    Run::Stopped => {
                        if result.unfinished {
                            result.stop_at(&mut target);
                        }
                        return Run::Stopped;
                    }
                },
            }
        }
    }

    /// Whether it is to be noticed what triggers delete in other tables.
    pub(super) fn notices_taken(&self) -> bool {
        self.context.resolved.is_checked() && !self.is_approved
    }

    pub(super) fn is_time_up(&self, ended: u64) -> bool {
        self.cancel.is_cancelled() || self.deadline.is_up(self.started.elapsed(), ended)
    }
}

/// Goes on to the pages after a batch that found so many of the sessions that it wanted; false where there are none.
fn go_on(pages: &mut Pages, found: u64, wanted: u32, blocked: &mut Blocked) -> bool {
    let Some(next) = pages.after(found, wanted) else { return false };
    *pages = next;
    blocked.forget_before(next.first);
    true
}

/// What follows.
pub(super) enum Run {
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
