//! One repair: the next move, and what its outcome means. Pure.

use super::reasons::failed_reason;
use crate::db::ServerInfo;
use crate::report::{Outcome, RepairReport};
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::sequence::observation::{Observation, ObserveResult};
use pgmedic_core::sequence::plan::{RepairLimits, RepairPlan, SequenceRights, plan_repair};
use pgmedic_core::sequence::position::{Comparison, ForwardMove};
use pgmedic_core::sequence::reasons::{exhausted_reason, held_reason, still_cached_reason};
use pgmedic_core::sequence::{HoldReason, Method};
use pgmedic_core::{QueryError, Reason, ReasonKind, Timeouts};
use std::time::Duration;

/// What all repairs of a pass need to know.
#[derive(Debug, Clone, Copy)]
pub struct RepairContext {
    pub limits: RepairLimits,
    /// Values to be left unused beyond the max id, however far the sequence is.
    pub headroom: u32,
    pub timeouts: Timeouts,
    /// Why nothing is to be changed, if so.
    pub look_only: Option<&'static str>,
}

/// A sequence that is behind, and how far its repair has come.
#[derive(Debug)]
pub struct RepairTask<'a> {
    pub sequence: &'a Sequence,
    /// `--approve` names it: a repair that `max_repair_ratio` would hold is made.
    approved: bool,
    pub seen: Observation,
    /// The id that it must get beyond, which is at or past its next value.
    pub max_id: i64,
    /// The move that was tried last, or is meant.
    method: Option<Method>,
    failure: Option<QueryError>,
    /// Its share of the time that moving and looking again took.
    pub elapsed: Duration,
    ended: Option<RepairReport>,
}

impl<'a> RepairTask<'a> {
    /// `max id` was seen at or past the next value.
    pub fn new(sequence: &'a Sequence, seen: Observation, max_id: i64, approved: bool) -> Self {
        let elapsed = Duration::ZERO;
        Self { sequence, approved, seen, max_id, method: None, failure: None, elapsed, ended: None }
    }

    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// Ends it at once if it is to be held, or only looked at.
    pub fn precheck(&mut self, context: &RepairContext, server: &ServerInfo) {
        self.next(context, server);
    }

    /// The next move; none when the repair has ended.
    pub fn next(&mut self, context: &RepairContext, server: &ServerInfo) -> Option<(Method, ForwardMove)> {
        let sequence = self.sequence;
        let rights = SequenceRights { advance: sequence.may_advance, alter: sequence.may_alter, set: sequence.may_set };
        let cached = sequence.parameters.cache > 1;
        let report = match plan_repair(&self.seen.position, self.max_id, cached, &context.limits, rights, self.approved)
        {
            RepairPlan::Held { method, because } => {
                let reason = held_reason(sequence, &self.seen, self.max_id, because, &server.role);
                RepairReport { held_by: Some(because.word()), ..report(Outcome::Held, method, Some(reason)) }
            }
            RepairPlan::Repair { method, step } => match (context.look_only, server.read_only) {
                (Some(why), _) => {
                    report(Outcome::Skipped, Some(method), Some(Reason::new(ReasonKind::RepairDisabled, why)))
                }
                (None, Some(why)) => RepairReport {
                    held_by: Some(HoldReason::ReadOnly),
                    ..report(
                        Outcome::Held,
                        Some(method),
                        Some(Reason::new(ReasonKind::ReadOnly, format!("{why}: observed only"))),
                    )
                },
                (None, None) => {
                    self.method = Some(method);
                    return Some((method, step));
                }
            },
        };
        self.ended = Some(report);
        None
    }

    /// Largest share of the values left that it may use, 0 to 1.
    pub fn max_ratio(&self, limits: &RepairLimits) -> f64 {
        if self.approved { 1.0 } else { limits.max_repair_ratio }
    }

    /// Whether the max id is to be read again under the lock. Where that took too long before, it is not: it was read just
    /// before the leap, and is read again after it.
    pub fn reread_max_id(&self) -> bool {
        self.failure != Some(QueryError::QueryCanceled)
    }

    /// Whether to wait before the next try: another session holds the lock, or inserts queued behind this connection's.
    pub fn should_wait(&self) -> bool {
        matches!(self.failure, Some(QueryError::LockNotAvailable | QueryError::QueryCanceled))
    }

    /// Records the outcome of a move.
    pub fn attempted(&mut self, outcome: Result<(), QueryError>, timeouts: Timeouts) {
        self.failure = outcome.err();
        match self.failure {
            None | Some(QueryError::LockNotAvailable | QueryError::QueryCanceled) => {}
            // It never got to its target, because another session set the sequence back meanwhile. That may not happen again.
            Some(QueryError::ConcurrentlyChanged) if self.method == Some(Method::Advance) => {}
            Some(_) => self.fail(timeouts),
        }
    }

    /// Records what was read after a move.
    pub fn observed(&mut self, seen: ObserveResult) {
        let gone = || Err(Reason::new(ReasonKind::ConcurrentlyChanged, "there is nothing to read any more"));
        let now = match seen.unwrap_or_else(gone) {
            Ok(now) => now,
            Err(reason) => {
                let reason = reason.while_doing("could not look again");
                self.ended = Some(report(Outcome::Failed, self.method, Some(reason)));
                return;
            }
        };
        let (outcome, reason) = match (now.position.compare(now.max_id), now.origin()) {
            (Comparison::Behind { .. }, Some(origin)) if still_behind(&now, self.max_id) => {
                (self.seen, self.max_id) = (now, origin);
                return;
            }
            // Other sessions took the last values meanwhile, or the advance did by taking whole caches.
            (Comparison::Exhausted, _) => {
                let used_up = exhausted_reason(self.sequence, &now);
                (Outcome::Failed, Some(used_up.while_doing("it is past the ids now, and used up")))
            }
            _ => (Outcome::Repaired, self.method.and_then(|method| still_cached_reason(self.sequence, method))),
        };
        let next_value = now.position.next_value();
        self.ended = Some(RepairReport { next_value, ..report(outcome, self.method, reason) });
    }

    /// Ends it as failed, unless it has ended.
    pub fn fail(&mut self, timeouts: Timeouts) {
        if self.is_open() {
            self.ended = Some(self.failed_report(self.failure.as_ref(), timeouts));
        }
    }

    /// Its report. A repair that was not begun has failed: the connections were lost.
    pub fn report(self, timeouts: Timeouts) -> RepairReport {
        let lost = || {
            self.failed_report(
                Some(&QueryError::ConnectionLost("it ended before this was repaired".to_owned())),
                timeouts,
            )
        };
        let ended = self.ended.clone().unwrap_or_else(lost);
        RepairReport { duration_seconds: self.elapsed.as_secs_f64(), ..ended }
    }

    fn failed_report(&self, error: Option<&QueryError>, timeouts: Timeouts) -> RepairReport {
        report(Outcome::Failed, self.method, Some(failed_reason(self.sequence, self.method, error, timeouts)))
    }
}

fn report(outcome: Outcome, method: Option<Method>, reason: Option<Reason>) -> RepairReport {
    RepairReport { outcome, method, next_value: None, held_by: None, reason, duration_seconds: 0.0 }
}

/// Whether another repair is needed. Headroom is counted from `from`, the max id that the repair was made for: rows that came
/// since may use it.
fn still_behind(now: &Observation, from: i64) -> bool {
    let behind = |judgement| matches!(judgement, Comparison::Behind { .. });
    let short = now.position.headroom() > 0 && behind(now.position.compare(Some(from)));
    short || behind(now.position.with_headroom(0).compare(now.max_id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pgmedic_core::sequence::position::{ColumnRange, Parameters, Position, SequenceState};

    /// The next value is `next`, ids go up to `max id`, and `keep` values between them are asked for.
    fn seen(next: i64, max_id: i64, keep: u32) -> Observation {
        let parameters =
            Parameters { increment: 1, min_value: 1, max_value: i64::MAX, start: 1, cache: 1, cycle: false };
        let state = SequenceState { last_value: next, is_called: false };
        let position = Position::new(parameters, state, ColumnRange::INT8).with_headroom(keep);
        Observation { position, max_id: Some(max_id), furthest_id: Some(max_id), reads: 1 }
    }

    #[test]
    fn a_headroom_is_owed_to_the_max_id_that_it_was_made_for() {
        assert!(!still_behind(&seen(151, 50, 100), 50));
        assert!(!still_behind(&seen(151, 149, 100), 50), "rows that came since have used some of it up");
        assert!(still_behind(&seen(151, 151, 100), 50), "or all of it");
        assert!(still_behind(&seen(120, 50, 100), 50), "it never got there, or was set back");
    }

    #[test]
    fn without_a_headroom_only_the_max_id_of_now_counts() {
        assert!(!still_behind(&seen(51, 50, 0), 50));
        assert!(still_behind(&seen(51, 60, 0), 50));
        assert!(!still_behind(&seen(30, 20, 0), 50), "the row that was furthest is gone");
    }
}
