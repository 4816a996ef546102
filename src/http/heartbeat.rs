//! Whether the agent's scheduler still fires.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// The scheduler beats every second. After this many seconds without a beat it counts as stuck.
const MAX_SILENCE: u64 = 15;

/// The time of the last beat. Clones share it.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    start: Instant,
    /// Seconds after `start`.
    last: Arc<AtomicU64>,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { start: Instant::now(), last: Arc::default() }
    }
}

impl Heartbeat {
    pub fn beat(&self) {
        self.last.store(self.start.elapsed().as_secs(), Ordering::Relaxed);
    }

    /// For how many seconds there has been no beat, when that is too long.
    pub fn silent_for(&self) -> Option<u64> {
        let silence = self.start.elapsed().as_secs().saturating_sub(self.last.load(Ordering::Relaxed));
        (silence > MAX_SILENCE).then_some(silence)
    }
}
