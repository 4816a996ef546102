//! Timeouts, and the settings that every transaction fixes.

use std::time::Duration;

/// How long one statement may wait for a lock, and how long it may take in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    pub lock: Duration,
    pub statement: Duration,
}

/// The settings of a transaction, so that those of the role and the database do not change what later statements do.
///
/// Row security off turns silently hidden rows into an error. Names are quoted only where they must be, as the report
/// and `--approve` have them. Compiling such short statements takes longer than running them.
fn settings(timeouts: Timeouts) -> [(&'static str, String); 6] {
    [
        ("search_path", "pg_catalog, pg_temp".to_owned()),
        ("row_security", "off".to_owned()),
        ("quote_all_identifiers", "off".to_owned()),
        ("jit", "off".to_owned()),
        ("lock_timeout", positive_milliseconds(timeouts.lock).to_string()),
        ("statement_timeout", positive_milliseconds(timeouts.statement).to_string()),
    ]
}

/// One statement for each setting, ended by a semicolon.
pub fn settings_sql(timeouts: Timeouts) -> String {
    settings(timeouts).map(|(name, value)| format!("SET LOCAL {name} = {value};")).join("\n")
}

/// The same settings, and others, by one statement that returns no row.
///
/// One statement has one entry in `pg_stat_statements`, with any constants and comments. The settings of `if_known` are
/// left out by servers that do not have them.
pub fn settings_select(timeouts: Timeouts, others: &[(&str, String)], if_known: &[(&str, &str)]) -> String {
    let set = |name: &str, value: &str| format!("pg_catalog.set_config('{name}', '{value}', true) IS NULL");
    let own = settings(timeouts);
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
