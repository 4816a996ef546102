//! Plain data of the retry: how far it may go, and what it did.

use pgmedic_core::Timeouts;
use std::time::Duration;

/// How far a repair may go while an insert waits for it.
///
/// ```
/// use pgmedic_login::InlineRepairLimits;
/// use std::time::Duration;
///
/// let limits = InlineRepairLimits::default().with_advance_limit(10_000).with_lock_timeout(Duration::from_millis(50));
/// assert_eq!(limits.advance_limit, 10_000);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct InlineRepairLimits {
    /// The most values of the sequence that one repair hands out. The default, 100 000, takes about 30 ms. A larger lag
    /// is not repaired, and the insert's error is returned.
    pub advance_limit: u32,
    /// The largest share of the range that ids may lie apart and still be passed together, from 0 to 1 (default 0.01): a
    /// single id far ahead must not exhaust the sequence.
    pub max_repair_ratio: f64,
    /// The longest that a statement of the repair waits for a lock (default 100 ms). Reading a table waits only for
    /// `ACCESS EXCLUSIVE` locks.
    pub lock_timeout: Duration,
    /// The longest that each of the repair's few statements may take (default 1 s).
    pub statement_timeout: Duration,
}

impl Default for InlineRepairLimits {
    fn default() -> Self {
        Self {
            advance_limit: 100_000,
            max_repair_ratio: 0.01,
            lock_timeout: Duration::from_millis(100),
            statement_timeout: Duration::from_secs(1),
        }
    }
}

impl InlineRepairLimits {
    /// Sets [`advance_limit`](Self::advance_limit), in values of the sequence.
    #[must_use]
    pub const fn with_advance_limit(mut self, values: u32) -> Self {
        self.advance_limit = values;
        self
    }

    /// Sets [`max_repair_ratio`](Self::max_repair_ratio), from 0 to 1.
    #[must_use]
    pub const fn with_max_repair_ratio(mut self, ratio: f64) -> Self {
        self.max_repair_ratio = ratio;
        self
    }

    /// Sets [`lock_timeout`](Self::lock_timeout).
    #[must_use]
    pub const fn with_lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }

    /// Sets [`statement_timeout`](Self::statement_timeout).
    #[must_use]
    pub const fn with_statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = timeout;
        self
    }

    pub(crate) fn timeouts(&self) -> Timeouts {
        Timeouts { lock: self.lock_timeout, statement: self.statement_timeout }
    }
}

/// What the insert returned, and what was repaired for it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryOutcome<T> {
    /// What the insert returned when it succeeded.
    pub value: T,
    /// How often the insert ran: 1 if there was nothing to repair. It can exceed the number of repairs by more than
    /// one, because another session may repair the sequence first.
    pub attempts: u32,
    /// The sequences that were moved, in order.
    pub repairs: Vec<Repair>,
}

/// One sequence that was moved forward with `nextval`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repair {
    /// The sequence's name with its schema, quoted where SQL needs it.
    pub sequence: String,
    /// What `nextval` would have returned before the repair.
    pub from: i64,
    /// The last value that the repair handed out and discarded. The insert gets a later one.
    pub to: i64,
}
