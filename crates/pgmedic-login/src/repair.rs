//! What is done about one duplicate key: find the sequence behind it, look, and move it where it is behind.

use crate::retry::{InlineRepairLimits, Repair};
use crate::unique_violation::UniqueViolation;
use pgmedic_core::sequence::inline::{InlineRepair, InlineSequence, RepairLimits};
use pgmedic_core::{QueryError, settings_sql, simple_query};
use sqlx::Row;
use sqlx::postgres::PgConnection;

const FEEDS: &str = include_str!("sequences_of_index.sql");

/// Ends what the failed insert and the fix have set and locked; values that were handed out stay handed out.
const UNDO: &str = "ROLLBACK TO SAVEPOINT pgmedic_insert";

/// The catalog query is written in the order in which its tables are best joined, from few rows to few rows by index
/// look-ups; finding that out took the server ten times as long as the query itself, and guessing wrong would read
/// whole catalogs.
const PLANNER_SETTINGS: &str = "\
    SET LOCAL join_collapse_limit = 1; SET LOCAL from_collapse_limit = 1; \
    SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off";

/// In the comment that leads each statement.
const NAME: &str = "inline-repair";

/// What came of it.
#[derive(Debug)]
pub(super) enum RepairOutcome {
    /// It is no drift, or none that could be repaired here.
    None,
    /// It was: the insert will find a free id now.
    Again(Vec<Repair>),
}

/// In a transaction that a failed insert has aborted, since the savepoint before it; leaves it as it was there.
pub(super) async fn repair_after_violation(
    connection: &mut PgConnection,
    refusal: &UniqueViolation,
    limits: &InlineRepairLimits,
) -> RepairOutcome {
    let mut fix = try_repair(connection, refusal, limits).await;
    if let Err(failure) = simple_query(connection, NAME, UNDO).await {
        fix = Err(failure.to_string());
    }
    let UniqueViolation { schema, table, constraint, .. } = refusal;
    match fix {
        Ok(Some(repairs)) => {
            for Repair { sequence, from, to } in &repairs {
                tracing::info!(schema, table, sequence, from, to, "moved a sequence past the ids that an insert met");
            }
            RepairOutcome::Again(repairs)
        }
        Ok(None) => RepairOutcome::None,
        Err(reason) => {
            tracing::warn!(schema, table, constraint, reason, "an insert met a taken id, which could not be repaired");
            RepairOutcome::None
        }
    }
}

/// None when it is no drift. One sequence that cannot be judged stands in no other one's way.
async fn try_repair(
    connection: &mut PgConnection,
    refusal: &UniqueViolation,
    limits: &InlineRepairLimits,
) -> Result<Option<Vec<Repair>>, String> {
    restart_savepoint(connection, limits).await?;
    let sequences = sequences_of(connection, refusal).await.map_err(|failure| failure.to_string())?;
    let mut again = false;
    let mut repairs = Vec::new();
    let mut reason = None;
    for (index, sequence) in sequences.iter().enumerate() {
        if index > 0 {
            restart_savepoint(connection, limits).await?;
        }
        match repair_sequence(connection, sequence, refusal, limits).await {
            Ok(SequenceOutcome::Not) => {}
            Ok(SequenceOutcome::Before) => again = true,
            Ok(SequenceOutcome::Now(repair)) => {
                again = true;
                repairs.push(repair);
            }
            Err(why) => reason = reason.or(Some(why)),
        }
    }
    match reason {
        Some(reason) if !again => Err(reason),
        _ => Ok(again.then_some(repairs)),
    }
}

/// Goes back to the savepoint, whatever has failed since, and bounds what follows.
async fn restart_savepoint(connection: &mut PgConnection, limits: &InlineRepairLimits) -> Result<(), String> {
    let statements = format!("{UNDO};\n{}\n{PLANNER_SETTINGS}", settings_sql(limits.bounds()));
    simple_query(connection, NAME, &statements).await.map(drop).map_err(|failure| failure.to_string())
}

/// What one sequence had to do with a taken id.
enum SequenceOutcome {
    /// Nothing.
    Not,
    /// It was behind when it handed the id out, and is not any more.
    Before,
    Now(Repair),
}

async fn repair_sequence(
    connection: &mut PgConnection,
    sequence: &InlineSequence,
    refusal: &UniqueViolation,
    limits: &InlineRepairLimits,
) -> Result<SequenceOutcome, String> {
    let policy =
        RepairLimits { headroom: 0, advance_limit: limits.advance_limit, max_repair_ratio: limits.max_repair_ratio };
    let seen = sequence.observe(connection, limits.bounds()).await.map_err(|reason| reason.to_string())?;
    let words = |failure: QueryError| failure.to_string();
    if let InlineRepair::Advance(statement) =
        sequence.plan_inline_repair(&seen, &policy).map_err(|reason| reason.to_string())?
    {
        let rows = simple_query(connection, NAME, &statement).await.map_err(words)?;
        let (Some(row), Some(from)) = (rows.first(), seen.position.next_value()) else {
            // Somebody has set it back meanwhile; the insert tells.
            return Ok(SequenceOutcome::Before);
        };
        let to = row.try_get(0).map_err(|error| error.to_string())?;
        return Ok(SequenceOutcome::Now(Repair { sequence: sequence.name().to_owned(), from, to }));
    }
    if !was_handed_out(connection, sequence, refusal).await {
        return Ok(SequenceOutcome::Not);
    }
    // Somebody else was quicker. What this session holds of values before that, nobody else can take from it.
    if let Some(statement) = sequence.drain_session_cache_sql(&seen) {
        simple_query(connection, NAME, &statement).await.map_err(words)?;
    }
    Ok(SequenceOutcome::Before)
}

/// The sequences that feed the one column of the violated index, as the role that asks sees them.
async fn sequences_of(
    connection: &mut PgConnection,
    refusal: &UniqueViolation,
) -> Result<Vec<InlineSequence>, QueryError> {
    let rows = sqlx::query(FEEDS)
        .bind(&refusal.schema)
        .bind(&refusal.table)
        .bind(&refusal.constraint)
        .persistent(false)
        .fetch_all(connection)
        .await?;
    let Some(first) = rows.first() else { return Ok(Vec::new()) };
    let role: String = first.try_get("role")?;
    InlineSequence::read(&rows, &role)
}

/// Whether the taken id is the last value that the sequence gave to this session: then the insert had it from there.
/// An id that the application chose by itself is nobody's drift.
async fn was_handed_out(connection: &mut PgConnection, sequence: &InlineSequence, refusal: &UniqueViolation) -> bool {
    let Some(key) = refusal.key else { return false };
    let statement = format!("SELECT currval('{}'::regclass) = '{key}'::bigint", sequence.oid());
    // An error means that it gave this session none.
    let rows = simple_query(connection, NAME, &statement).await;
    rows.ok().and_then(|rows| rows.first()?.try_get(0).ok()).unwrap_or(false)
}
