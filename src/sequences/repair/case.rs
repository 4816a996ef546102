//! One repair: what is to be done next, and what came of it. Pure.

use super::plan::{Plan, Policy, Rights, choose};
use super::reasons::{failed, held, still_cached};
use crate::db::{Bounds, Failure, Server};
use crate::report::{HeldBy, Method, Outcome, RepairReport};
use crate::sequences::catalog::Sequence;
use crate::sequences::finding::used_up;
use crate::sequences::observe::{Observation, Seen};
use crate::sequences::verdict::{Judgement, Move};
use std::time::Duration;

/// What all repairs of a pass need to know.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    pub policy: Policy,
    /// Values to be left unused beyond the frontier, however far the sequence is.
    pub keep: u32,
    pub bounds: Bounds,
    /// Why nothing is to be changed, if so.
    pub look_only: Option<&'static str>,
}

/// A sequence that is behind, and how far its repair has come.
#[derive(Debug)]
pub struct Case<'a> {
    pub sequence: &'a Sequence,
    /// The operator lets a held leap of this sequence through.
    approved: bool,
    pub seen: Observation,
    /// What it must get beyond: at or past its next value.
    pub frontier: i64,
    /// The move that was tried last, or is meant.
    method: Option<Method>,
    failure: Option<Failure>,
    /// Its share of what moving and looking again took.
    pub took: Duration,
    ended: Option<RepairReport>,
}

impl<'a> Case<'a> {
    /// `frontier` was seen at or past the next value.
    pub fn new(sequence: &'a Sequence, seen: Observation, frontier: i64, approved: bool) -> Self {
        let took = Duration::ZERO;
        Self { sequence, approved, seen, frontier, method: None, failure: None, took, ended: None }
    }

    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// Ends it at once if it is to be held, or only looked at.
    pub fn settle(&mut self, terms: &Terms, server: &Server) {
        self.next(terms, server);
    }

    /// What is to be done next; with none, the repair has ended.
    pub fn next(&mut self, terms: &Terms, server: &Server) -> Option<(Method, Move)> {
        let sequence = self.sequence;
        let rights = Rights { advance: sequence.may_advance, alter: sequence.may_alter, set: sequence.may_set };
        let cached = sequence.parameters.cache > 1;
        let report = match choose(&self.seen.position, self.frontier, cached, &terms.policy, rights, self.approved) {
            Plan::Held { method, because } => {
                let reason = held(sequence, &self.seen, self.frontier, because, &server.role);
                RepairReport { held_by: Some(because.word()), ..report(Outcome::Held, method, Some(reason)) }
            }
            Plan::Mend { method, step } => match (terms.look_only, server.read_only) {
                (Some(why), _) => report(Outcome::Skipped, Some(method), Some(why.to_owned())),
                (None, Some(why)) => RepairReport {
                    held_by: Some(HeldBy::ReadOnly),
                    ..report(Outcome::Held, Some(method), Some(format!("{why}: observed only")))
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
    pub fn max_ratio(&self, policy: &Policy) -> f64 {
        if self.approved { 1.0 } else { policy.max_leap_ratio }
    }

    /// Whether the frontier is to be read again under the lock. Where that took too long, it was read just before, and
    /// looking again tells.
    pub fn read_again(&self) -> bool {
        self.failure != Some(Failure::TooSlow)
    }

    /// Whoever holds the lock needs a moment, and inserts that queued behind us go first.
    pub fn waits(&self) -> bool {
        matches!(self.failure, Some(Failure::Locked | Failure::TooSlow))
    }

    /// Takes in what came of a move.
    pub fn moved(&mut self, outcome: Result<(), Failure>, bounds: Bounds) {
        self.failure = outcome.err();
        match self.failure {
            None | Some(Failure::Locked | Failure::TooSlow) => {}
            // It never got as far as it was to: somebody set it back meanwhile, and may not do so again.
            Some(Failure::Changed) if self.method == Some(Method::Advance) => {}
            Some(_) => self.give_up(bounds),
        }
    }

    /// Takes in what is true after a move.
    pub fn looked(&mut self, seen: Seen, role: &str) {
        let now = match seen.unwrap_or_else(|| Err("there is nothing to read any more".to_owned())) {
            Ok(now) => now,
            Err(reason) => {
                let reason = format!("could not look again: {reason}");
                self.ended = Some(report(Outcome::Failed, self.method, Some(reason)));
                return;
            }
        };
        let (outcome, reason) = match (now.position.judge(now.frontier), now.origin()) {
            (Judgement::Behind { .. }, Some(origin)) if still_behind(&now, self.frontier) => {
                (self.seen, self.frontier) = (now, origin);
                return;
            }
            // Others took the last values meanwhile, or an advance did by taking whole caches.
            (Judgement::Exhausted, _) => {
                let used_up = used_up(self.sequence, &now);
                (Outcome::Failed, Some(format!("it is past the ids now, and used up: {used_up}")))
            }
            _ => (Outcome::Repaired, self.method.and_then(|method| still_cached(self.sequence, method, role))),
        };
        let next_value = now.position.next_value();
        self.ended = Some(RepairReport { next_value, ..report(outcome, self.method, reason) });
    }

    /// It has come to no end of its own.
    pub fn give_up(&mut self, bounds: Bounds) {
        if self.is_open() {
            self.ended = Some(self.unmended(self.failure.as_ref(), bounds));
        }
    }

    /// What came of it. What nobody has come to fails, as the connections were lost.
    pub fn report(self, bounds: Bounds) -> RepairReport {
        let lost = || self.unmended(Some(&Failure::Lost("it ended before this was mended".to_owned())), bounds);
        let ended = self.ended.clone().unwrap_or_else(lost);
        RepairReport { duration_seconds: self.took.as_secs_f64(), ..ended }
    }

    fn unmended(&self, failure: Option<&Failure>, bounds: Bounds) -> RepairReport {
        report(Outcome::Failed, self.method, Some(failed(self.sequence, self.method, failure, bounds)))
    }
}

fn report(outcome: Outcome, method: Option<Method>, reason: Option<String>) -> RepairReport {
    RepairReport { outcome, method, next_value: None, held_by: None, reason, duration_seconds: 0.0 }
}

/// Whether a repair is still owed. A headroom is owed to the frontier that it was made for, `from`: rows that came since
/// are what it is there for.
fn still_behind(now: &Observation, from: i64) -> bool {
    let behind = |judgement| matches!(judgement, Judgement::Behind { .. });
    let short = now.position.kept() > 0 && behind(now.position.judge(Some(from)));
    short || behind(now.position.keeping(0).judge(now.frontier))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequences::verdict::{ColumnRange, Parameters, Position, State};

    /// The next value is `next`, ids go up to `frontier`, and `keep` values between them are asked for.
    fn seen(next: i64, frontier: i64, keep: u32) -> Observation {
        let parameters =
            Parameters { increment: 1, min_value: 1, max_value: i64::MAX, start: 1, cache: 1, cycle: false };
        let state = State { last_value: next, is_called: false };
        let position = Position::new(parameters, state, ColumnRange::INT8).keeping(keep);
        Observation { position, frontier: Some(frontier), reads: 1 }
    }

    #[test]
    fn a_headroom_is_owed_to_the_frontier_that_it_was_made_for() {
        assert!(!still_behind(&seen(151, 50, 100), 50));
        assert!(!still_behind(&seen(151, 149, 100), 50), "rows that came since have used some of it up");
        assert!(still_behind(&seen(151, 151, 100), 50), "or all of it");
        assert!(still_behind(&seen(120, 50, 100), 50), "it never got there, or was set back");
    }

    #[test]
    fn without_a_headroom_only_the_frontier_of_now_counts() {
        assert!(!still_behind(&seen(51, 50, 0), 50));
        assert!(still_behind(&seen(51, 60, 0), 50));
        assert!(!still_behind(&seen(30, 20, 0), 50), "the row that was furthest is gone");
    }
}
