//! The settings under which every statement runs: bounds, and nothing that the user's own settings could change.

use std::time::Duration;

/// How long one statement may wait for a lock, and take altogether.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    pub lock: Duration,
    pub statement: Duration,
}

/// Statements after which nothing of the user's settings can bend another one of the same transaction.
///
/// Row security off turns silently hidden rows into an error; names are quoted only where they must be, as the report
/// and --approve have them; compiling such short statements only costs.
pub fn settings_sql(bounds: Timeouts) -> String {
    format!(
        "SET LOCAL search_path = pg_catalog, pg_temp;\n\
         SET LOCAL row_security = off;\n\
         SET LOCAL quote_all_identifiers = off;\n\
         SET LOCAL jit = off;\n\
         SET LOCAL lock_timeout = {lock};\n\
         SET LOCAL statement_timeout = {statement};",
        lock = positive_milliseconds(bounds.lock),
        statement = positive_milliseconds(bounds.statement),
    )
}

/// At least 1: PostgreSQL reads 0 as "no limit".
pub fn positive_milliseconds(duration: Duration) -> u128 {
    duration.as_millis().max(1)
}
