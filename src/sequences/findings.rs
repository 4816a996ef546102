//! From what was discovered and read of a sequence to its report. Pure.

use crate::config::DeclaredFeed;
use crate::report::{SequenceReport, Verdict, is_running_out};
use pgmedic_core::sequence::model::{FeedProblem, Sequence};
use pgmedic_core::sequence::observation::Observation;
use pgmedic_core::sequence::position::Comparison;
use pgmedic_core::sequence::reasons::exhausted_reason;
use pgmedic_core::sequence::{FeedReport, Link};
use pgmedic_core::{Reason, ReasonKind};

/// The report before any repair; and where the sequence is behind, what was read and the id that it must get beyond.
pub fn finding(
    sequence: &Sequence,
    seen: Option<&Result<Observation, Reason>>,
) -> (SequenceReport, Option<(Observation, i64)>) {
    let (verdict, reasons) = verdict(sequence, seen);
    let mut reasons = reasons.into_iter();
    let mut report = SequenceReport {
        name: sequence.name.clone(),
        feeds: sequence.feeds.iter().map(|feed| feed.report.clone()).collect(),
        next_value: None,
        max_id: None,
        limit: None,
        verdict,
        lag: None,
        used_ratio: None,
        running_out: false,
        cause: None,
        reason: reasons.next(),
        notes: reasons.collect(),
        repair: None,
    };
    let Some(Ok(observation)) = seen else { return (report, None) };
    let used_ratio = observation.position.used_ratio();
    report.next_value = observation.position.next_value();
    report.max_id = observation.max_id;
    // Never lost: the limit lies within the sequence's bounds, which are bigints.
    report.limit = i64::try_from(observation.position.limit()).ok();
    report.used_ratio = Some(used_ratio);
    report.running_out = is_running_out(verdict, used_ratio);
    if matches!(verdict, Verdict::InSync | Verdict::Behind | Verdict::Exhausted) {
        report.lag = Some(observation.lag());
    }
    let behind = match (verdict, observation.origin()) {
        (Verdict::Behind, Some(origin)) => Some((*observation, origin)),
        _ => None,
    };
    (report, behind)
}

/// The report of a declared feed whose sequence does not exist in `database`.
pub fn missing_sequence(feed: &DeclaredFeed, database: &str) -> SequenceReport {
    SequenceReport {
        name: feed.sequence.to_string(),
        feeds: vec![FeedReport { column: feed.column.to_string(), link: Link::Declared }],
        next_value: None,
        max_id: None,
        limit: None,
        verdict: Verdict::Unreadable,
        lag: None,
        used_ratio: None,
        running_out: false,
        cause: None,
        reason: Some(missing_sequence_reason(database)),
        notes: Vec::new(),
        repair: None,
    }
}

/// Why a declared feed whose sequence does not exist is not looked at.
pub fn missing_sequence_reason(database: &str) -> Reason {
    Reason::new(
        ReasonKind::Configuration,
        format!(
            "sequences.feeds declares this sequence, and database {database} has none of that name; correct the \
             name, or add database = \"…\" to that entry"
        ),
    )
}

/// The verdict and its reasons, the decisive one first; links that do not count come last.
fn verdict(sequence: &Sequence, seen: Option<&Result<Observation, Reason>>) -> (Verdict, Vec<Reason>) {
    let (verdict, mut reasons) = verdict_without_notes(sequence, seen);
    reasons.extend(sequence.notes.iter().cloned());
    (verdict, reasons)
}

fn verdict_without_notes(sequence: &Sequence, seen: Option<&Result<Observation, Reason>>) -> (Verdict, Vec<Reason>) {
    if sequence.parameters.cycle {
        let text = "it cycles: after its bound it hands out old values again, so it is never repaired";
        return (Verdict::Unsupported, vec![Reason::new(ReasonKind::Cycle, text)]);
    }
    let (mut unreadable, mut unsupported) = feed_problems(sequence);
    let observation = match seen {
        Some(Ok(observation)) => Some(observation),
        Some(Err(reason)) => {
            unreadable.push(reason.clone());
            None
        }
        None => None,
    };
    let comparison = observation.map(|seen| (seen, seen.position.compare(seen.max_id)));
    match comparison {
        Some((seen, Comparison::Exhausted)) => (Verdict::Exhausted, vec![exhausted_reason(sequence, seen)]),
        // Law 3: without a known link there is nothing to compare with.
        _ if sequence.feeds.is_empty() => {
            let text = "no ownership, default or declared link says which column it feeds";
            unreadable.insert(0, Reason::new(ReasonKind::Unlinked, text));
            (Verdict::Unlinked, unreadable)
        }
        // Drift past a readable column is drift, also where another column is unsupported.
        Some((seen, Comparison::Behind { .. })) => {
            unsupported.extend(headroom_reason(seen));
            (Verdict::Behind, unsupported)
        }
        Some((_, Comparison::InSync)) if unsupported.is_empty() => (Verdict::InSync, Vec::new()),
        _ if !unreadable.is_empty() => (Verdict::Unreadable, unreadable),
        // Law 2: an unsupported column may hold ids beyond those that were seen.
        _ => (Verdict::Unsupported, unsupported),
    }
}

/// Why the sequence or its columns cannot be read for now, and why they cannot be compared at all.
fn feed_problems(sequence: &Sequence) -> (Vec<Reason>, Vec<Reason>) {
    let (mut unreadable, mut unsupported) = (Vec::new(), Vec::new());
    // Where there is nothing to read, a missing privilege is no reason.
    if let (Some(problem), true) = (&sequence.problem, sequence.is_observable()) {
        unreadable.push(problem.clone());
    }
    for feed in &sequence.feeds {
        match &feed.source {
            Ok(_) => {}
            Err(FeedProblem::Unreadable(reason) | FeedProblem::Refused { reason, .. }) => {
                unreadable.push(reason.clone());
            }
            Err(FeedProblem::Unsupported(reason)) => unsupported.push(reason.clone()),
        }
    }
    (unreadable, unsupported)
}

/// That only the headroom which the run asks for is missing: no insert would fail.
fn headroom_reason(seen: &Observation) -> Option<Reason> {
    let Observation { position, max_id, .. } = seen;
    if position.with_headroom(0).compare(*max_id) != Comparison::InSync {
        return None;
    }
    let from = max_id.map_or("its start".to_owned(), |id| format!("id {id}"));
    let headroom = position.headroom();
    let text = format!("fewer than the {headroom} values of --headroom lie between {from} and the next value");
    Some(Reason::new(ReasonKind::Headroom, text))
}
