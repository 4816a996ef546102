//! What reaches a keeper from outside: the schedule's ticks, and what was notified.
//!
//! Any number of either before the keeper looks are one: nothing queues up behind a slow pass.

use crate::sequences::Invalidation;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;

/// Rung from anywhere, heard by one keeper.
#[derive(Debug, Default)]
pub struct Triggers {
    ticked: Notify,
    rung: Notify,
    doubt: Mutex<Invalidation>,
}

impl Triggers {
    /// The schedule says that a turn is due.
    pub fn tick(&self) {
        self.ticked.notify_one();
    }

    /// A turn is wanted at once, which is not to believe what it knew of what is `said` to have changed.
    pub fn notify_received(&self, said: &str) {
        self.doubt.lock().unwrap_or_else(PoisonError::into_inner).add(said);
        self.rung.notify_one();
    }

    /// The next tick. Dropping this loses none.
    pub async fn wait_tick(&self) {
        self.ticked.notified().await;
    }

    /// The next ring. Dropping this loses none.
    pub async fn wait_notification(&self) {
        self.rung.notified().await;
    }

    /// What was said since this was last asked.
    pub fn take_invalidation(&self) -> Invalidation {
        std::mem::take(&mut *self.doubt.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
