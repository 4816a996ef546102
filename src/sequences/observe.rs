//! Reads the next value and the max id of each sequence.

use super::batch;
use super::partitions::read_partitions;
use crate::db::BoundedConnection;
use crate::progress::Progress;
use pgmedic_core::Timeouts;
use pgmedic_core::sequence::members::is_read_by_member;
use pgmedic_core::sequence::model::{Feed, FeedProblem, Sequence};
use pgmedic_core::sequence::observation::{ObservationBuilder, ObserveResult, merge_answers};
use pgmedic_core::sequence::probe::{Probe, ProbePart, group_parts};

/// Reads every one of `sequences`, which are to leave `headroom` values unused beyond their max ids; the results are in the
/// same order.
pub async fn observe(
    connections: &mut [BoundedConnection],
    sequences: &[&Sequence],
    headroom: u32,
    timeouts: Timeouts,
    progress: &Progress,
) -> Vec<ObserveResult> {
    let mut builders: Vec<ObservationBuilder> = sequences.iter().map(|_| ObservationBuilder::new(headroom)).collect();
    let first = first_probes(connections, sequences, timeouts, &mut builders).await;
    progress.add_total(first.len());
    let results = batch::run(connections, sequences, first, timeouts, progress).await;
    let refined = merge_answers(sequences, results, timeouts, &mut builders);
    progress.add_total(refined.len());
    let results = batch::run(connections, sequences, refined, timeouts, progress).await;
    merge_answers(sequences, results, timeouts, &mut builders);
    sequences.iter().zip(builders).map(|(sequence, builder)| builder.finish(sequence)).collect()
}

/// Whether there is something to read, and no known problem prevents it.
fn readable(sequence: &Sequence) -> bool {
    let blocks = |feed: &Feed| matches!(feed.source, Err(FeedProblem::Unreadable(_) | FeedProblem::Refused { .. }));
    sequence.is_observable() && sequence.rare.problem.is_none() && !sequence.feeds.iter().any(blocks)
}

async fn first_probes<'a>(
    connections: &mut [BoundedConnection],
    sequences: &[&'a Sequence],
    timeouts: Timeouts,
    builders: &mut [ObservationBuilder],
) -> Vec<Probe<'a>> {
    let mut probes = Vec::with_capacity(sequences.len());
    for (index, sequence) in sequences.iter().enumerate().filter(|(_, sequence)| readable(sequence)) {
        let mut parts = Vec::with_capacity(sequence.feeds.len());
        for source in sequence.sources() {
            if !is_read_by_member(source) {
                parts.push(ProbePart { source, member: None, own_values: None });
                continue;
            }
            let Some(connection) = connections.first_mut() else { continue };
            match read_partitions(connection, source, timeouts).await {
                Ok(members) => parts.extend(members),
                Err(reason) => builders[index].fail(reason),
            }
        }
        if !builders[index].has_failed() {
            probes.extend(split(index, parts));
        }
    }
    probes
}

/// Probes of one sequence, none of which locks more relations than a transaction may. Each reads the state.
fn split(sequence: usize, parts: Vec<ProbePart<'_>>) -> Vec<Probe<'_>> {
    let mut groups = group_parts(parts);
    if groups.is_empty() {
        groups.push(Vec::new());
    }
    groups.into_iter().map(|parts| Probe { sequence, parts, block: None }).collect()
}
