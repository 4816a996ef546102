//! Reads the next value and the max id of each sequence.

use super::batch;
use super::partitions::read_partitions;
use crate::db::BoundedConnection;
use crate::progress::Progress;
use pgmedic_core::Timeouts;
use pgmedic_core::sequence::model::{Feed, FeedProblem, FeedSource, Sequence};
use pgmedic_core::sequence::observation::{ObservationBuilder, ObserveResult, merge_answers, sources};
use pgmedic_core::sequence::probe::{Partition, Probe, ProbePart, fits_in_transaction};

/// Looks at every one of `sequences`, which are to leave `keep` values unused beyond their max ids; the answers are in
/// the same order.
pub async fn observe(
    sessions: &mut [BoundedConnection],
    sequences: &[&Sequence],
    keep: u32,
    bounds: Timeouts,
    progress: &Progress,
) -> Vec<ObserveResult> {
    let mut gathered: Vec<ObservationBuilder> = sequences.iter().map(|_| ObservationBuilder::new(keep)).collect();
    let first = first_probes(sessions, sequences, bounds, &mut gathered).await;
    progress.add_total(first.len());
    let outcomes = batch::run(sessions, sequences, first, bounds, progress).await;
    let closer = merge_answers(sequences, outcomes, bounds, &mut gathered);
    progress.add_total(closer.len());
    let outcomes = batch::run(sessions, sequences, closer, bounds, progress).await;
    merge_answers(sequences, outcomes, bounds, &mut gathered);
    sequences.iter().zip(gathered).map(|(sequence, gathered)| gathered.finish(sequence)).collect()
}

/// Whether there is something to look at, and nothing known to be in the way.
fn readable(sequence: &Sequence) -> bool {
    let blocks = |feed: &Feed| matches!(feed.source, Err(FeedProblem::Unreadable(_) | FeedProblem::Refused { .. }));
    sequence.is_observable() && sequence.problem.is_none() && !sequence.feeds.iter().any(blocks)
}

async fn first_probes<'a>(
    sessions: &mut [BoundedConnection],
    sequences: &[&'a Sequence],
    bounds: Timeouts,
    gathered: &mut [ObservationBuilder],
) -> Vec<Probe<'a>> {
    let mut probes = Vec::with_capacity(sequences.len());
    for (index, sequence) in sequences.iter().enumerate().filter(|(_, sequence)| readable(sequence)) {
        let mut parts = Vec::new();
        for source in sources(sequence) {
            if !source.has_children || fits_in_transaction(1 + source.relations) {
                parts.push(ProbePart { source, member: None, min_own_value: None });
                continue;
            }
            let Some(session) = sessions.first_mut() else { continue };
            match read_partitions(session, source, bounds).await {
                Ok(members) => parts.extend(members.into_iter().map(|member| part_of(source, member))),
                Err(reason) => gathered[index].fail(reason),
            }
        }
        if !gathered[index].has_failed() {
            probes.extend(split(index, parts));
        }
    }
    probes
}

fn part_of(source: &FeedSource, member: Partition) -> ProbePart<'_> {
    ProbePart { source, member: Some(member), min_own_value: None }
}

/// Probes of one sequence, none of which locks more relations than a transaction may. Each reads the state.
fn split(sequence: usize, parts: Vec<ProbePart<'_>>) -> Vec<Probe<'_>> {
    let mut probes = vec![Probe { sequence, parts: Vec::new() }];
    for part in parts {
        match probes.last_mut() {
            Some(probe) if probe.parts.is_empty() || fits_in_transaction(probe.relations() + part.relations()) => {
                probe.parts.push(part);
            }
            _ => probes.push(Probe { sequence, parts: vec![part] }),
        }
    }
    probes
}
