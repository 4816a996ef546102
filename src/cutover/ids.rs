//! The pass over the sequences of NEW: its ids must not be beyond its next values either.

use super::pairs::{Pair, Standing};
use super::report::{CarryOutcome, CarryReport, CutoverReport};
use super::request::Request;
use crate::config::Sequences;
use crate::pass_options::PassOptions;
use crate::progress::Progress;
use crate::report::{DatabaseReport, Outcome, SequenceReport, Verdict};
use crate::sequences::{SequencePassState, pass};
use std::collections::HashMap;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Makes a pass over the sequences of NEW that take over, and puts what it found and did into the report.
pub async fn check_ids(
    request: &Request,
    new_draws: bool,
    pairs: &[Pair<'_>],
    standings: &[Standing],
    cancel: &CancellationToken,
    progress: &Progress,
    report: &mut CutoverReport,
) {
    let passed = pass_over_new(request, new_draws, pairs, standings, cancel, progress).await;
    let Some(passed) = passed else { return };
    if let Some(error) = passed.error {
        report.reasons.push(error.while_doing("the ids in NEW could not be compared"));
    }
    let by_name: HashMap<&str, &Arc<SequenceReport>> =
        passed.sequences.iter().map(|sequence| (&*sequence.name, sequence)).collect();
    for (pair, carried) in pairs.iter().zip(&mut report.sequences) {
        if let Some(found) = pair.new.and_then(|new| by_name.get(&*new.name)) {
            merge(found, carried);
        }
    }
}

/// The pass of `--once`. A sequence that hands out values itself has ids right behind its next value, so then only what is
/// behind gets the headroom. Sequences that cannot spare it have a separate pass.
pub async fn pass_over_new(
    request: &Request,
    new_draws: bool,
    pairs: &[Pair<'_>],
    standings: &[Standing],
    cancel: &CancellationToken,
    progress: &Progress,
) -> Option<DatabaseReport> {
    let carried = pairs.iter().zip(standings).filter(|(pair, standing)| pair.is_carried(standing, request.confirmed));
    let can_spare = |(pair, standing): &(&Pair<'_>, &Standing)| pair.headroom(request.headroom, standing) > 0;
    let (sparing, others): (Vec<_>, Vec<_>) = carried.partition(can_spare);
    let mut passed: Option<DatabaseReport> = None;
    for (these, headroom) in
        [(sparing, request.headroom), (others, 0)].into_iter().filter(|(these, _)| !these.is_empty())
    {
        let only = these.into_iter().filter_map(|(pair, _)| pair.new).map(|new| new.name_parts()).collect();
        let settings = Sequences { repair: true, headroom, ..request.settings.clone() };
        let options = PassOptions {
            headroom: if new_draws { 0 } else { headroom },
            only: Some(Arc::new(only)),
            cancel: cancel.clone(),
            ..PassOptions::default()
        };
        let report = pass(&request.to, &settings, &options, &mut SequencePassState::default(), progress).await;
        match &mut passed {
            Some(passed) => {
                passed.sequences.extend(report.sequences);
                passed.error = passed.error.take().or(report.error);
            }
            None => passed = Some(report),
        }
    }
    passed
}

fn merge(found: &SequenceReport, carried: &mut CarryReport) {
    carried.max_id = found.max_id;
    match found.outcome() {
        Some(Outcome::Repaired) if carried.outcome == CarryOutcome::Ahead => carried.outcome = CarryOutcome::Carried,
        Some(Outcome::Failed) => carried.outcome = CarryOutcome::Failed,
        Some(Outcome::Held) => carried.outcome = CarryOutcome::Held,
        _ => {}
    }
    if found.verdict == Verdict::Unreadable {
        carried.outcome = CarryOutcome::Unreadable;
    }
    let of_repair = found.repair.as_ref().and_then(|repair| repair.reason.clone());
    let (against, noted) = match (found.needs_attention(), found.verdict) {
        // That it feeds no known column stands against nothing: its value was carried over. A likely column is worth a note.
        (needs_attention, Verdict::Unlinked) => (None, found.reason.as_deref().cloned().filter(|_| needs_attention)),
        (true, Verdict::Behind) => (of_repair, found.reason.as_deref().cloned()),
        (true, _) => (found.reason.as_deref().cloned(), of_repair),
        // Of a sequence that was moved for the headroom, the reason is done with.
        (false, Verdict::Behind) => (None, of_repair),
        (false, _) => (None, found.reason.as_deref().cloned()),
    };
    if let Some(reason) = against {
        carried.add_reason(reason);
    }
    for note in noted.into_iter().chain(found.notes.iter().cloned()) {
        if !carried.notes.contains(&note) {
            carried.notes.push(note);
        }
    }
}
