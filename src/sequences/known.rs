//! What passes leave of one sequence for the next one.

use super::activity::ActivityCounters;
use super::memory::SequenceMemory;
use crate::report::SequenceReport;
use pgmedic_core::sequence::model::Sequence;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::time::Instant;

/// What is known of one sequence.
#[derive(Debug)]
pub struct KnownSequence {
    /// After a failover an OID may be another sequence's, so the memory is of the sequence with this name.
    name: Arc<str>,
    memory: Option<SequenceMemory>,
    pub last: Option<LastFinding>,
}

/// The finding of the previous pass.
#[derive(Debug)]
pub struct LastFinding {
    pub finding: Arc<SequenceReport>,
    /// When the pass began that read it.
    pub read: Instant,
    /// Of what was discovered of it.
    pub fingerprint: u64,
    /// Read on another server than the one that was reached last, or it may be.
    pub elsewhere: bool,
    /// The counters as they will be if only pgmedic reads it until the next pass; none when it must be read again.
    pub expected: Option<ActivityCounters>,
}

impl KnownSequence {
    /// Nothing yet.
    pub fn of(sequence: &Sequence) -> Self {
        Self { name: Arc::clone(&sequence.name), memory: None, last: None }
    }

    /// What is remembered of `sequence`, if it is this one.
    pub fn memory(&self, sequence: &Sequence) -> Option<&SequenceMemory> {
        self.memory.as_ref().filter(|_| self.name == sequence.name)
    }

    /// The same, to be changed; of another sequence of the same OID nothing stays.
    pub fn memory_mut(&mut self, sequence: &Sequence) -> &mut SequenceMemory {
        if self.name != sequence.name {
            (self.name, self.memory) = (Arc::clone(&sequence.name), None);
        }
        self.memory.get_or_insert_default()
    }

    /// The next look is at another server, or may be.
    pub fn moves_elsewhere(&mut self) {
        if let Some(last) = &mut self.last {
            last.elsewhere = true;
        }
        if let Some(memory) = &mut self.memory {
            memory.moves_elsewhere();
        }
    }

    /// The next pass has to read it.
    pub fn expire(&mut self) {
        if let Some(last) = &mut self.last {
            last.expected = None;
        }
    }

    /// Compares `sequence`, which was discovered anew, with what it was: where it differs, counters do not compare. Names that
    /// the last finding has too are kept once.
    pub fn rediscovered(&mut self, sequence: &mut Sequence) {
        let Some(last) = &mut self.last else { return };
        if last.fingerprint != fingerprint(sequence) {
            last.expected = None;
        }
        let finding = &last.finding;
        if sequence.name == finding.name {
            sequence.name = Arc::clone(&finding.name);
        }
        for (feed, known) in sequence.feeds.iter_mut().zip(&finding.feeds) {
            feed.share_name(&known.column);
        }
    }
}

impl LastFinding {
    /// The finding, if it is of `sequence`: after a failover an OID may be another sequence's.
    pub fn if_of(&self, sequence: &Sequence) -> Option<&Self> {
        (self.finding.name == sequence.name).then_some(self)
    }
}

/// Differs, but for a chance of one in 2^64, where anything that was discovered does.
pub fn fingerprint(sequence: &Sequence) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(sequence)
}
