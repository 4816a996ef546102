//! The progress of a pass.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters that passes increase and a progress bar reads. Several passes may share one.
#[derive(Debug, Default)]
pub struct Progress {
    total: AtomicU64,
    done: AtomicU64,
}

impl Progress {
    /// More sequences are to be looked at, or repaired.
    pub fn add_total(&self, sequences: usize) {
        self.total.fetch_add(sequences as u64, Ordering::Relaxed);
    }

    /// More have been.
    pub fn advance(&self, sequences: usize) {
        self.done.fetch_add(sequences as u64, Ordering::Relaxed);
    }

    /// How much has been done, and of how much.
    pub fn state(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }
}
