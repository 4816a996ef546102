//! How long the queries may take that read the catalog alone.

use pgmedic_core::Timeouts;
use std::time::Duration;

/// They lock no user's table, so they may take the time that 100 000 sequences need.
const STATEMENT: Duration = Duration::from_secs(60);

/// The configured timeouts, with more time for a statement.
pub fn catalog_timeouts(timeouts: Timeouts) -> Timeouts {
    Timeouts { statement: timeouts.statement.max(STATEMENT), ..timeouts }
}
