//! What `pgmedic.repair_log` tells of the repairs before: a restarted agent and a single run go on where they ended.

use super::memory::SequenceMemory;
use crate::db::{BoundedConnection, TransactionMode};
use crate::report::{Cause, Outcome, SequenceReport};
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::{Fix, QueryError, Timeouts, fill_sql, parse_identifier, quote_literal, shell_quote};
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::collections::HashMap;

/// Whether the table exists, and is as it was installed.
pub const CHECK: &str = include_str!("repair_log.sql");

/// What repairs have charged, and the furthest values.
const TOTALS: &str = include_str!("repair_log_totals.sql");

/// The command that installs the table, or adds what is missing, for an agent of `role`, which is quoted as SQL needs it.
pub fn install_fix(role: &str) -> Fix {
    // `--agent` takes the name as it is stored.
    let name = parse_identifier(role).unwrap_or_else(|_| role.to_owned());
    Fix::Command(format!("pgmedic sql install --agent {} | psql \"$DATABASE_URL\"", shell_quote(&name)))
}

/// A repair that was made, or that failed and may have burnt values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairLogEntry {
    /// Schema-qualified, quoted as SQL needs it.
    pub sequence: String,
    pub outcome: Outcome,
    /// What `nextval` would have returned before, and after where that is known.
    pub from: i64,
    pub to: Option<i64>,
    /// Values that the allowance paid for.
    pub charged: u128,
    /// It passed a block that was not soon met.
    pub early: bool,
    /// Why it had drifted.
    pub cause: Option<Cause>,
    /// Who was behind that, as JSON.
    pub evidence: Option<String>,
}

impl RepairLogEntry {
    /// The entry for a finding that was repaired, or whose repair failed and was charged.
    pub fn of(sequence: &SequenceReport) -> Option<Self> {
        let repair = sequence.repair.as_ref().filter(|repair| match repair.outcome {
            Outcome::Repaired => repair.next_value.is_some(),
            Outcome::Failed => repair.charged > 0 || repair.early,
            Outcome::Held | Outcome::Skipped => false,
        })?;
        Some(Self {
            sequence: sequence.name.to_string(),
            outcome: repair.outcome,
            from: sequence.next_value?,
            to: repair.next_value,
            charged: repair.charged,
            early: repair.early,
            cause: sequence.cause,
            // None in practice: strings and numbers make no error.
            evidence: sequence.evidence.as_ref().and_then(|evidence| serde_json::to_string(evidence).ok()),
        })
    }
}

/// Whose table it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOwner {
    /// Its OID.
    role: i64,
    /// Quoted.
    pub name: String,
    /// Whether entries about other roles' sequences are counted and written.
    trusted: bool,
}

impl LogOwner {
    /// # Errors
    ///
    /// When `row` is not an answer to [`CHECK`].
    pub fn of(row: &PgRow) -> Result<Self, QueryError> {
        let (role, name, trusted) = (row.try_get("owner")?, row.try_get("owner_name")?, row.try_get("trusted")?);
        Ok(Self { role, name, trusted })
    }

    /// The condition that entry `e` is of a sequence that the owner may tell of, and be told of.
    pub fn may_know(&self) -> String {
        if self.trusted {
            return "true".to_owned();
        }
        fill_sql(include_str!("repair_log_of_owner.sql"), &[("OWNER", &self.role.to_string())])
    }

    /// The statements that lock and check the table. The lock keeps other roles from adding a trigger between the check
    /// and the statements that follow it.
    pub fn lock_and_check_sql(&self) -> [String; 2] {
        let role = self.role;
        let check =
            format!("SELECT 1 / (SELECT (plain AND allowed AND owner = {role})::integer FROM ({CHECK}) AS checked)");
        ["LOCK TABLE ONLY pgmedic.repair_log IN ROW EXCLUSIVE MODE".to_owned(), check]
    }

    /// The statement that adds these entries, with a row of its answer for each that was added; none without entries.
    pub fn insert_sql(&self, entries: &[RepairLogEntry]) -> Option<String> {
        let rows: Vec<String> = entries
            .iter()
            .map(|RepairLogEntry { sequence, outcome, from, to, charged, early, cause, evidence }| {
                let (sequence, outcome) = (quote_literal(sequence), outcome.word());
                let to = to.map_or_else(|| "NULL".to_owned(), |to| to.to_string());
                let charged = i64::try_from(*charged).unwrap_or(i64::MAX);
                let text = |text: Option<&str>| text.map_or_else(|| "NULL".to_owned(), quote_literal);
                let (cause, evidence) = (text(cause.map(Cause::word)), text(evidence.as_deref()));
                format!(
                    "(clock_timestamp(), current_user, 'agent', {sequence}, '{outcome}', {from}, {to}::bigint, {charged}, \
                     {early}, {cause}::text, {evidence}::jsonb)"
                )
            })
            .collect();
        let (rows_sql, may_know) = (rows.join(", "), self.may_know());
        let columns = "at, role, source, sequence, outcome, from_value, to_value, charged, early, cause, evidence";
        (!rows.is_empty()).then(|| {
            format!(
                "INSERT INTO pgmedic.repair_log ({columns}, sequence_oid) \
                 SELECT e.*, to_regclass(e.sequence) FROM (VALUES {rows_sql}) AS e ({columns}) WHERE {may_know} RETURNING 1"
            )
        })
    }
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
    if entries.is_empty() {
        return Ok(());
    }
    let found = answer(connection, CHECK, timeouts).await?;
    let Some(owner) = found.first().map(LogOwner::of).transpose()? else { return Ok(()) };
    let statements = owner.lock_and_check_sql().into_iter().chain(owner.insert_sql(entries));
    let result = connection.run_transaction("repair-log", TransactionMode::Write, timeouts, statements).await;
    result.into_answers().map(drop)
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
    let all_believed: bool = table.try_get("believed")?;
    let (one_owner, owner): (bool, String) = (table.try_get("one_owner")?, table.try_get("owner_name")?);
    let believed: HashMap<&str, bool> = sequences
        .iter()
        .filter(|sequence| all_believed || one_owner && *sequence.owner == *owner)
        .map(|sequence| (&*sequence.name, sequence.parameters.increment > 0))
        .collect();
    if believed.is_empty() {
        return Ok(None);
    }
    let mut memories = HashMap::new();
    for row in answer(connection, TOTALS, timeouts).await? {
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
) -> Result<Vec<PgRow>, QueryError> {
    connection.run_transaction("repair-log", TransactionMode::Read, timeouts, [statement]).await.into_rows()
}
