//! Which session stores are due for a sweep, and which are being swept.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;

/// Stores by their index. The schedule adds to it, one worker empties it; a store is in it once at most.
#[derive(Debug, Default)]
pub struct DueStores {
    stores: Mutex<Stores>,
    added: Notify,
}

#[derive(Debug, Default)]
struct Stores {
    due: BTreeSet<usize>,
    running: BTreeSet<usize>,
}

impl DueStores {
    /// A sweep of this store is due. False, without effect, while it is being swept.
    pub fn tick(&self, store: usize) -> bool {
        let accepted = self.with_lock(|stores| {
            let accepted = !stores.running.contains(&store);
            if accepted {
                stores.due.insert(store);
            }
            accepted
        });
        if accepted {
            self.added.notify_one();
        }
        accepted
    }

    /// Waits until a store is due. Dropping this loses nothing.
    pub async fn wait(&self) {
        self.added.notified().await;
    }

    /// Takes what is due; it counts as being swept until [`end`](Self::end).
    pub fn begin(&self) -> BTreeSet<usize> {
        self.with_lock(|stores| {
            stores.running = std::mem::take(&mut stores.due);
            stores.running.clone()
        })
    }

    pub fn end(&self) {
        self.with_lock(|stores| stores.running.clear());
    }

    fn with_lock<T>(&self, change: impl FnOnce(&mut Stores) -> T) -> T {
        change(&mut self.stores.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn a_store_that_is_being_swept_is_not_due_and_another_is() {
        let due = DueStores::default();
        assert!(due.tick(0) && due.tick(0));
        assert_eq!(due.begin(), [0].into());
        assert!(!due.tick(0) && due.tick(1));
        due.end();
        assert_eq!(due.begin(), [1].into());
        due.end();
        assert!(due.tick(0));
    }

    #[test]
    fn ticks_before_the_worker_waits_are_not_lost() {
        let due = DueStores::default();
        assert!(due.wait().now_or_never().is_none());
        due.tick(0);
        due.tick(1);
        assert!(due.wait().now_or_never().is_some());
        assert_eq!(due.begin(), [0, 1].into());
    }
}
