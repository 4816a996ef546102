//! What `pgmedic.repair_log` tells of the repairs before: a restarted agent and a single run go on where they ended.

use super::memory::SequenceMemory;
use crate::db::{BoundedConnection, TransactionMode};
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::{QueryError, Timeouts};
use sqlx::Row;
use std::collections::HashMap;

/// Whether the table exists, and is as it was installed.
pub const CHECK: &str = include_str!("repair_log.sql");

/// What was charged, and the furthest values, upwards and downwards.
const READ: &str = "SELECT sequence, sum(charged)::text AS charged, coalesce(bool_or(early), false) AS early, \
                    max(to_value) AS highest, min(to_value) AS lowest \
                    FROM ONLY pgmedic.repair_log WHERE outcome = 'repaired' GROUP BY sequence";

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
