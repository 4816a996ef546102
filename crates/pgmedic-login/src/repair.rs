//! Repairs the sequences behind one duplicate key: finds those that feed it, observes them, and moves those that are
//! behind. Runs in the transaction of the failed insert, between two rollbacks to its savepoint.

use crate::keys_of_column::keys_of_column;
use crate::types::{InlineRepairLimits, Repair};
use crate::unique_violation::UniqueViolation;
use pgmedic_core::sequence::feed_row::catalog_sql;
use pgmedic_core::sequence::inline::{InlineRepair, InlineSequence};
use pgmedic_core::sequence::judgement::Settings;
use pgmedic_core::{QueryError, Reason, settings_sql, simple_query};
use sqlx::Row;
use sqlx::postgres::PgConnection;
use std::fmt::Display;
use std::sync::LazyLock;

static SEQUENCES_OF_INDEX: LazyLock<String> = LazyLock::new(|| {
    let keys = keys_of_column("COALESCE(t.members, ARRAY[l.rel])", "a.attname");
    catalog_sql(include_str!("sequences_of_index.sql"), &[("KEYS", &keys)])
});

/// Reverts what the failed insert and the repair have set and locked. Values that `nextval` handed out stay handed out.
const UNDO: &str = "ROLLBACK TO SAVEPOINT pgmedic_insert";

/// Makes the planner keep the join order in which the catalog query is written: from few rows to few rows, by index.
/// Planning took ten times as long as the query without these settings, and another order may read whole catalogs.
const PLANNER_SETTINGS: &str = "\
    SET LOCAL join_collapse_limit = 1; SET LOCAL from_collapse_limit = 1; \
    SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off";

/// Names the statements in `pg_stat_activity` and in the server's log, in a leading comment.
const NAME: &str = "inline-repair";

/// Whether the insert should run again.
#[derive(Debug)]
pub(crate) enum RepairOutcome {
    /// No: no sequence is behind, or none could be repaired.
    NotRepaired,
    /// Yes: these sequences were moved. There are none when another session repaired the sequence first.
    Retry(Vec<Repair>),
}

/// Repairs the sequences that feed the violated key, in a transaction that the failed insert has aborted. Leaves the
/// transaction as it was at the savepoint.
pub(crate) async fn repair_after_violation(
    connection: &mut PgConnection,
    violation: &UniqueViolation,
    limits: &InlineRepairLimits,
) -> RepairOutcome {
    let mut result = try_repair(connection, violation, limits).await;
    if let Err(error) = simple_query(connection, NAME, UNDO).await {
        result = Err(error.into());
    }
    let UniqueViolation { schema, table, constraint, .. } = violation;
    match result {
        Ok(Some(repairs)) => {
            for Repair { sequence, from, to } in &repairs {
                tracing::info!(schema, table, sequence, from, to, "moved a sequence past the ids that an insert met");
            }
            RepairOutcome::Retry(repairs)
        }
        Ok(None) => RepairOutcome::NotRepaired,
        Err(reason) => {
            warn_not_repaired(schema, table, constraint, &reason);
            RepairOutcome::NotRepaired
        }
    }
}

pub(crate) fn warn_not_repaired(schema: &str, table: &str, constraint: &str, reason: &dyn Display) {
    tracing::warn!(schema, table, constraint, %reason, "an insert met a taken id, which could not be repaired");
}

/// Repairs each sequence that can be repaired; a failure of one does not stop the others. None when no sequence is
/// behind. Fails only when none was repaired.
async fn try_repair(
    connection: &mut PgConnection,
    violation: &UniqueViolation,
    limits: &InlineRepairLimits,
) -> Result<Option<Vec<Repair>>, Reason> {
    restart_savepoint(connection, limits).await?;
    let sequences = sequences_of(connection, violation).await?;
    let mut retry = false;
    let mut repairs = Vec::new();
    let mut first_reason = None;
    for (index, sequence) in sequences.iter().enumerate() {
        if index > 0 {
            restart_savepoint(connection, limits).await?;
        }
        match repair_sequence(connection, sequence, violation, limits).await {
            Ok(SequenceOutcome::NotBehind) => {}
            Ok(SequenceOutcome::RepairedBefore) => retry = true,
            Ok(SequenceOutcome::Repaired(repair)) => {
                retry = true;
                repairs.push(repair);
            }
            Err(reason) => first_reason = first_reason.or(Some(reason)),
        }
    }
    match first_reason {
        Some(reason) if !retry => Err(reason),
        _ => Ok(retry.then_some(repairs)),
    }
}

/// Rolls back to the savepoint, which also ends an aborted state, and sets the timeouts for what follows.
async fn restart_savepoint(connection: &mut PgConnection, limits: &InlineRepairLimits) -> Result<(), QueryError> {
    let statements = format!("{UNDO};\n{}\n{PLANNER_SETTINGS}", settings_sql(limits.timeouts()));
    simple_query(connection, NAME, &statements).await.map(drop)
}

/// What one sequence had to do with the taken id.
enum SequenceOutcome {
    /// The sequence is not behind, and did not hand the id out.
    NotBehind,
    /// It was behind when it handed the id out, and is not any more.
    RepairedBefore,
    /// It was behind, and was moved.
    Repaired(Repair),
}

async fn repair_sequence(
    connection: &mut PgConnection,
    sequence: &InlineSequence,
    violation: &UniqueViolation,
    limits: &InlineRepairLimits,
) -> Result<SequenceOutcome, Reason> {
    let settings = Settings { advance_limit: limits.advance_limit, max_repair_ratio: limits.max_repair_ratio };
    let looked = sequence.observe(connection, &settings, limits.timeouts()).await?;
    let observation = looked.seen;
    if let InlineRepair::Advance(statement) = sequence.plan_inline_repair(&looked, &settings)? {
        let rows = match simple_query(connection, NAME, &statement).await {
            // Many sessions hand the values out at once. What was handed out stays so, and the next run goes on from there.
            Err(QueryError::QueryCanceled) => {
                tracing::debug!(
                    sequence = sequence.name(),
                    "handing out the unusable values took too long: it is nearer now"
                );
                return Ok(SequenceOutcome::RepairedBefore);
            }
            rows => rows?,
        };
        let (Some(row), Some(from)) = (rows.first(), observation.position.next_value()) else {
            // The sequence was set back since the observation; the next run of the insert shows whether it is behind.
            return Ok(SequenceOutcome::RepairedBefore);
        };
        let to = row.try_get(0).map_err(QueryError::from)?;
        return Ok(SequenceOutcome::Repaired(Repair { sequence: sequence.name().to_owned(), from, to }));
    }
    if !was_handed_out(connection, sequence, violation).await {
        return Ok(SequenceOutcome::NotBehind);
    }
    // Another session repaired the sequence first. Values from before that are left only in this connection's cache.
    if let Some(statement) = sequence.drain_session_cache_sql(&observation) {
        simple_query(connection, NAME, &statement).await?;
    }
    Ok(SequenceOutcome::RepairedBefore)
}

/// The sequences that feed the one column of the violated index, as the connection's role sees them.
async fn sequences_of(
    connection: &mut PgConnection,
    violation: &UniqueViolation,
) -> Result<Vec<InlineSequence>, QueryError> {
    let rows = sqlx::query(SEQUENCES_OF_INDEX.as_str())
        .bind(&violation.schema)
        .bind(&violation.table)
        .bind(&violation.constraint)
        .persistent(false)
        .fetch_all(connection)
        .await?;
    let Some(first) = rows.first() else { return Ok(Vec::new()) };
    let role: String = first.try_get("role")?;
    InlineSequence::read(&rows, &role)
}

/// Whether the taken id is the last value that the sequence handed out on this connection: then the insert used it. A
/// taken id that the application chose is not caused by the sequence.
async fn was_handed_out(connection: &mut PgConnection, sequence: &InlineSequence, violation: &UniqueViolation) -> bool {
    let Some(key) = violation.key else { return false };
    let statement = format!("SELECT currval('{}'::regclass) = '{key}'::bigint", sequence.oid());
    // `currval` fails when the sequence has handed out no value on this connection.
    let rows = simple_query(connection, NAME, &statement).await;
    rows.ok().and_then(|rows| rows.first()?.try_get(0).ok()).unwrap_or(false)
}
