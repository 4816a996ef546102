//! From what was discovered and read of a sequence to its report. Pure.

use crate::config::DeclaredFeed;
use crate::report::{SequenceReport, Verdict, is_running_out};
use pgmedic_core::sequence::model::{FeedProblem, Sequence, Suggestion, Uncounted, UncountedFeed};
use pgmedic_core::sequence::observation::Observation;
use pgmedic_core::sequence::position::Comparison;
use pgmedic_core::sequence::reasons::exhausted_reason;
use pgmedic_core::sequence::{FeedReport, Link};
use pgmedic_core::{Fix, Reason, ReasonKind};

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
        suggested_feeds: suggested_feeds(sequence),
        repair: None,
    };
    let Some(Ok(observation)) = seen else { return (report, None) };
    let used_ratio = observation.position.used_ratio();
    report.next_value = observation.position.next_value();
    report.max_id = observation.furthest_id;
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
        name: feed.sequence_text(),
        feeds: vec![FeedReport { column: feed.column_text(), link: Link::Declared }],
        next_value: None,
        max_id: None,
        limit: None,
        verdict: Verdict::Unreadable,
        lag: None,
        used_ratio: None,
        running_out: false,
        cause: None,
        reason: Some(missing_sequence_reason(feed, database)),
        notes: Vec::new(),
        suggested_feeds: None,
        repair: None,
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
fn verdict(sequence: &Sequence, seen: Option<&Result<Observation, Reason>>) -> (Verdict, Vec<Reason>) {
    let (verdict, mut reasons) = verdict_without_notes(sequence, seen);
    reasons.extend(sequence.notes.iter().cloned());
    reasons.extend(sequence.uncounted.iter().filter_map(ignored_link_reason));
    (verdict, reasons)
}

fn verdict_without_notes(sequence: &Sequence, seen: Option<&Result<Observation, Reason>>) -> (Verdict, Vec<Reason>) {
    if let Some(problem) = sequence.problem.as_ref().filter(|_| !sequence.has_readable_names()) {
        return (Verdict::Unreadable, vec![problem.clone()]);
    }
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
            unreadable.splice(0..0, unlinked_reason(sequence));
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

/// Why nothing says which column it feeds; none where a note says what became of its owner.
fn unlinked_reason(sequence: &Sequence) -> Option<Reason> {
    if sequence.notes.iter().any(|note| note.kind == ReasonKind::LeftOver) {
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
    sequence.uncounted.iter().filter_map(|uncounted| match &uncounted.why {
        Uncounted::Suggested(suggestion) => Some((uncounted.feed.report.column.as_str(), suggestion)),
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
    if let (Some(problem), true) = (&sequence.problem, sequence.is_observable()) {
        unreadable.push(problem.clone());
    }
    for feed in &sequence.feeds {
        match &feed.source {
            Ok(source) => unsupported.extend(source.hidden.clone()),
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
