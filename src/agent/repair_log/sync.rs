//! The statements on `pgmedic.repair_log`: check the table, remove old rows, insert the agent's repairs, count inline ones.

use crate::db::{BoundedConnection, TransactionMode};
use crate::sequences::{RepairLogEntry, insert_sql, lock_and_check_sql};
use pgmedic_core::{Fix, QueryError, Reason, ReasonKind, Timeouts, fill_sql, shell_quote};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// Whether the table exists, and is as it was installed.
const CHECK: &str = crate::sequences::REPAIR_LOG_CHECK;

/// How long rows are kept.
const KEPT: &str = "30 days";

/// Rows removed at a time; the next sync removes more.
const MOST_REMOVED: u32 = 10_000;

/// Outcomes of inline repairs, as the table and the metric's label have them.
pub const OUTCOMES: [&str; 2] = ["repaired", "held"];

/// Counts inline repairs, each once.
#[derive(Debug, Default)]
pub struct InlineRepairCounter {
    before: Option<Counts>,
    removed: Counts,
}

/// By [`OUTCOMES`].
type Counts = [u64; 2];

/// The result of one sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepairLogSync {
    /// There is no such table.
    Missing,
    /// The table must not be used; why, and what to do.
    Unusable(Reason),
    /// Inline repairs since the last time, by [`OUTCOMES`].
    Inline(Counts),
}

/// Inserts `own` repairs and removes old rows, unless `read_only`; counts inline repairs.
///
/// # Errors
///
/// Any error of the database; nothing is written then.
pub async fn sync_repair_log(
    connection: &mut BoundedConnection,
    timeouts: Timeouts,
    own: &[RepairLogEntry],
    read_only: bool,
    counter: &mut InlineRepairCounter,
) -> Result<RepairLogSync, QueryError> {
    let found = answers(connection, TransactionMode::Read, timeouts, vec![CHECK.to_owned()]).await?;
    let Some(table) = found.first().and_then(|rows| rows.first()) else { return Ok(RepairLogSync::Missing) };
    if !table.try_get::<bool, _>("plain")? {
        let what =
            "pgmedic.repair_log is not as `pgmedic sql install` makes it: run that again, or remove what was added";
        return Ok(RepairLogSync::Unusable(Reason::new(ReasonKind::RepairLog, what)));
    }
    if !table.try_get::<bool, _>("allowed")? {
        let role = &connection.server().role;
        let fix = Fix::Command(format!("pgmedic sql install --agent {}", shell_quote(role)));
        let reason = Reason::new(ReasonKind::RepairLog, "pgmedic.repair_log cannot be written; run what this prints");
        return Ok(RepairLogSync::Unusable(reason.with_fix(fix)));
    }
    let read_only = read_only || connection.server().read_only.is_some();
    let (access, statements) = if read_only {
        (TransactionMode::Read, vec![COUNT.to_owned()])
    } else {
        (TransactionMode::Write, write_sql(own))
    };
    let mut answers = answers(connection, access, timeouts, statements).await?;
    let counted = counts(&answers.pop().unwrap_or_default())?;
    // The result of the removal is the third.
    let removed = if read_only { Counts::default() } else { counts(answers.get(2).map_or(&[][..], Vec::as_slice))? };
    Ok(RepairLogSync::Inline(counter.since_last(counted, removed)))
}

impl InlineRepairCounter {
    /// All rows are counted each time, because a row that was written early may become visible late.
    fn since_last(&mut self, counted: Counts, removed: Counts) -> Counts {
        self.removed = sum(self.removed, removed);
        let all = sum(counted, self.removed);
        // The first count only sets the baseline: the leader before has counted these.
        let before = self.before.replace(all).unwrap_or(all);
        std::array::from_fn(|outcome| all[outcome].saturating_sub(before[outcome]))
    }
}

fn sum(a: Counts, b: Counts) -> Counts {
    std::array::from_fn(|outcome| a[outcome] + b[outcome])
}

const COUNT: &str = "SELECT outcome, count(*) FROM ONLY pgmedic.repair_log WHERE source = 'inline' GROUP BY outcome";

fn write_sql(own: &[RepairLogEntry]) -> Vec<String> {
    let remove =
        fill_sql(include_str!("remove_old.sql"), &[("KEPT", KEPT), ("MOST_REMOVED", &MOST_REMOVED.to_string())]);
    let mut statements = Vec::from(lock_and_check_sql());
    statements.push(remove);
    statements.extend(insert_sql(own));
    statements.push(COUNT.to_owned());
    statements
}

async fn answers(
    connection: &mut BoundedConnection,
    access: TransactionMode,
    timeouts: Timeouts,
    statements: Vec<String>,
) -> Result<Vec<Vec<PgRow>>, QueryError> {
    let result = connection.run_transaction("repair-log", access, timeouts, statements).await;
    result.failure.map_or(Ok(result.answers), Err)
}

/// Unknown outcomes are not counted.
fn counts(rows: &[PgRow]) -> Result<Counts, QueryError> {
    let mut counts = Counts::default();
    for row in rows {
        let (outcome, count): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
        if let Some(index) = OUTCOMES.iter().position(|known| *known == outcome) {
            counts[index] = count.unsigned_abs();
        }
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use crate::agent::repair_log::sync::*;

    #[test]
    fn each_inline_repair_is_counted_once_also_when_rows_are_removed() {
        let mut counter = InlineRepairCounter::default();
        assert_eq!(counter.since_last([7, 1], [0, 0]), [0, 0], "counted by the leader before");
        assert_eq!(counter.since_last([9, 1], [0, 0]), [2, 0]);
        assert_eq!(counter.since_last([4, 2], [6, 0]), [1, 1]);
        assert_eq!(counter.since_last([0, 0], [0, 0]), [0, 0], "the table was truncated");
        assert_eq!(counter.since_last([1, 0], [0, 0]), [1, 0]);
    }
}
