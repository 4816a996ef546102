//! From what was discovered and read of a sequence to its report. Pure.

use super::moves::NextMove;
use crate::config::{DeclaredFeed, Sequences};
use crate::report::{Cause, FarIds, SequenceReport, Verdict, is_running_out};
use pgmedic_core::sequence::ahead::Looked;
use pgmedic_core::sequence::held_reasons::part_of_key_note;
use pgmedic_core::sequence::judgement::Hold;
use pgmedic_core::sequence::limits::limited_by;
use pgmedic_core::sequence::model::{FeedProblem, Sequence};
use pgmedic_core::sequence::reasons::{exhausted_reason, rewound_reason, running_out_reason};
use pgmedic_core::sequence::{FeedReport, Link};
use pgmedic_core::{Reason, ReasonKind};

/// What was seen of a sequence, and what is to be done about it.
pub type Judged = Option<Result<(Looked, NextMove), Reason>>;

/// The report before any repair.
pub fn finding(sequence: &Sequence, judged: &Judged, settings: &Sequences) -> SequenceReport {
    let (verdict, reasons) = verdict(sequence, judged);
    let mut reasons = reasons.into_iter();
    let feeds = sequence.feeds.iter().map(|feed| feed.report.clone()).collect();
    let mut report = SequenceReport {
        reason: reasons.next(),
        notes: reasons.collect(),
        ..SequenceReport::new(sequence.name.clone(), feeds, verdict)
    };
    let (schema, name) = &sequence.name_parts;
    let rule = settings.rule(schema, name);
    report.rule = rule.map(|rule| rule.pattern.to_string());
    report.observed_only = rule.is_some_and(|rule| !rule.repair);
    let Some(Ok((looked, next))) = judged else { return report };
    let position = &looked.seen.position;
    let used_ratio = position.used_ratio();
    let id = |number| i64::try_from(position.numbering().id(number)).ok();
    report.next_value = position.next_value();
    report.max_id = looked.max_id();
    report.nearest_id = looked.nearest().and_then(id);
    // Never lost: the limit lies within the sequence's bounds, which are bigints.
    report.limit = i64::try_from(position.limit()).ok();
    report.limited_by = Some(limited_by(sequence, position.limit()));
    report.used_ratio = Some(used_ratio);
    report.running_out = is_running_out(verdict, used_ratio, settings.warn_used_ratio);
    report.nearly_used_up = used_ratio >= settings.fail_used_ratio && !report.observed_only;
    if report.running_out {
        let running_out = running_out_reason(sequence, &looked.seen);
        match &report.reason {
            Some(_) => report.notes.push(running_out),
            None => report.reason = Some(running_out),
        }
    }
    if matches!(verdict, Verdict::InSync | Verdict::Behind | Verdict::Exhausted) {
        let to_block_end = looked.block_end().and_then(|end| u128::try_from(end - position.next_number() + 1).ok());
        let lag = to_block_end.map(|lag| lag + u128::from(position.headroom()));
        report.lag = Some(lag.unwrap_or_else(|| looked.seen.lag()));
    }
    match next {
        NextMove::Held(Hold::FarIds { gap, from, to, count, .. }) => {
            report.far_ids = id(*from).map(|from| FarIds {
                count: *count,
                from,
                to: to.and_then(id),
                distance: u128::try_from(*gap).unwrap_or(0),
            });
        }
        NextMove::Nothing { rewound: Some(_) } if verdict == Verdict::InSync => report.cause = Some(Cause::Rewound),
        _ => {}
    }
    report
}

/// The report of a declared feed whose sequence does not exist in `database`.
pub fn missing_sequence(feed: &DeclaredFeed, database: &str) -> SequenceReport {
    let feeds = vec![FeedReport { column: feed.column.to_string(), link: Link::Declared }];
    SequenceReport {
        reason: Some(missing_sequence_reason(database)),
        ..SequenceReport::new(feed.sequence.to_string(), feeds, Verdict::Unreadable)
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
fn verdict(sequence: &Sequence, judged: &Judged) -> (Verdict, Vec<Reason>) {
    let (verdict, mut reasons) = verdict_without_notes(sequence, judged);
    reasons.extend(sequence.notes.iter().cloned());
    (verdict, reasons)
}

fn verdict_without_notes(sequence: &Sequence, judged: &Judged) -> (Verdict, Vec<Reason>) {
    if sequence.parameters.cycle {
        let text = "it cycles: after its bound it hands out old values again, so it is never repaired";
        return (Verdict::Unsupported, vec![Reason::new(ReasonKind::Cycle, text)]);
    }
    let (mut unreadable, mut unsupported) = feed_problems(sequence);
    let judged = match judged {
        Some(Ok(judged)) => Some(judged),
        Some(Err(reason)) => {
            unreadable.push(reason.clone());
            None
        }
        None => None,
    };
    match judged {
        Some((looked, NextMove::Exhausted)) => (Verdict::Exhausted, vec![exhausted_reason(sequence, &looked.seen)]),
        // Law 3: without a known link there is nothing to compare with.
        _ if sequence.feeds.is_empty() => {
            let text = "no ownership, default or declared link says which column it feeds";
            unreadable.insert(0, Reason::new(ReasonKind::Unlinked, text));
            (Verdict::Unlinked, unreadable)
        }
        // Drift past a readable column is drift, also where another column is unsupported.
        Some((looked, next @ (NextMove::Step(_) | NextMove::Held(_)))) => {
            unsupported.extend(headroom_reason(looked));
            if matches!(next, NextMove::Step(_)) {
                unsupported.extend(part_of_key_note(looked));
            }
            (Verdict::Behind, unsupported)
        }
        Some((looked, NextMove::Nothing { rewound })) if unsupported.is_empty() => {
            let rewound = rewound.map(|values| rewound_reason(sequence, &looked.seen, values));
            (Verdict::InSync, rewound.into_iter().collect())
        }
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
fn headroom_reason(looked: &Looked) -> Option<Reason> {
    let headroom = looked.seen.position.headroom();
    if headroom == 0 || looked.seen.is_ahead() {
        return None;
    }
    let from = looked.seen.max_id.map_or("its start".to_owned(), |id| format!("id {id}"));
    let text = format!("fewer than the {headroom} values of --headroom lie between {from} and the next value");
    Some(Reason::new(ReasonKind::Headroom, text))
}
