//! What `pgmedic.repair_log` tells of the repairs before: a restarted agent and a single run go on where they ended.

use super::memory::SequenceMemory;
use crate::db::{BoundedConnection, TransactionMode};
use crate::report::{Outcome, SequenceReport};
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::{QueryError, Timeouts, quote_literal};
use sqlx::Row;
use std::collections::HashMap;

/// Whether the table exists, and is as it was installed.
pub const CHECK: &str = include_str!("repair_log.sql");

/// What was charged, and the furthest values, upwards and downwards.
const READ: &str = "SELECT sequence, sum(charged)::text AS charged, coalesce(bool_or(early), false) AS early, \
                    max(to_value) AS highest, min(to_value) AS lowest \
                    FROM ONLY pgmedic.repair_log WHERE outcome = 'repaired' GROUP BY sequence";

/// A repair that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairLogEntry {
    /// Schema-qualified, quoted as SQL needs it.
    pub sequence: String,
    /// What `nextval` would have returned before, and after.
    pub from: i64,
    pub to: i64,
    /// Values that the allowance paid for.
    pub charged: u128,
    /// It passed a block that was not soon met.
    pub early: bool,
}

impl RepairLogEntry {
    /// The entry for a finding that was repaired.
    pub fn of(sequence: &SequenceReport) -> Option<Self> {
        let repair = sequence.repair.as_ref().filter(|repair| repair.outcome == Outcome::Repaired)?;
        Some(Self {
            sequence: sequence.name.clone(),
            from: sequence.next_value?,
            to: repair.next_value?,
            charged: repair.charged,
            early: repair.early,
        })
    }
}

/// The statements that lock and check the table. The lock keeps other roles from adding a trigger between the check and
/// the statements that follow it.
pub fn lock_and_check_sql() -> [String; 2] {
    let check = format!("SELECT 1 / (SELECT (plain AND allowed)::integer FROM ({CHECK}) AS checked)");
    ["LOCK TABLE ONLY pgmedic.repair_log IN ROW EXCLUSIVE MODE".to_owned(), check]
}

/// The statement that adds these entries; none without entries.
pub fn insert_sql(entries: &[RepairLogEntry]) -> Option<String> {
    let rows: Vec<String> = entries
        .iter()
        .map(|RepairLogEntry { sequence, from, to, charged, early }| {
            let sequence = quote_literal(sequence);
            let charged = i64::try_from(*charged).unwrap_or(i64::MAX);
            format!(
                "(clock_timestamp(), current_user, 'agent', {sequence}, 'repaired', {from}, {to}, {charged}, {early})"
            )
        })
        .collect();
    let columns = "at, role, source, sequence, outcome, from_value, to_value, charged, early";
    (!rows.is_empty()).then(|| format!("INSERT INTO pgmedic.repair_log ({columns}) VALUES {}", rows.join(", ")))
}

/// Adds the repairs of a single run, which would be forgotten else. An agent writes its own.
///
/// # Errors
///
/// When a statement fails.
pub async fn write_log(
    connection: &mut BoundedConnection,
    entries: &[RepairLogEntry],
    timeouts: Timeouts,
) -> Result<(), QueryError> {
    let Some(insert) = insert_sql(entries) else { return Ok(()) };
    let statements = lock_and_check_sql().into_iter().chain([insert]);
    let result = connection.run_transaction("repair-log", TransactionMode::Write, timeouts, statements).await;
    result.failure.map_or(Ok(()), Err)
}

/// What the log tells, by sequence; none where there is no log that may be read and believed.
///
/// # Errors
///
/// When a statement fails.
pub async fn read_log(
    connection: &mut BoundedConnection,
    sequences: &[Sequence],
    timeouts: Timeouts,
) -> Result<Option<HashMap<String, SequenceMemory>>, QueryError> {
    let found = answer(connection, CHECK, timeouts).await?;
    let Some(table) = found.first() else { return Ok(None) };
    if !table.try_get::<bool, _>("plain")? || !table.try_get::<bool, _>("readable")? {
        return Ok(None);
    }
    // Another owner's table may say anything: it is believed of that owner's sequences, which it could move anyway.
    let trusted = table.try_get::<Option<bool>, _>("trusted")?.unwrap_or(false);
    let (one_owner, owner): (bool, String) = (table.try_get("one_owner")?, table.try_get("owner")?);
    let believed: HashMap<&str, bool> = sequences
        .iter()
        .filter(|sequence| trusted || one_owner && sequence.owner == owner)
        .map(|sequence| (sequence.name.as_str(), sequence.parameters.increment > 0))
        .collect();
    if believed.is_empty() {
        return Ok(None);
    }
    let mut memories = HashMap::new();
    for row in answer(connection, READ, timeouts).await? {
        let name: String = row.try_get("sequence")?;
        let Some(ascending) = believed.get(name.as_str()) else { continue };
        let charged: Option<String> = row.try_get("charged")?;
        let charged = charged.and_then(|sum| sum.parse().ok()).unwrap_or(0);
        let known_next = row.try_get(if *ascending { "highest" } else { "lowest" })?;
        memories.insert(name, SequenceMemory::of_log(charged, row.try_get("early")?, known_next));
    }
    Ok(Some(memories))
}

async fn answer(
    connection: &mut BoundedConnection,
    statement: &str,
    timeouts: Timeouts,
) -> Result<Vec<sqlx::postgres::PgRow>, QueryError> {
    let mut result = connection.run_transaction("repair-log", TransactionMode::Read, timeouts, [statement]).await;
    match result.failure {
        Some(failure) => Err(failure),
        None => Ok(result.answers.pop().unwrap_or_default()),
    }
}
