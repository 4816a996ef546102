//! Counts the transactions that this agent makes in a database, which the server's statistics count too.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Of one database; clones count together.
///
/// Never more than the server has counted or will count: what is counted here is taken for its own, and hides as many
/// transactions of others.
#[derive(Debug, Clone, Default)]
pub struct OwnTransactions(Arc<AtomicU64>);

impl OwnTransactions {
    pub fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
