//! Timeouts, and the settings that every transaction fixes.

use std::time::Duration;

/// How long one statement may wait for a lock, and how long it may take in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    pub lock: Duration,
    pub statement: Duration,
}

/// One statement for each setting of a transaction, so that the settings of the role and the database do not change what
/// later statements do.
///
/// Row security off turns silently hidden rows into an error. Names are quoted only where they must be, as the report
/// and `--approve` have them. Compiling such short statements takes longer than running them.
pub fn settings_statements(timeouts: Timeouts) -> [String; 6] {
    [
        "SET LOCAL search_path = pg_catalog, pg_temp".to_owned(),
        "SET LOCAL row_security = off".to_owned(),
        "SET LOCAL quote_all_identifiers = off".to_owned(),
        "SET LOCAL jit = off".to_owned(),
        format!("SET LOCAL lock_timeout = {}", positive_milliseconds(timeouts.lock)),
        format!("SET LOCAL statement_timeout = {}", positive_milliseconds(timeouts.statement)),
    ]
}

/// The same statements as one text, each ended by a semicolon.
pub fn settings_sql(timeouts: Timeouts) -> String {
    settings_statements(timeouts).map(|statement| statement + ";").join("\n")
}

/// At least 1: PostgreSQL reads 0 as "no limit".
pub fn positive_milliseconds(duration: Duration) -> u128 {
    duration.as_millis().max(1)
}
