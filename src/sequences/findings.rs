//! From what was discovered and read of a sequence to its report. Pure.

use super::moves::NextMove;
use crate::config::{DeclaredFeed, Sequences};
use crate::report::{Cause, FarIds, SequenceReport, Verdict, is_running_out};
use pgmedic_core::sequence::ahead::Looked;
use pgmedic_core::sequence::held_reasons::part_of_key_note;
use pgmedic_core::sequence::judgement::Hold;
use pgmedic_core::sequence::limits::limited_by;
use pgmedic_core::sequence::model::{Feed, FeedProblem, Sequence, Suggestion, Uncounted, UncountedFeed};
use pgmedic_core::sequence::position::Position;
use pgmedic_core::sequence::reasons::{exhausted_reason, follows_too_far_reason, rewound_reason, running_out_reason};
use pgmedic_core::sequence::{FeedReport, Link};
use pgmedic_core::{Fix, Reason, ReasonKind};
use std::sync::Arc;

/// What was seen of a sequence, and what is to be done about it.
pub type Judged = Option<Result<(Looked, NextMove), Reason>>;

/// The report before any repair.
pub fn finding(sequence: &Sequence, judged: &Judged, settings: &Sequences) -> SequenceReport {
    let (verdict, reasons) = verdict(sequence, judged);
    let mut reasons = reasons.into_iter();
    let feeds = sequence.feeds.iter().map(|feed| feed.report.clone()).collect();
    let mut report = SequenceReport {
        reason: reasons.next().map(Box::new),
        notes: reasons.collect(),
        suggested_feeds: suggested_feeds(sequence).map(Into::into),
        ..SequenceReport::new(Arc::clone(&sequence.name), feeds, verdict)
    };
    let (schema, name) = sequence.name_parts();
    let rule = settings.rule(&schema, &name);
    report.rule = rule.map(|rule| rule.pattern.to_string().into());
    report.observed_only = rule.is_some_and(|rule| !rule.repair);
    let max_id = rule.and_then(|rule| rule.max_id);
    let too_far = |feed: &Feed| follows_too_far_reason(sequence, feed, max_id?);
    let too_far = sequence.feeds.iter().filter_map(too_far);
    let Some(Ok((looked, next))) = judged else {
        too_far.for_each(|reason| report.add_reason(reason));
        return report;
    };
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
        report.add_reason(running_out_reason(sequence, position));
    }
    too_far.for_each(|reason| report.add_reason(reason));
    if matches!(verdict, Verdict::InSync | Verdict::Behind | Verdict::Exhausted) {
        let to_block_end = looked.block_end().and_then(|end| u128::try_from(end - position.next_number() + 1).ok());
        let lag = to_block_end.map(|lag| lag + u128::from(position.headroom()));
        report.lag = Some(lag.unwrap_or_else(|| looked.seen.lag()));
    }
    match next {
        NextMove::Held(Hold::FarIds { gap, from, to, count, .. }) => {
            report.far_ids = id(*from).map(|from| {
                let (to, distance) = (to.and_then(id), u128::try_from(*gap).unwrap_or(0));
                Box::new(FarIds { count: *count, from, to, distance })
            });
        }
        NextMove::Nothing { rewound: Some(_) } if verdict == Verdict::InSync => report.cause = Some(Cause::Rewound),
        _ => {}
    }
    report
}

/// What is true of its capacity after the repair, which reached `position`.
pub fn count_repair(finding: &mut SequenceReport, sequence: &Sequence, position: &Position, settings: &Sequences) {
    let Some(used_ratio) = finding.repair.as_ref().and_then(|repair| repair.used_ratio) else { return };
    finding.nearly_used_up |= !finding.observed_only && used_ratio >= settings.fail_used_ratio;
    if position.remaining() > 0 && is_running_out(finding.verdict, used_ratio, settings.warn_used_ratio) {
        finding.running_out = true;
        // What was true before it is not any more.
        finding.notes.retain(|note| note.kind != ReasonKind::RunningOut);
        if finding.reason.as_ref().is_some_and(|reason| reason.kind == ReasonKind::RunningOut) {
            finding.reason = (!finding.notes.is_empty()).then(|| Box::new(finding.notes.remove(0)));
        }
        finding.add_reason(running_out_reason(sequence, position));
    }
}

/// The report of a declared feed whose sequence does not exist in `database`.
pub fn missing_sequence(feed: &DeclaredFeed, database: &str) -> SequenceReport {
    let feeds = vec![FeedReport { column: feed.column_text().into(), link: Link::Declared, followed: None }];
    SequenceReport {
        reason: Some(Box::new(missing_sequence_reason(feed, database))),
        ..SequenceReport::new(feed.sequence_text(), feeds, Verdict::Unreadable)
    }
}

/// Why a declared feed whose sequence does not exist is not looked at.
pub fn missing_sequence_reason(feed: &DeclaredFeed, database: &str) -> Reason {
    let text = match feed.names() {
        Some(_) => format!(
            "sequences.feeds declares this sequence, and database {database} has none of that name; correct the name, or add \
             database = \"…\" to that entry"
        ),
        None => format!(
            "sequences.feeds declares {} for this pattern, and database {database} has no sequence with such a column; \
             correct the pattern, or add database = \"…\" to that entry",
            feed.column_text()
        ),
    };
    Reason::new(ReasonKind::Configuration, text)
}

/// The verdict and its reasons, the decisive one first; links that do not count come last.
fn verdict(sequence: &Sequence, judged: &Judged) -> (Verdict, Vec<Reason>) {
    let (verdict, mut reasons) = verdict_without_notes(sequence, judged);
    reasons.extend(sequence.rare.notes.iter().cloned());
    reasons.extend(sequence.rare.uncounted.iter().filter_map(ignored_link_reason));
    (verdict, reasons)
}

fn verdict_without_notes(sequence: &Sequence, judged: &Judged) -> (Verdict, Vec<Reason>) {
    if let Some(problem) = sequence.rare.problem.as_ref().filter(|_| !sequence.has_readable_names()) {
        return (Verdict::Unreadable, vec![problem.clone()]);
    }
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
            unreadable.splice(0..0, unlinked_reason(sequence));
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

/// Why nothing says which column it feeds; none where a note says what became of its owner.
fn unlinked_reason(sequence: &Sequence) -> Option<Reason> {
    if sequence.rare.notes.iter().any(|note| note.kind == ReasonKind::LeftOver)
        && suggestions(sequence).next().is_none()
    {
        return None;
    }
    let text = "no ownership, default or declared link says which column it feeds".to_owned();
    let likely: Vec<String> =
        suggestions(sequence).map(|(column, by)| format!("{column} (by {})", by.evidence)).collect();
    Some(match suggested_feeds(sequence) {
        None => Reason::new(ReasonKind::Unlinked, text),
        Some(toml) => Reason::new(ReasonKind::Unlinked, format!("{text}; likely {}", likely.join(", ")))
            .with_fix(Fix::Configuration(toml)),
    })
}

/// The likely links, each with its column.
fn suggestions(sequence: &Sequence) -> impl Iterator<Item = (&str, &Suggestion)> {
    sequence.rare.uncounted.iter().filter_map(|uncounted| match &uncounted.why {
        Uncounted::Suggested(suggestion) => Some((&*uncounted.feed.report.column, suggestion)),
        _ => None,
    })
}

/// The tables that declare the likely links.
fn suggested_feeds(sequence: &Sequence) -> Option<String> {
    let tables: Vec<&str> = suggestions(sequence).map(|(_, suggestion)| suggestion.toml.as_str()).collect();
    (!tables.is_empty()).then(|| tables.join("\n"))
}

/// That the default of a table whose owner is not trusted does not count.
fn ignored_link_reason(uncounted: &UncountedFeed) -> Option<Reason> {
    let Uncounted::Untrusted { owner } = &uncounted.why else { return None };
    let text = format!(
        "the default of {} uses it too, but that table's owner {owner} does not own the sequence: not counted; declare it \
         under [[sequences.feeds]] if it is meant",
        uncounted.feed.report.column
    );
    Some(Reason::new(ReasonKind::IgnoredLink, text))
}

/// Why the sequence or its columns cannot be read for now, and why they cannot be compared at all.
fn feed_problems(sequence: &Sequence) -> (Vec<Reason>, Vec<Reason>) {
    let (mut unreadable, mut unsupported) = (Vec::new(), Vec::new());
    // Where there is nothing to read, a missing privilege is no reason.
    if let (Some(problem), true) = (&sequence.rare.problem, sequence.is_observable()) {
        unreadable.push(problem.clone());
    }
    for feed in &sequence.feeds {
        match &feed.source {
            Ok(source) => unsupported.extend(source.rare.hidden.as_deref().cloned()),
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
