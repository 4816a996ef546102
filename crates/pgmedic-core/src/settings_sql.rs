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
fn settings_statements(timeouts: Timeouts) -> [String; 6] {
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

/// The same settings, and others, by one statement that returns no row.
///
/// One statement has one entry in `pg_stat_statements`, with any constants and comments. The settings of `if_known` are
/// left out by servers that do not have them.
pub fn settings_select(timeouts: Timeouts, others: &[(&str, String)], if_known: &[(&str, &str)]) -> String {
    let set = |name: &str, value: &str| format!("pg_catalog.set_config('{name}', '{value}', true) IS NULL");
    let own = [
        ("search_path", "pg_catalog, pg_temp".to_owned()),
        ("row_security", "off".to_owned()),
        ("quote_all_identifiers", "off".to_owned()),
        ("jit", "off".to_owned()),
        ("lock_timeout", positive_milliseconds(timeouts.lock).to_string()),
        ("statement_timeout", positive_milliseconds(timeouts.statement).to_string()),
    ];
    let settings = own.iter().chain(others).map(|(name, value)| set(name, value));
    let guarded = if_known.iter().map(|(name, value)| {
        let unknown = format!("pg_catalog.current_setting('{name}', true) IS NULL");
        format!("CASE WHEN {unknown} THEN false ELSE {} END", set(name, value))
    });
    format!("SELECT WHERE {}", settings.chain(guarded).collect::<Vec<_>>().join(" OR "))
}

/// At least 1: PostgreSQL reads 0 as "no limit".
pub fn positive_milliseconds(duration: Duration) -> u128 {
    duration.as_millis().max(1)
}
