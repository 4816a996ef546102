//! Which drifts are new: who was behind them is asked once.

use crate::report::{Cause, SequenceReport};
use crate::sequences::pass_state::SequencePassState;
use pgmedic_core::sequence::model::Sequence;
use std::sync::Arc;
use std::time::Instant;

/// A sequence whose drift is new.
#[derive(Debug, Clone, Copy)]
pub struct Drifted<'a> {
    pub sequence: &'a Sequence,
    pub cause: Cause,
    /// When the pass began that read it before, if there was one: what ended before then is not behind the drift.
    pub looked: Option<Instant>,
}

/// The drifts that no pass before has seen, and their places among `findings`. The others keep what was told of them.
pub fn new_drifts<'a>(
    sequences: &[&'a Sequence],
    findings: &mut [Arc<SequenceReport>],
    state: &SequencePassState,
) -> (Vec<usize>, Vec<Drifted<'a>>) {
    let mut new = (Vec::new(), Vec::new());
    for (index, (sequence, finding)) in sequences.iter().zip(findings).enumerate() {
        let Some(cause) = finding.cause else { continue };
        match state.evidence(sequence) {
            // The Arc is still unique: make_mut does not clone.
            Some(told) => Arc::make_mut(finding).evidence = Some(told),
            None => {
                new.0.push(index);
                new.1.push(Drifted { sequence, cause, looked: state.last_read(sequence) });
            }
        }
    }
    new
}
