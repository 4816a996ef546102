//! What one pass leaves for the next: enough to say why a sequence drifted.

use super::catalog::Sequence;
use super::verdict::Position;
use crate::report::{Cause, SequenceReport};
use std::collections::HashMap;

/// The next value of each sequence when the pass before ended, by OID.
#[derive(Debug, Default)]
pub struct Memory {
    next_values: HashMap<u32, i64>,
}

impl Memory {
    /// Why a sequence that is behind now came to be.
    pub(super) fn cause(&self, sequence: &Sequence, position: &Position) -> Cause {
        match self.next_values.get(&sequence.oid) {
            None => Cause::Unknown,
            Some(before) if position.is_before(*before) => Cause::Rewound,
            Some(_) => Cause::IdsInserted,
        }
    }

    /// Remembers where the sequence stands now, any repair included; what was not seen is forgotten.
    pub(super) fn note(&mut self, oid: u32, finding: &SequenceReport) {
        let repaired = finding.repair.as_ref().and_then(|repair| repair.next_value);
        match repaired.or(finding.next_value) {
            Some(next) => self.next_values.insert(oid, next),
            None => self.next_values.remove(&oid),
        };
    }
}
