//! One round: from where both databases stand to the moves that bring NEW ahead.

use super::carry::{Move, MoveMethod, carry};
use super::pairs::{Pair, Standing};
use super::report::{CarryOutcome, CarryReport};
use super::request::Request;
use super::sides::Side;
use super::target::{lead, most_spared, target};
use pgmedic_core::sequence::Method;
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::sequence::position::{ForwardMove, Position};
use pgmedic_core::sequence::reasons::{become_owner, still_cached_reason};
use pgmedic_core::{QueryError, Reason, ReasonKind, Timeouts};

/// Moves every sequence of NEW that has fewer than its `headroom` values left beyond OLD, and says in `reports` what came
/// of it. Returns how many were moved.
pub async fn carry_round(
    new: &mut Side,
    pairs: &[Pair<'_>],
    standings: &[Standing],
    headroom: impl Fn(usize) -> u32,
    request: &Request,
    reports: &mut [CarryReport],
) -> usize {
    let role = new.connections.first().map_or(String::new(), |connection| connection.server().role.clone());
    let (mut moves, mut moved) = (Vec::new(), Vec::new());
    for (index, (pair, standing)) in pairs.iter().zip(standings).enumerate() {
        let report = &mut reports[index];
        pair.record(standing, report);
        pair.record_unreadable(standing, report);
        let (Some((old, at)), Some(sequence)) = (standing.both(), pair.new) else { continue };
        if !pair.is_carried(standing, request.confirmed) {
            continue;
        }
        let wanted = if pair.cycles() { 0 } else { headroom(index) };
        let Some(step) = next_step(sequence, at, old.next(), wanted, report) else { continue };
        match method(sequence, step, request.settings.advance_limit, &role) {
            Ok(method) => {
                moves.push(Move { sequence, step, method });
                moved.push(index);
            }
            Err(reason) => report.hold(reason),
        }
    }
    let timeouts = request.settings.bounds();
    let outcomes = carry(&mut new.connections, &moves, timeouts).await;
    let mut succeeded = 0;
    for ((index, planned), outcome) in moved.into_iter().zip(&moves).zip(outcomes) {
        let report = &mut reports[index];
        match outcome {
            Ok(()) => {
                succeeded += 1;
                report.outcome = CarryOutcome::Carried;
                report.failure = None;
                if planned.method == MoveMethod::Advance {
                    let cached = still_cached_reason(planned.sequence, Method::Advance);
                    report.notes.extend(cached.filter(|reason| !report.notes.contains(reason)));
                }
            }
            Err(error) => {
                report.outcome = CarryOutcome::Failed;
                report.failure = Some(failed(&error, timeouts));
            }
        }
    }
    succeeded
}

/// The move that a sequence needs, if any; says in `report` where it is held, or cannot spare the headroom.
fn next_step(
    sequence: &Sequence,
    at: &Position,
    old_next: i128,
    wanted: u32,
    report: &mut CarryReport,
) -> Option<ForwardMove> {
    let Some(target) = target(at, old_next, sequence.parameters.increment, wanted) else {
        let text = format!("the next value in OLD, {old_next}, leaves no value before the limit {} in NEW", at.limit());
        report.hold(Reason::new(ReasonKind::Limit, text));
        return None;
    };
    let is_short = lead(at, old_next, sequence.parameters.increment) < i128::from(wanted / 2);
    if target.headroom < wanted && is_short {
        let most = most_spared(at, old_next, sequence.parameters.increment);
        let text = format!(
            "the headroom of {wanted} is more than a quarter of the values that are left before the limit {} in NEW, and none \
             of it is taken: values cannot be given back; it can spare --headroom {most}",
            at.limit()
        );
        let reason = Reason::new(ReasonKind::Headroom, text);
        if !report.reasons.iter().any(|known| known.kind == ReasonKind::Headroom) {
            report.reasons.push(reason);
        }
    }
    target.step
}

/// How the role may move the sequence.
fn method(sequence: &Sequence, step: ForwardMove, advance_limit: u32, role: &str) -> Result<MoveMethod, Reason> {
    let Sequence { name, owner, .. } = sequence;
    if sequence.may_alter && sequence.may_set {
        return Ok(MoveMethod::Leap);
    }
    let near = step.values <= u128::from(advance_limit);
    if sequence.may_advance && near && !sequence.parameters.cycle {
        return Ok(MoveMethod::Advance);
    }
    Err(if sequence.may_alter {
        Reason::missing_privilege(&format!("UPDATE ON SEQUENCE {name}"), role)
    } else if sequence.owner_is_superuser {
        let text = format!("only its owner may move it, and its owner {owner} is a superuser: name that role in --to");
        Reason::new(ReasonKind::Ownership, text)
    } else {
        Reason::new(ReasonKind::Ownership, "only its owner may move it so far").with_fix(become_owner(sequence, role))
    })
}

fn failed(error: &QueryError, timeouts: Timeouts) -> Reason {
    let text = match error {
        QueryError::LockNotAvailable => format!(
            "another session used the sequence in NEW for longer than lock_timeout ({}); nothing was changed: run again",
            humantime::format_duration(timeouts.lock)
        ),
        QueryError::ConcurrentlyChanged => "altered or replaced in NEW during the run; run again".to_owned(),
        error => return Reason::from(error),
    };
    Reason::new(error.kind(), text)
}
