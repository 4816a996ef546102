//! What is done about one duplicate key: find the sequence behind it, look, and move it where it is behind.

use super::heal::{Limits, Repair};
use super::refusal::Refusal;
use crate::db::{Failure, ask, settings};
use crate::sequences::single::{Policy, Remedy, Single};
use sqlx::Row;
use sqlx::postgres::PgConnection;

const FEEDS: &str = include_str!("feeds.sql");

/// Ends what the failed insert and the cure have set and locked; values that were handed out stay handed out.
const UNDO: &str = "ROLLBACK TO SAVEPOINT pgmedic_insert";

/// The catalog query is written in the order in which its tables are best joined, from few rows to few rows by index
/// look-ups; finding that out took the server ten times as long as the query itself, and guessing wrong would read
/// whole catalogs.
const AS_WRITTEN: &str = "\
    SET LOCAL join_collapse_limit = 1; SET LOCAL from_collapse_limit = 1; \
    SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off";

/// In the comment that leads each statement.
const NAME: &str = "heal";

/// What came of it.
#[derive(Debug)]
pub(super) enum Cure {
    /// It is no drift, or none that could be mended here.
    None,
    /// It was: the insert will find a free id now.
    Again(Vec<Repair>),
}

/// In a transaction that a failed insert has aborted, since the savepoint before it; leaves it as it was there.
pub(super) async fn cure(connection: &mut PgConnection, refusal: &Refusal, limits: &Limits) -> Cure {
    let mut cure = attempt(connection, refusal, limits).await;
    if let Err(failure) = ask(connection, NAME, UNDO).await {
        cure = Err(failure.to_string());
    }
    let Refusal { schema, table, constraint, .. } = refusal;
    match cure {
        Ok(Some(repairs)) => {
            for Repair { sequence, from, to } in &repairs {
                tracing::info!(schema, table, sequence, from, to, "moved a sequence past the ids that an insert met");
            }
            Cure::Again(repairs)
        }
        Ok(None) => Cure::None,
        Err(reason) => {
            tracing::warn!(schema, table, constraint, reason, "an insert met a taken id, which could not be mended");
            Cure::None
        }
    }
}

/// None when it is no drift. One sequence that cannot be judged stands in no other one's way.
async fn attempt(
    connection: &mut PgConnection,
    refusal: &Refusal,
    limits: &Limits,
) -> Result<Option<Vec<Repair>>, String> {
    begin(connection, limits).await?;
    let sequences = feeding(connection, refusal).await.map_err(|failure| failure.to_string())?;
    let mut again = false;
    let mut repairs = Vec::new();
    let mut reason = None;
    for (index, sequence) in sequences.iter().enumerate() {
        if index > 0 {
            begin(connection, limits).await?;
        }
        match mend(connection, sequence, refusal, limits).await {
            Ok(Mended::Not) => {}
            Ok(Mended::Before) => again = true,
            Ok(Mended::Now(repair)) => {
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
async fn begin(connection: &mut PgConnection, limits: &Limits) -> Result<(), String> {
    let statements = format!("{UNDO};\n{}\n{AS_WRITTEN}", settings(limits.bounds()));
    ask(connection, NAME, &statements).await.map(drop).map_err(|failure| failure.to_string())
}

/// What one sequence had to do with a taken id.
enum Mended {
    /// Nothing.
    Not,
    /// It was behind when it handed the id out, and is not any more.
    Before,
    Now(Repair),
}

async fn mend(
    connection: &mut PgConnection,
    sequence: &Single,
    refusal: &Refusal,
    limits: &Limits,
) -> Result<Mended, String> {
    let policy = Policy { headroom: 0, advance_limit: limits.advance_limit, max_leap_ratio: limits.max_leap_ratio };
    let seen = sequence.look(connection, limits.bounds()).await?;
    let words = |failure: Failure| failure.to_string();
    if let Remedy::HandOut(statement) = sequence.remedy(&seen, &policy)? {
        let rows = ask(connection, NAME, &statement).await.map_err(words)?;
        let (Some(row), Some(from)) = (rows.first(), seen.position.next_value()) else {
            // Somebody has set it back meanwhile; the insert tells.
            return Ok(Mended::Before);
        };
        let to = row.try_get(0).map_err(|error| error.to_string())?;
        return Ok(Mended::Now(Repair { sequence: sequence.name().to_owned(), from, to }));
    }
    if !handed_out(connection, sequence, refusal).await {
        return Ok(Mended::Not);
    }
    // Somebody else was quicker. What this session holds of values before that, nobody else can take from it.
    if let Some(statement) = sequence.drain(&seen) {
        ask(connection, NAME, &statement).await.map_err(words)?;
    }
    Ok(Mended::Before)
}

/// The sequences that feed the one column of the violated index, as the role that asks sees them.
async fn feeding(connection: &mut PgConnection, refusal: &Refusal) -> Result<Vec<Single>, Failure> {
    let rows = sqlx::query(FEEDS)
        .bind(&refusal.schema)
        .bind(&refusal.table)
        .bind(&refusal.constraint)
        .persistent(false)
        .fetch_all(connection)
        .await?;
    let Some(first) = rows.first() else { return Ok(Vec::new()) };
    let role: String = first.try_get("role")?;
    Single::read(&rows, &role)
}

/// Whether the taken id is the last value that the sequence gave to this session: then the insert had it from there.
/// An id that the application chose by itself is nobody's drift.
async fn handed_out(connection: &mut PgConnection, sequence: &Single, refusal: &Refusal) -> bool {
    let Some(key) = refusal.key else { return false };
    let statement = format!("SELECT currval('{}'::regclass) = '{key}'::bigint", sequence.oid());
    // An error means that it gave this session none.
    let rows = ask(connection, NAME, &statement).await;
    rows.ok().and_then(|rows| rows.first()?.try_get(0).ok()).unwrap_or(false)
}
