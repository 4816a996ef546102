//! One cycle of the worker: acquire or renew the lease, make the pass, publish the report.
//!
//! | file | does |
//! |---|---|
//! | `mod.rs` | the steps of a cycle |
//! | `pass.rs` | makes the pass, during which the lease may be lost and another server promoted |

mod pass;

use super::fleet::Visit;
use super::lead::LeadAnswer;
use super::membership::Membership;
use super::triggers::Triggers;
use super::worker_state::SequenceWorkerState;
use crate::agent::leadership::Leadership;
use crate::agent::publisher::Publisher;
use crate::agent::repair_log::{RepairLogContext, RepairLogWriter};
use crate::config::{Database, Settings};
use crate::report::DatabaseReport;
use crate::sequences::{Invalidation, SequencePassState};
use pgmedic_core::{Reason, TableName};
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What a worker was started with.
#[derive(Debug)]
pub struct SequenceWorkerContext {
    pub database: Database,
    pub settings: Arc<Settings>,
    /// The tables of the database's session stores.
    pub session_tables: Vec<TableName>,
    /// Who leads on the database.
    pub lead: Membership,
    pub dry_run: bool,
    pub triggers: Arc<Triggers>,
    /// Received by the session worker, which works only while this agent leads.
    pub leadership: watch::Sender<Leadership>,
    pub stop: CancellationToken,
}

/// A pass that is to be made.
struct Due {
    answer: LeadAnswer,
    /// The last pass is no basis for this one.
    reads_all: bool,
    /// A notification asked for it.
    notified: bool,
}

/// How a cycle ended.
pub enum CycleOutcome {
    /// A pass was completed, or another agent leads.
    Done,
    /// No pass was completed: try again soon.
    RetrySoon,
}

impl SequenceWorkerContext {
    /// Runs one cycle, and publishes what it found.
    pub async fn run_cycle(&self, state: &mut SequenceWorkerState) -> CycleOutcome {
        let invalidation = self.triggers.take_invalidation();
        let notified = !invalidation.is_empty();
        if notified {
            tracing::debug!(database = self.database.name.as_str(), ?invalidation, "notified");
            // The change may be too new for the server's statistics, which would call the table unchanged.
            state.pass_state.invalidate(&invalidation);
        }
        let Some(answer) = self.stop.run_until_cancelled(self.lead.ask()).await else {
            return CycleOutcome::Done;
        };
        match answer {
            Ok(answer) => {
                state.publisher.ignored_holders(&answer.ignored);
                if answer.leadership == Leadership::Follower {
                    return self.standby(state, &answer).await;
                }
                state.lease = answer.lease;
                if *self.leadership.borrow() != answer.leadership {
                    // After a promotion there may be something to repair, though nothing was done since the last visit.
                    state.visited = None;
                }
                let mut reads_all = false;
                if let Some(member) = self.lead.discovered() {
                    reads_all = state.visited.is_none();
                    match member.visit(state.visited.as_mut(), self.database.transactions()) {
                        Visit::Unneeded if !notified => return self.unchanged(state, answer.leadership),
                        Visit::Refused(reason) => return self.refused(state, &reason).await,
                        Visit::Full => {
                            reads_all = true;
                            state.pass_state.invalidate(&Invalidation::All);
                        }
                        Visit::Due | Visit::Unneeded => {}
                    }
                }
                self.visit(state, Due { answer, reads_all, notified }).await
            }
            Err(reason) if self.lead.tries_again() => {
                state.publisher.failure(&reason, Some(false));
                self.after_failure(state, false).await
            }
            Err(reason) => {
                state.publisher.server_failure(&reason);
                state.invalidate_all();
                self.after_failure(state, false).await
            }
        }
    }

    /// Waits for its turn, makes the pass, and publishes it.
    async fn visit(&self, state: &mut SequenceWorkerState, due: Due) -> CycleOutcome {
        let turn = async {
            match self.lead.discovered() {
                Some(member) => member.turn().await,
                None => None,
            }
        };
        let Some(_turn) = self.stop.run_until_cancelled(turn).await else { return CycleOutcome::Done };
        // In memory only while it is made.
        Box::pin(self.visit_now(state, due)).await
    }

    async fn visit_now(&self, state: &mut SequenceWorkerState, due: Due) -> CycleOutcome {
        let Due { answer, reads_all, notified } = due;
        // Not before: while it waited, autovacuum may have worked there.
        let baseline = self.lead.discovered().and_then(|member| member.baseline(self.database.transactions()));
        if answer.leadership == Leadership::Leader {
            self.stop.run_until_cancelled(self.listen(state)).await;
        }
        self.stop.run_until_cancelled(self.count_changes(state)).await;
        let report = self.pass(state, answer.leadership).await;
        if let (None, Some(server)) = (&report.error, state.pass_state.primary()) {
            self.lead.reaches(server);
        }
        let lost = answer.lease.is_some() && state.lease.is_none();
        if lost {
            // Another agent may lead.
            state.invalidate_all();
        }
        if self.stop.is_cancelled() {
            return CycleOutcome::Done;
        }
        let settled = report.error.is_none() && report.sequences.iter().all(|sequence| sequence.is_settled());
        state.visited = baseline.filter(|_| settled && !lost);
        if reads_all && state.visited.is_some() {
            state.rest();
        }
        self.publish(state, report, notified).await
    }

    /// Reads the server's counters on the lease's connection: where nothing has changed, the pass opens no other one.
    async fn count_changes(&self, state: &mut SequenceWorkerState) {
        let Some(question) = state.pass_state.question() else { return };
        let answer = self.lead.ask_on_lease(question).await;
        let taken = answer.map(|rows| rows.and_then(|rows| state.pass_state.answered(&rows)));
        if let Some(Err(error)) = taken {
            // The pass asks again, and says what is wrong.
            tracing::debug!(database = self.database.name.as_str(), %error, "the changes were not counted");
            state.pass_state.not_answered(error.is_lost());
        }
    }

    /// Nothing was done in the database since the last visit: what that found is still true.
    fn unchanged(&self, state: &mut SequenceWorkerState, leadership: Leadership) -> CycleOutcome {
        state.publisher.leadership(leadership);
        self.send_leadership(leadership);
        state.publisher.unchanged();
        state.rest();
        CycleOutcome::Done
    }

    /// The server says that the role may not enter the database.
    async fn refused(&self, state: &mut SequenceWorkerState, reason: &Reason) -> CycleOutcome {
        state.publisher.refused(reason);
        self.after_failure(state, true).await
    }

    /// Releases the lease, and closes the connection that listens.
    pub async fn release_lease(&self, state: &mut SequenceWorkerState) {
        tokio::join!(state.listener.close(), self.lead.release());
    }

    /// The lease was lost between two cycles.
    pub fn mark_lease_lost(&self, state: &mut SequenceWorkerState) {
        state.lease = None;
        // Another agent may lead meanwhile.
        state.invalidate_all();
        self.leadership_unknown(&mut state.publisher);
    }

    fn leadership_unknown(&self, publisher: &mut Publisher) {
        publisher.leadership(Leadership::Unknown);
        self.send_leadership(Leadership::Unknown);
    }

    fn send_leadership(&self, leadership: Leadership) {
        self.leadership.send_if_modified(|before| std::mem::replace(before, leadership) != leadership);
    }

    async fn standby(&self, state: &mut SequenceWorkerState, answer: &LeadAnswer) -> CycleOutcome {
        state.lease = None;
        state.listener.close().await;
        // The leader may change sequences meanwhile: a comparison with what was seen before would name wrong causes.
        state.pass_state = SequencePassState::persistent();
        state.visited = None;
        state.repair_log = RepairLogWriter::default();
        state.publisher.standby(answer.other.as_ref());
        self.send_leadership(Leadership::Follower);
        CycleOutcome::Done
    }

    async fn publish(&self, state: &mut SequenceWorkerState, report: DatabaseReport, notified: bool) -> CycleOutcome {
        let report = Arc::new(report);
        let lost = *self.leadership.borrow() == Leadership::Unknown;
        state.publisher.pass(&report);
        if report.error.is_some() {
            state.repair_log.keep(&report);
            return self.after_failure(state, report.server_version.is_some()).await;
        }
        let context = RepairLogContext {
            database: &self.database,
            timeouts: self.settings.sequences.bounds(),
            read_only: self.dry_run || !self.settings.sequences.repair,
            stop: &self.stop,
        };
        // Last, because it may wait for the database.
        if let Some(found) = state.repair_log.sync_after_pass(&report, notified, context).await {
            if found.as_ref().is_ok_and(|news| news.inline.iter().any(|(_, repairs)| *repairs > 0)) {
                // What they burnt is charged.
                state.pass_state.log_has_grown();
            }
            state.publisher.repair_log(found);
        }
        // Where the lease was lost during the pass, find out soon which agent leads.
        if lost && self.lead.tries_again() { CycleOutcome::RetrySoon } else { CycleOutcome::Done }
    }

    async fn after_failure(&self, state: &mut SequenceWorkerState, reached: bool) -> CycleOutcome {
        // Cached findings are outdated; the next values are kept, because they tell the cause of a later drift.
        state.invalidate_all();
        if !reached {
            state.lease = None;
            // An open connection would delay a server that is shutting down, and the lease another agent. Other databases of
            // the server may be as well as before.
            if self.lead.is_alone() {
                self.release_lease(state).await;
            } else {
                state.listener.close().await;
            }
            self.leadership_unknown(&mut state.publisher);
        }
        // The worker of the server says when a discovered database is to be tried again.
        if self.lead.tries_again() { CycleOutcome::RetrySoon } else { CycleOutcome::Done }
    }
}
