//! From what was discovered and seen to what is reported: pure.

use super::catalog::{FeedProblem, Sequence};
use super::observe::Observation;
use super::position::Comparison;
use crate::config::DeclaredFeed;
use crate::report::{FeedReport, Link, SequenceReport, Verdict};

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

/// Which limit was reached, and what widens it.
pub fn exhausted_reason(sequence: &Sequence, seen: &Observation) -> String {
    let limit = seen.position.limit();
    let Some(next) = seen.position.next_value() else {
        let name = &sequence.name;
        let full: Vec<&str> = sequence
            .feeds
            .iter()
            .filter(|feed| feed.source.as_ref().is_ok_and(|source| source.range.is_full_at(limit)))
            .map(|feed| feed.report.column.as_str())
            .collect();
        let first = if full.is_empty() { String::new() } else { format!("{} to bigint, and ", full.join(", ")) };
        return format!(
            "nextval fails: its own bound {limit} is reached; widen {first}the sequence: \
             ALTER SEQUENCE {name} AS bigint NO MINVALUE NO MAXVALUE"
        );
    };
    let columns: Vec<&str> = sequence.feeds.iter().map(|feed| feed.report.column.as_str()).collect();
    let columns = columns.join(", ");
    format!("inserts fail: the next value {next} is past {limit}, the last that {columns} can hold; widen the column")
}
