//! Mending a sequence that is behind.
//!
//! Here is the order of things: choose, move (`moves`), look again, and say what is true then.

use super::catalog::Sequence;
use super::finding::used_up;
use super::moves::{Leap, advance, leap};
use super::observe::{Observation, observe};
use super::plan::{Guard, Plan, Policy, Rights, choose};
use super::verdict::Judgement;
use crate::db::{Bounds, Failure, Session};
use crate::report::{HeldBy, Method, Outcome, Progress, RepairReport, shell_word};
use std::time::Instant;

/// Tries before giving up: others may hold the lock, or insert ids past the frontier, only so often.
const TRIES: u32 = 3;

/// What a repair needs to know besides the sequence.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    pub policy: Policy,
    /// Values to be left unused beyond the frontier, however far the sequence is.
    pub keep: u32,
    pub bounds: Bounds,
    /// Why nothing is to be changed, if so.
    pub look_only: Option<&'static str>,
    /// The operator lets a held leap of this sequence through.
    pub approved: bool,
}

/// Mends `sequence`, whose `frontier` was seen at or past its next value, and looks again.
pub async fn repair(
    session: &mut Session,
    sequence: &Sequence,
    seen: Observation,
    frontier: i64,
    terms: &Terms,
) -> RepairReport {
    let started = Instant::now();
    let mut report = attempt(session, sequence, seen, frontier, terms).await;
    report.duration_seconds = started.elapsed().as_secs_f64();
    report
}

async fn attempt(
    session: &mut Session,
    sequence: &Sequence,
    mut seen: Observation,
    mut frontier: i64,
    terms: &Terms,
) -> RepairReport {
    let rights = Rights { advance: sequence.may_advance, alter: sequence.may_alter, set: sequence.may_set };
    let cached = sequence.parameters.cache > 1;
    let mut last = (None, None);
    for attempt in 1..=TRIES {
        let plan = choose(&seen.position, frontier, cached, &terms.policy, rights, terms.approved);
        let (method, step) = match plan {
            Plan::Held { method, because } => {
                let reason = held(sequence, &seen, frontier, because, &session.server().role);
                return RepairReport { held_by: Some(because.word()), ..report(Outcome::Held, method, Some(reason)) };
            }
            Plan::Mend { method, step } => (method, step),
        };
        if let Some(why) = terms.look_only {
            return report(Outcome::Skipped, Some(method), Some(why.to_owned()));
        }
        if let Some(why) = session.server().read_only {
            return RepairReport {
                held_by: Some(HeldBy::ReadOnly),
                ..report(Outcome::Held, Some(method), Some(format!("{why}: observed only")))
            };
        }
        let moved = match method {
            Method::Advance => advance(session, sequence, step, terms.bounds).await,
            Method::Leap => {
                // A frontier that took too long to read under the lock was read just before; looking again tells.
                let read_again = !matches!(last, (_, Some(Failure::TooSlow)));
                let max_ratio = if terms.approved { 1.0 } else { terms.policy.max_leap_ratio };
                let move_by = Leap { seen: &seen, frontier, step, max_ratio, read_again };
                leap(session, sequence, move_by, terms.bounds).await
            }
        };
        last = (Some(method), moved.err());
        match last.1 {
            None => {}
            Some(Failure::Locked | Failure::TooSlow) => {
                // Whoever holds the lock needs a moment, and inserts that queued behind us go first.
                session.pause(terms.bounds.lock * attempt).await;
            }
            // It never got as far as it was to: somebody set it back meanwhile, and may not do so again.
            Some(Failure::Changed) if method == Method::Advance => {}
            Some(_) => break,
        }
        let now = match look_again(session, sequence, terms).await {
            Ok(now) => now,
            Err(reason) => {
                return report(Outcome::Failed, Some(method), Some(format!("could not look again: {reason}")));
            }
        };
        match (now.position.judge(now.frontier), now.origin()) {
            (Judgement::Behind { .. }, Some(origin)) if still_behind(&now, frontier) => {
                (seen, frontier) = (now, origin)
            }
            // Others took the last values meanwhile, or an advance did by taking whole caches.
            (Judgement::Exhausted, _) => {
                let reason = format!("it is past the ids now, and used up: {}", used_up(sequence, &now));
                return RepairReport {
                    next_value: now.position.next_value(),
                    ..report(Outcome::Failed, Some(method), Some(reason))
                };
            }
            _ => {
                let reason = still_cached(sequence, method, &session.server().role);
                return RepairReport {
                    next_value: now.position.next_value(),
                    ..report(Outcome::Repaired, Some(method), reason)
                };
            }
        }
    }
    let (method, failure) = last;
    report(Outcome::Failed, method, Some(failed(sequence, method, failure, terms.bounds)))
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

async fn look_again(session: &mut Session, sequence: &Sequence, terms: &Terms) -> Result<Observation, String> {
    let sessions = std::slice::from_mut(session);
    match observe(sessions, &[sequence], terms.keep, terms.bounds, &Progress::default()).await.pop().flatten() {
        Some(seen) => seen,
        None => Err("there is nothing to read any more".to_owned()),
    }
}

/// Which guard said no, and what lets the repair through.
pub fn held(sequence: &Sequence, seen: &Observation, frontier: i64, guard: Guard, role: &str) -> String {
    let Sequence { name, owner, .. } = sequence;
    let beyond = match seen.position.kept() {
        0 => String::new(),
        values => format!(" and {values} values beyond it"),
    };
    match guard {
        Guard::NoRoom => format!(
            "id {frontier}{beyond} leaves no value before the limit {}: correct that id if it is a mistake, else widen the \
             sequence or the column",
            seen.position.limit()
        ),
        Guard::TooFar { ratio } => format!(
            "moving past id {frontier}{beyond} would use {:.0} % of the values left, more than max_leap_ratio: correct that \
             id if it is a mistake, else run pgmedic --once --approve {}",
            ratio * 100.0,
            shell_word(name)
        ),
        Guard::NotOwner => format!(
            "the gap is wider than advance_limit, and only an owner may leap: GRANT {owner} TO {role}, or raise \
             advance_limit"
        ),
        Guard::NoUpdate => format!("a privilege is missing: GRANT UPDATE ON SEQUENCE {name} TO {role}"),
        Guard::NoPrivilege => format!("a privilege is missing: GRANT USAGE ON SEQUENCE {name} TO {role}"),
    }
}

/// What an advance leaves undone where sessions hold values of their own.
fn still_cached(sequence: &Sequence, method: Method, role: &str) -> Option<String> {
    (method == Method::Advance && sequence.parameters.cache > 1).then(|| {
        format!(
            "sessions that hold cached values (CACHE {}) may still hand out taken ids; only an owner can take them \
             away: GRANT {} TO {role}",
            sequence.parameters.cache, sequence.owner
        )
    })
}

fn failed(sequence: &Sequence, method: Option<Method>, failure: Option<Failure>, bounds: Bounds) -> String {
    let limit = humantime::format_duration(bounds.lock);
    match failure {
        Some(Failure::Locked) => format!(
            "another session held {} in an open transaction, or a lock on a table it feeds, for longer than \
             lock_timeout ({limit}); nothing was changed; run again",
            sequence.name
        ),
        Some(Failure::TooSlow) if method == Some(Method::Advance) => format!(
            "handing out values took longer than statement_timeout ({}); it is nearer now, and never further: run again",
            humantime::format_duration(bounds.statement)
        ),
        Some(Failure::TooSlow) => format!(
            "it would have kept inserts waiting for longer than lock_timeout ({limit}); nothing was changed; run again"
        ),
        Some(Failure::Changed) => {
            "altered, replaced or set back by somebody else during the pass; run again".to_owned()
        }
        Some(failure) => failure.to_string(),
        None => format!("still behind after {TRIES} repairs: ids past it are being inserted all the time"),
    }
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
