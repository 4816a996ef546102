//! Which sessions that cannot be ended are tried again, and in which pass: arithmetic only.
//!
//! Trying one locks it, and the row that keeps it is often there for days. So an agent tries them again after one pass,
//! then after three more, seven more, and so on; a session that is changed meanwhile has another address, and is tried.

use super::blocked::Blocked;

/// At most so many passes in between, as a power of two: about an hour where there is one a minute.
const LONGEST: u32 = 6;

/// More sessions are not remembered: all of them are tried in each pass.
const MOST: u64 = 5000;

/// The sessions of a store that could not be ended.
#[derive(Debug, Clone, Default)]
pub struct Postponed {
    over: Blocked,
    superseded: Blocked,
    /// Passes that leave them alone from now on.
    passes: u32,
    /// Times in a row that they were tried without an effect.
    tried: u32,
    /// When they were tried last, in microseconds since 1970.
    tried_at: i64,
}

impl Postponed {
    /// The sessions that a pass leaves alone: of those that are over, and of superseded ones.
    pub fn left_alone(&self) -> (Blocked, Blocked) {
        match self.passes {
            0 => Default::default(),
            _ => (self.over.since(self.tried_at), self.superseded.since(self.tried_at)),
        }
    }

    /// The same after that pass, which began at `now` and could not end these.
    pub fn after(&self, over: Blocked, superseded: Blocked, now: i64) -> Self {
        let count = over.count() + superseded.count();
        if count == 0 || count > MOST {
            return Self::default();
        }
        if self.passes > 0 {
            return Self { over, superseded, passes: self.passes - 1, tried: self.tried, tried_at: self.tried_at };
        }
        let has_effect = count < self.over.count() + self.superseded.count();
        let tried = if has_effect { 1 } else { self.tried + 1 };
        Self { over, superseded, passes: (1 << tried.min(LONGEST)) - 1, tried, tried_at: now }
    }
}

#[cfg(test)]
#[path = "postponed_tests.rs"]
mod tests;
