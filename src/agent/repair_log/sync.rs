//! The agent's part in `pgmedic.repair_log`, where `pgmedic sql install` has made it: its own repairs are written there,
//! inline ones are counted, and old ones removed.

use crate::db::{BoundedConnection, TransactionMode};
use pgmedic_core::{QueryError, Timeouts, quote_literal};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// What tells whether the table is there, and is what it should be.
const CHECK: &str = include_str!("sync.sql");

/// How long events are kept.
const KEPT: &str = "30 days";

/// Events that are removed at once; more go the next time.
const MOST_REMOVED: u32 = 10_000;

/// What an inline repair came to, as the events say it and the metric's label.
pub const OUTCOMES: [&str; 2] = ["repaired", "held"];

/// A repair of the agent's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairLogEntry {
    /// Schema-qualified, quoted as SQL needs it.
    pub sequence: String,
    /// What `nextval` would have returned before, and after.
    pub from: i64,
    pub to: i64,
}

/// How many inline repairs have been seen, so that each is told once.
#[derive(Debug, Default)]
pub struct InlineRepairCounter {
    before: Option<Counts>,
    removed: Counts,
}

/// By [`OUTCOMES`].
type Counts = [u64; 2];

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepairLogSync {
    /// There is no such table.
    Missing,
    /// It is not to be used; says why, and what to do.
    Unusable(String),
    /// Inline repairs since the last time, by [`OUTCOMES`].
    Inline(Counts),
}

/// Writes `own` repairs down and removes what is old, unless `look_only`; counts the inline ones.
///
/// # Errors
///
/// The failure; nothing is written then.
pub async fn sync_repair_log(
    session: &mut BoundedConnection,
    bounds: Timeouts,
    own: &[RepairLogEntry],
    look_only: bool,
    tally: &mut InlineRepairCounter,
) -> Result<RepairLogSync, QueryError> {
    let found = answers(session, TransactionMode::Read, bounds, vec![CHECK.to_owned()]).await?;
    let Some(table) = found.first().and_then(|rows| rows.first()) else { return Ok(RepairLogSync::Missing) };
    if !table.try_get::<bool, _>("plain")? {
        let what =
            "pgmedic.repair_log is not as `pgmedic sql install` makes it: run that again, or take away what was added";
        return Ok(RepairLogSync::Unusable(what.to_owned()));
    }
    if !table.try_get::<bool, _>("allowed")? {
        let role = &session.server().role;
        let what = format!("pgmedic.repair_log cannot be kept: run pgmedic sql install with --agent {role}");
        return Ok(RepairLogSync::Unusable(what));
    }
    let look_only = look_only || session.server().read_only.is_some();
    let (access, statements) = if look_only {
        (TransactionMode::Read, vec![COUNT.to_owned()])
    } else {
        (TransactionMode::Write, write_sql(own))
    };
    let mut answers = answers(session, access, bounds, statements).await?;
    let counted = counts(&answers.pop().unwrap_or_default())?;
    // The last but one, where something was removed.
    let removed = if look_only { Counts::default() } else { counts(answers.get(2).map_or(&[][..], Vec::as_slice))? };
    Ok(RepairLogSync::Inline(tally.since_last(counted, removed)))
}

impl InlineRepairCounter {
    /// Events are counted whole each time, because one that was written early may become visible late.
    fn since_last(&mut self, counted: Counts, removed: Counts) -> Counts {
        self.removed = sum(self.removed, removed);
        let all = sum(counted, self.removed);
        // What was there when we came was told by whoever led before.
        let before = self.before.replace(all).unwrap_or(all);
        std::array::from_fn(|outcome| all[outcome].saturating_sub(before[outcome]))
    }
}

fn sum(a: Counts, b: Counts) -> Counts {
    std::array::from_fn(|outcome| a[outcome] + b[outcome])
}

const COUNT: &str = "SELECT outcome, count(*) FROM ONLY pgmedic.repair_log WHERE source = 'inline' GROUP BY outcome";

/// The lock keeps everybody from hanging something on the table between the check and what follows it.
fn write_sql(own: &[RepairLogEntry]) -> Vec<String> {
    let tripwire = format!("SELECT 1 / (SELECT (plain AND allowed)::integer FROM ({CHECK}) AS checked)");
    let remove = format!(
        "WITH removed AS (
             DELETE FROM ONLY pgmedic.repair_log
             WHERE ctid = ANY (ARRAY(SELECT ctid FROM ONLY pgmedic.repair_log
                                     WHERE at < clock_timestamp() - interval '{KEPT}' LIMIT {MOST_REMOVED}))
             RETURNING source, outcome)
         SELECT outcome, count(*) FROM removed WHERE source = 'inline' GROUP BY outcome"
    );
    let mut statements = vec!["LOCK TABLE ONLY pgmedic.repair_log IN ROW EXCLUSIVE MODE".to_owned(), tripwire, remove];
    if !own.is_empty() {
        let rows: Vec<String> = own
            .iter()
            .map(|RepairLogEntry { sequence, from, to }| {
                let sequence = quote_literal(sequence);
                format!("(clock_timestamp(), current_user, 'agent', {sequence}, 'repaired', {from}, {to})")
            })
            .collect();
        let columns = "at, role, source, sequence, outcome, from_value, to_value";
        statements.push(format!("INSERT INTO pgmedic.repair_log ({columns}) VALUES {}", rows.join(", ")));
    }
    statements.push(COUNT.to_owned());
    statements
}

async fn answers(
    session: &mut BoundedConnection,
    access: TransactionMode,
    bounds: Timeouts,
    statements: Vec<String>,
) -> Result<Vec<Vec<PgRow>>, QueryError> {
    let script = session.run_transaction("events", access, bounds, statements).await;
    script.failure.map_or(Ok(script.answers), Err)
}

/// Others than ours are nobody's outcomes.
fn counts(rows: &[PgRow]) -> Result<Counts, QueryError> {
    let mut counts = Counts::default();
    for row in rows {
        let (outcome, count): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
        if let Some(place) = OUTCOMES.iter().position(|known| *known == outcome) {
            counts[place] = count.unsigned_abs();
        }
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use crate::agent::repair_log::sync::*;

    #[test]
    fn each_inline_repair_is_told_once_whatever_is_removed_meanwhile() {
        let mut tally = InlineRepairCounter::default();
        assert_eq!(tally.since_last([7, 1], [0, 0]), [0, 0], "an earlier leader's");
        assert_eq!(tally.since_last([9, 1], [0, 0]), [2, 0]);
        assert_eq!(tally.since_last([4, 2], [6, 0]), [1, 1]);
        assert_eq!(tally.since_last([0, 0], [0, 0]), [0, 0], "emptied by somebody");
        assert_eq!(tally.since_last([1, 0], [0, 0]), [1, 0]);
    }
}
