//! Reads the states of sequences alone: last value, and whether it was handed out.

use super::batch;
use crate::db::BoundedConnection;
use crate::progress::Progress;
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::sequence::position::SequenceState;
use pgmedic_core::sequence::probe::{Probe, ProbeAnswer};
use pgmedic_core::{Reason, ReasonKind, Timeouts};

/// The state of each of `sequences`, in their order, or why it cannot be read. It locks no table.
pub async fn read_states(
    connections: &mut [BoundedConnection],
    sequences: &[&Sequence],
    timeouts: Timeouts,
) -> Vec<Result<SequenceState, Reason>> {
    let unread = || Err(Reason::new(ReasonKind::Internal, "it was not read"));
    let mut states: Vec<_> =
        sequences.iter().map(|sequence| sequence.problem.clone().map_or_else(unread, Err)).collect();
    let readable = sequences.iter().enumerate().filter(|(_, sequence)| sequence.problem.is_none());
    let probes = readable.map(|(index, _)| Probe { sequence: index, parts: Vec::new(), block: None }).collect();
    for (probe, answer) in batch::run(connections, sequences, probes, timeouts, &Progress::default()).await {
        states[probe.sequence] = match answer {
            Ok(ProbeAnswer::Extremes { state, .. }) => Ok(state),
            Ok(ProbeAnswer::Block(_)) => unread(),
            Err(error) => Err(error.into()),
        };
    }
    states
}
