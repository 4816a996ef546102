//! Which stores are to be swept, and which are being swept.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;

/// Stores by their index. Filled by the schedule, emptied by one sweeper; a store stands in it once at most.
#[derive(Debug, Default)]
pub struct DueStores {
    stores: Mutex<Stores>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Stores {
    due: BTreeSet<usize>,
    running: BTreeSet<usize>,
}

impl DueStores {
    /// A sweep of this store is due. False when it is being swept, and then it is left out.
    pub fn tick(&self, store: usize) -> bool {
        let wanted = self.with_lock(|stores| {
            let wanted = !stores.running.contains(&store);
            if wanted {
                stores.due.insert(store);
            }
            wanted
        });
        if wanted {
            self.filled.notify_one();
        }
        wanted
    }

    /// Waits until a store is due. Dropping this loses nothing.
    pub async fn wait(&self) {
        self.filled.notified().await;
    }

    /// Takes what is due; until [`end`](Self::end) it counts as being swept.
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
    use crate::agent::session_worker::due_stores::*;
    use futures_util::FutureExt;

    #[test]
    fn a_store_that_is_being_swept_is_not_due_and_another_is() {
        let queue = DueStores::default();
        assert!(queue.tick(0) && queue.tick(0));
        assert_eq!(queue.begin(), [0].into());
        assert!(!queue.tick(0) && queue.tick(1));
        queue.end();
        assert_eq!(queue.begin(), [1].into());
        queue.end();
        assert!(queue.tick(0));
    }

    #[test]
    fn ticks_before_anybody_waits_are_not_lost() {
        let queue = DueStores::default();
        assert!(queue.wait().now_or_never().is_none());
        queue.tick(0);
        queue.tick(1);
        assert!(queue.wait().now_or_never().is_some());
        assert_eq!(queue.begin(), [0, 1].into());
    }
}
