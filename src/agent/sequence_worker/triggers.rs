//! What starts a cycle from outside: ticks of the schedule, and notifications.
//!
//! Any number of either before the worker looks count as one: nothing queues up behind a slow pass.

use crate::sequences::Invalidation;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;

/// Wake-up signals for one worker; many coalesce into one.
#[derive(Debug, Default)]
pub struct Triggers {
    tick: Notify,
    notification: Notify,
    invalidation: Mutex<Invalidation>,
}

impl Triggers {
    /// The schedule says that a cycle is due.
    pub fn tick(&self) {
        self.tick.notify_one();
    }

    /// A cycle is wanted at once. It must not trust cached findings of the sequences and tables that `payload` names.
    pub fn notify_received(&self, payload: &str) {
        self.invalidation.lock().unwrap_or_else(PoisonError::into_inner).add(payload);
        self.notification.notify_one();
    }

    /// Waits for the next tick. Dropping this loses none.
    pub async fn wait_tick(&self) {
        self.tick.notified().await;
    }

    /// Waits for the next notification. Dropping this loses none.
    pub async fn wait_notification(&self) {
        self.notification.notified().await;
    }

    /// What the notifications since the last call invalidate.
    pub fn take_invalidation(&self) -> Invalidation {
        std::mem::take(&mut *self.invalidation.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
