//! From what was discovered and seen to what is reported: pure.

use crate::config::DeclaredFeed;
use crate::report::{SequenceReport, Verdict};
use pgmedic_core::sequence::model::{FeedProblem, Sequence};
use pgmedic_core::sequence::observation::Observation;
use pgmedic_core::sequence::position::Comparison;
use pgmedic_core::sequence::reasons::exhausted_reason;
use pgmedic_core::sequence::{FeedReport, Link};

/// The finding before any repair; with what was seen and what it must get beyond when the sequence is behind.
pub fn finding(
    sequence: &Sequence,
    seen: Option<&Result<Observation, String>>,
) -> (SequenceReport, Option<(Observation, i64)>) {
    let observation = seen.and_then(|seen| seen.as_ref().ok());
    let (verdict, reasons) = verdict(sequence, seen);
    let judged = matches!(verdict, Verdict::InSync | Verdict::Behind | Verdict::Exhausted);
    let behind = observation
        .filter(|_| verdict == Verdict::Behind)
        .and_then(|observation| Some((*observation, observation.origin()?)));
    let report = SequenceReport {
        name: sequence.name.clone(),
        feeds: sequence.feeds.iter().map(|feed| feed.report.clone()).collect(),
        next_value: observation.and_then(|observation| observation.position.next_value()),
        max_id: observation.and_then(|observation| observation.max_id),
        // Within the sequence's own bounds, and so one.
        limit: observation.and_then(|observation| i64::try_from(observation.position.limit()).ok()),
        verdict,
        lag: observation.filter(|_| judged).map(|observation| observation.lag()),
        used_ratio: observation.map(|observation| observation.position.used_ratio()),
        cause: None,
        reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
        repair: None,
    };
    (report, behind)
}

/// A declared feed whose sequence does not exist in `database`.
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
        cause: None,
        reason: Some(format!(
            "sequences.feeds declares this sequence, and database {database} has none of that name; correct the \
             name, or add database = \"…\" to that entry"
        )),
        repair: None,
    }
}

fn verdict(sequence: &Sequence, seen: Option<&Result<Observation, String>>) -> (Verdict, Vec<String>) {
    // A privilege is no fix where there is nothing to look at.
    let problem = sequence.problem.iter().filter(|_| sequence.is_observable());
    let mut unreadable: Vec<String> = problem.cloned().collect();
    let mut unsupported = Vec::new();
    for feed in &sequence.feeds {
        match &feed.source {
            Ok(_) => {}
            Err(FeedProblem::Unreadable(reason) | FeedProblem::Refused { reason, .. }) => {
                unreadable.push(reason.clone())
            }
            Err(FeedProblem::Unsupported(reason)) => unsupported.push(reason.clone()),
        }
    }
    if let Some(Err(reason)) = seen {
        unreadable.push(reason.clone());
    }
    let with_notes = |mut reasons: Vec<String>| {
        reasons.extend(sequence.notes.iter().cloned());
        reasons
    };
    if sequence.parameters.cycle {
        let reason = "it cycles: after its bound it hands out old values again, so it is never repaired";
        return (Verdict::Unsupported, with_notes(vec![reason.to_owned()]));
    }
    let observation = seen.and_then(|seen| seen.as_ref().ok());
    let judgement = observation.map(|seen| seen.position.compare(seen.max_id));
    match judgement {
        Some(Comparison::Exhausted) => (
            Verdict::Exhausted,
            with_notes(observation.map(|seen| exhausted_reason(sequence, seen)).into_iter().collect()),
        ),
        // Law 3: without a known link there is nothing to compare with.
        _ if sequence.feeds.is_empty() => {
            let reason = "no ownership, default or declared link says which column it feeds";
            unreadable.push(reason.to_owned());
            (Verdict::Unlinked, with_notes(unreadable))
        }
        // What is known to be behind is, whatever an unsupported column holds.
        Some(Comparison::Behind { .. }) => {
            unsupported.extend(observation.and_then(headroom_reason));
            (Verdict::Behind, with_notes(unsupported))
        }
        Some(Comparison::InSync) if unsupported.is_empty() => (Verdict::InSync, with_notes(Vec::new())),
        _ if !unreadable.is_empty() => (Verdict::Unreadable, with_notes(unreadable)),
        // Law 2: an unsupported column may hold ids beyond those that were seen.
        _ => (Verdict::Unsupported, with_notes(unsupported)),
    }
}

/// That only the headroom is missing which the run asks for: no insert would fail.
fn headroom_reason(seen: &Observation) -> Option<String> {
    let Observation { position, max_id, .. } = seen;
    let beyond = position.with_headroom(0).compare(*max_id) == Comparison::InSync;
    let to = max_id.map_or("its start".to_owned(), |id| format!("id {id}"));
    beyond.then(|| {
        format!("fewer than the {} values of --headroom lie between {to} and the next value", position.headroom())
    })
}
