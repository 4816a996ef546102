//! What a pass leaves for the next one.

use super::pages::PagePosition;
use super::postponed::Postponed;
use super::times::Cutoffs;
use std::collections::HashMap;

/// The stores of one database as the previous passes left them. [`SessionPassState::default`] is for a single pass, and
/// keeps nothing.
#[derive(Debug, Default)]
pub struct SessionPassState {
    lasting: bool,
    stores: HashMap<String, KnownStore>,
    postponed: HashMap<String, Postponed>,
}

/// A store as the previous pass left it.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownStore {
    /// The database's clock then, in microseconds since 1970: a session that was over by it may be ended now.
    pub clock: i64,
    /// How far the store was swept, or could have been by a pass that only looked; none where that was held.
    pub last_sweep: Option<LastSweep>,
    /// A sweep of the store was let through.
    pub was_swept: bool,
    /// Where the last sweep stopped, as its time was up.
    pub next: PagePosition,
}

/// How far a store was swept.
#[derive(Debug, Clone)]
pub(super) struct LastSweep {
    pub cutoffs: Cutoffs,
    /// Sessions that were over then and are left; none where they were not counted.
    pub left: Option<u64>,
    /// Sessions that were live then, or the least that there were where not all were counted.
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

    pub(super) fn remember(&mut self, store: &str, known: KnownStore) {
        if self.lasting {
            self.stores.insert(store.to_owned(), known);
        }
    }

    /// The sessions of this store that could not be ended.
    pub(super) fn postponed(&self, store: &str) -> Postponed {
        self.postponed.get(store).cloned().unwrap_or_default()
    }

    pub(super) fn postpone(&mut self, store: &str, postponed: Postponed) {
        if self.lasting {
            self.postponed.insert(store.to_owned(), postponed);
        }
    }

    /// The next sweep goes on there.
    pub(super) fn go_on_at(&mut self, store: &str, next: PagePosition) {
        if let Some(known) = self.stores.get_mut(store) {
            known.next = next;
        }
    }

    /// So many of the sessions that were left have been ended.
    pub(super) fn subtract_ended(&mut self, store: &str, ended: u64) {
        let last_sweep = self.stores.get_mut(store).and_then(|known| known.last_sweep.as_mut());
        if let Some(left) = last_sweep.and_then(|last| last.left.as_mut()) {
            *left = left.saturating_sub(ended);
        }
    }
}
