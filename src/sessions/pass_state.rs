//! What one pass leaves for the next.

use super::statements::Cutoffs;
use std::collections::HashMap;

/// Of one database. [`Memory::default`] is for a single pass, which leaves nothing behind.
#[derive(Debug, Default)]
pub struct SessionPassState {
    lasting: bool,
    stores: HashMap<String, KnownStore>,
}

/// A store as the pass before left it.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownStore {
    /// The database's clock then: what was over by it may go now. In microseconds since 1970.
    pub clock: i64,
    /// How far it was swept, or could have been by a pass that only looked; none where that was held.
    pub swept: Option<LastSweep>,
}

/// How far a store was swept.
#[derive(Debug, Clone)]
pub(super) struct LastSweep {
    pub bounds: Cutoffs,
    /// Sessions that were over then and are left; none where they were not counted.
    pub left: Option<u64>,
    /// Sessions that were live then; at least so many, where they were too many to be counted.
    pub live: u64,
}

impl SessionPassState {
    /// For an agent, which makes many passes.
    pub fn persistent() -> Self {
        Self { lasting: true, ..Self::default() }
    }

    pub(super) fn is_lasting(&self) -> bool {
        self.lasting
    }

    pub(super) fn get(&self, store: &str) -> Option<&KnownStore> {
        self.stores.get(store)
    }

    /// So many of those that were over went.
    pub(super) fn subtract_ended(&mut self, store: &str, sessions: u64) {
        let swept = self.stores.get_mut(store).and_then(|known| known.swept.as_mut());
        if let Some(left) = swept.and_then(|swept| swept.left.as_mut()) {
            *left = left.saturating_sub(sessions);
        }
    }

    pub(super) fn remember(&mut self, store: &str, known: KnownStore) {
        if self.lasting {
            self.stores.insert(store.to_owned(), known);
        }
    }
}
