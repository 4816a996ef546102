//! One repair: the next move, and what its outcome means. Pure.

use super::super::look_results::LookResult;
use super::super::moves::{Headroom, NextMove, Step, next_move};
use super::super::single_look::Subject;
use super::TRIES;
use super::context::RepairContext;
use super::reasons::failed_reason;
use crate::db::ServerInfo;
use crate::report::{Outcome, RepairReport};
use pgmedic_core::sequence::ahead::Looked;
use pgmedic_core::sequence::held_reasons::held;
use pgmedic_core::sequence::judgement::{Hold, Memory};
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::sequence::plan::{SequenceRights, choose_method};
use pgmedic_core::sequence::position::{ForwardMove, Position};
use pgmedic_core::sequence::reasons::{exhausted_reason, missing_right_reason, still_cached_reason};
use pgmedic_core::sequence::{HoldReason, Method};
use pgmedic_core::{QueryError, Reason, ReasonKind, Timeouts};
use std::time::Duration;

/// Most moves while the walk of a long block goes on.
const MOST_MOVES: u32 = 200;

/// Leaps that fail before what remains is advanced.
const LEAPS_BEFORE_SLICES: u32 = 2;

/// A sequence that is behind, and how far its repair has come.
#[derive(Debug)]
pub struct RepairTask<'a> {
    subject: Subject<'a>,
    /// Why this sequence is not to be changed, if so.
    look_only: Option<&'static str>,
    headroom: Headroom,
    looked: Looked,
    /// The move that was tried last, or is meant.
    step: Option<Step>,
    method: Option<Method>,
    failure: Option<QueryError>,
    /// A leap could not get its lock: what remains is advanced in slices.
    in_slices: bool,
    moves: u32,
    /// Moves that did not bring it nearer.
    tries: u32,
    /// What the moves were charged with.
    charged: u128,
    early: bool,
    /// Its share of the time that moving and looking again took.
    pub elapsed: Duration,
    ended: Option<RepairReport>,
}

/// A finished repair.
#[derive(Debug)]
pub struct Repaired {
    pub report: RepairReport,
    pub position: Position,
}

impl<'a> RepairTask<'a> {
    /// For a sequence that its judgement says to move, or to hold; `observed_only` where a rule says not to repair it.
    pub fn new(subject: Subject<'a>, looked: Looked, headroom: Headroom, observed_only: bool) -> Self {
        Self {
            subject,
            look_only: observed_only.then_some("a rule says repair = false"),
            headroom,
            looked,
            step: None,
            method: None,
            failure: None,
            in_slices: false,
            moves: 0,
            tries: 0,
            charged: 0,
            early: false,
            elapsed: Duration::ZERO,
            ended: None,
        }
    }

    pub fn sequence(&self) -> &'a Sequence {
        self.subject.sequence
    }

    /// What a look goes by, with what was charged so far.
    pub fn subject(&self) -> Subject<'a> {
        self.subject
    }

    pub fn position(&self) -> &Position {
        &self.looked.seen.position
    }

    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// The next move; none when the repair has ended, as it does at once where it is to be held or only looked at.
    pub fn next(&mut self, context: &RepairContext, server: &ServerInfo) -> Option<(Method, ForwardMove)> {
        let sequence = self.subject.sequence;
        let step = match next_move(&self.looked, &self.subject.basis, self.headroom) {
            NextMove::Step(step) => step,
            NextMove::Held(hold) => {
                match self.look_only {
                    // No approval changes what a rule says.
                    Some(why) => {
                        let reason = Reason::new(ReasonKind::RepairDisabled, why);
                        self.ended = Some(RepairReport::new(Outcome::Skipped, None, Some(reason)));
                    }
                    None => self.end_held(&hold),
                }
                return None;
            }
            // It was looked at again since, and is well.
            NextMove::Nothing { .. } | NextMove::Exhausted => {
                self.ended = Some(RepairReport::new(Outcome::Repaired, self.method, None));
                return None;
            }
        };
        let rights = SequenceRights { advance: sequence.may_advance, alter: sequence.may_alter, set: sequence.may_set };
        let cached = sequence.parameters.cache > 1;
        let method = choose_method(step.to, cached, self.subject.basis.settings.advance_limit, rights);
        let report = match (method, context.look_only.or(self.look_only), server.read_only) {
            (Err(missing), _, _) => {
                let reason = missing_right_reason(sequence, missing, &server.role);
                RepairReport::held(missing.word(), missing.method(), reason)
            }
            (Ok(method), Some(why), _) => {
                RepairReport::new(Outcome::Skipped, Some(method), Some(Reason::new(ReasonKind::RepairDisabled, why)))
            }
            (Ok(method), None, Some(why)) => {
                let reason = Reason::new(ReasonKind::ReadOnly, format!("{why}: observed only"));
                RepairReport::held(HoldReason::ReadOnly, Some(method), reason)
            }
            (Ok(method), None, None) => {
                self.step = Some(step);
                if self.in_slices {
                    self.method = Some(Method::Advance);
                    return Some((Method::Advance, context.slice(step.to, self.position())));
                }
                self.method = Some(method);
                return Some((method, step.to));
            }
        };
        self.ended = Some(report);
        None
    }

    /// How many lock timeouts to wait before the next try, where another session holds the lock, or inserts queued behind this
    /// connection's.
    pub fn waits(&self) -> Option<u32> {
        let is_blocked = matches!(self.failure, Some(QueryError::LockNotAvailable | QueryError::QueryCanceled));
        (is_blocked && !self.in_slices).then_some(self.tries + 1)
    }

    /// Records the outcome of a move.
    pub fn attempted(&mut self, outcome: Result<(), QueryError>, timeouts: Timeouts) {
        self.moves += 1;
        self.failure = outcome.err();
        match self.failure {
            None => {}
            Some(QueryError::LockNotAvailable | QueryError::QueryCanceled) => {
                // Calling nextval needs no such lock, where the role may.
                let may_advance = self.subject.sequence.may_advance;
                self.in_slices |= self.method == Some(Method::Leap) && may_advance && self.moves >= LEAPS_BEFORE_SLICES;
            }
            // It never got to its target, because another session set the sequence back meanwhile. That may not happen again.
            Some(QueryError::ConcurrentlyChanged) if self.method == Some(Method::Advance) => {}
            // An event trigger may forbid ALTER SEQUENCE.
            Some(QueryError::Server { .. } | QueryError::Raised { .. })
                if self.method == Some(Method::Leap) && self.subject.sequence.may_advance =>
            {
                self.in_slices = true;
            }
            Some(ref failure) => {
                if failure.is_lost() {
                    self.charge_step();
                }
                self.fail(timeouts);
            }
        }
    }

    /// The connection was lost before the move was sent.
    pub fn not_sent(&mut self) {
        self.step = None;
    }

    /// Charges all of the last move, which may have come as far as it was to.
    fn charge_step(&mut self) {
        if let Some(step) = self.step {
            self.charge(step.charged, step.early);
        }
    }

    /// Ends a round: one that is still open has failed after its last try, unless it came nearer and a long walk or slices go
    /// on.
    pub fn end_round(&mut self, timeouts: Timeouts) {
        let came_nearer =
            self.failure.is_none() && self.moves < MOST_MOVES && (self.in_slices || self.looked.unfinished);
        if self.is_open() && !came_nearer {
            self.tries += 1;
            if self.tries >= TRIES {
                self.fail(timeouts);
            }
        }
    }

    /// Records what was seen after a move.
    pub fn observed(&mut self, seen: LookResult) {
        let gone = || Err(Reason::new(ReasonKind::ConcurrentlyChanged, "there is nothing to read any more"));
        let now = match seen.unwrap_or_else(gone) {
            Ok(now) => now,
            Err(reason) => {
                self.charge_step();
                let reason = reason.while_doing("could not look again");
                self.ended = Some(RepairReport::new(Outcome::Failed, self.method, Some(reason)));
                return;
            }
        };
        let before = self.looked.seen.position;
        let reached =
            self.step.is_some_and(|step| !now.seen.position.is_before(step.to.last) && !is_at(&now, step.to.last));
        let had_headroom = self.headroom.of_run > 0 && reached;
        if let Some(step) = self.step {
            let moved = before.next_value().map_or(0, |before| now.seen.position.values_since(before));
            self.charge(step.charged.min(moved), step.early && moved > 0);
        }
        let unfinished = std::mem::replace(&mut self.looked, now).unfinished;
        // Headroom is counted from the max id that the repair was made for: rows that came since may use it.
        let headroom = if had_headroom { Headroom { of_run: 0, ..self.headroom } } else { self.headroom };
        if had_headroom {
            self.looked.seen.position = self.looked.seen.position.with_headroom(0);
        }
        let rest = self.step.and_then(|step| step.rest).filter(|_| reached);
        match next_move(&self.looked, &self.subject.basis, headroom) {
            NextMove::Step(_) if rest.is_some() && !unfinished => self.end_repaired(rest.as_ref()),
            NextMove::Step(_) => {}
            NextMove::Held(hold) if reached => self.end_repaired(Some(&hold)),
            NextMove::Held(hold) => self.end_held(&hold),
            NextMove::Nothing { .. } => self.end_repaired(None),
            // Other sessions took the last values meanwhile, or the advance did by taking whole caches.
            NextMove::Exhausted => {
                let used_up = exhausted_reason(self.subject.sequence, &self.looked.seen);
                self.end_at(Outcome::Failed, Some(used_up.while_doing("it is past the ids now, and used up")));
            }
        }
    }

    /// Takes what a move burnt from the allowance.
    fn charge(&mut self, charged: u128, early: bool) {
        self.charged += charged;
        self.early |= early;
        match &mut self.subject.basis.memory {
            Memory::Lasting(history) => {
                history.charged = history.charged.saturating_add(charged);
                history.passed_early |= early;
            }
            Memory::RunOnly { charged: sum } => *sum = sum.saturating_add(charged),
        }
    }

    fn end_held(&mut self, hold: &Hold) {
        let (held_by, reason) = held(self.subject.sequence, &self.looked, hold);
        self.ended = Some(RepairReport::held(held_by, None, reason));
    }

    /// It was moved as far as it is to be; `rest` is what stays ahead, and why.
    fn end_repaired(&mut self, rest: Option<&Hold>) {
        let rest = rest.map(|hold| held(self.subject.sequence, &self.looked, hold));
        let cached = self.method.and_then(|method| still_cached_reason(self.subject.sequence, method));
        let held_by = rest.as_ref().map(|(held_by, _)| *held_by);
        self.end_at(Outcome::Repaired, rest.map(|(_, reason)| reason).or(cached));
        if let Some(ended) = &mut self.ended {
            ended.held_by = held_by;
        }
    }

    fn end_at(&mut self, outcome: Outcome, reason: Option<Reason>) {
        let position = &self.looked.seen.position;
        self.ended = Some(RepairReport {
            next_value: position.next_value(),
            used_ratio: Some(position.used_ratio()),
            ..RepairReport::new(outcome, self.method, reason)
        });
    }

    /// Ends it as failed, unless it has ended.
    fn fail(&mut self, timeouts: Timeouts) {
        if self.is_open() {
            self.ended = Some(self.failed_report(self.failure.as_ref(), timeouts));
        }
    }

    /// What became of it. A repair that was not begun has failed: the connections were lost.
    pub fn finish(self, timeouts: Timeouts) -> Repaired {
        let lost = || {
            self.failed_report(
                Some(&QueryError::ConnectionLost("it ended before this was repaired".to_owned())),
                timeouts,
            )
        };
        let ended = self.ended.clone().unwrap_or_else(lost);
        Repaired {
            report: RepairReport {
                duration_seconds: self.elapsed.as_secs_f64(),
                charged: self.charged,
                early: self.early,
                ..ended
            },
            position: self.looked.seen.position,
        }
    }

    fn failed_report(&self, error: Option<&QueryError>, timeouts: Timeouts) -> RepairReport {
        let reason = failed_reason(self.subject.sequence, self.method, error, timeouts);
        RepairReport::new(Outcome::Failed, self.method, Some(reason))
    }
}

fn is_at(now: &Looked, value: i64) -> bool {
    now.seen.position.next() == i128::from(value)
}
