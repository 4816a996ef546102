//! The statements on `pgmedic.repair_log`: check the table, remove old rows, insert the agent's repairs, count inline ones.

use super::earlier::earlier_repairs;
use crate::db::{BoundedConnection, TransactionMode};
use crate::sequences::{LogOwner, REPAIR_LOG_CHECK, RepairLogEntry, repair_log_install_fix};
use crate::state::EarlierRepair;
use pgmedic_core::{QueryError, Reason, ReasonKind, Timeouts, fill_sql};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// How long rows are kept.
const KEPT: &str = "30 days";

/// Rows removed at a time; the next sync removes more.
const MOST_REMOVED: u32 = 10_000;

/// Outcomes of inline repairs, as the table and the metric's label have them.
pub const OUTCOMES: [&str; 2] = ["repaired", "held"];

/// Counts inline repairs where entries cannot be marked as counted: in a dry run, or on a read-only server.
#[derive(Debug, Default)]
pub struct InlineRepairCounter {
    before: Option<Counts>,
}

/// By [`OUTCOMES`].
type Counts = [u64; 2];

/// The result of one sync.
#[derive(Debug, Clone, PartialEq)]
pub enum RepairLogSync {
    /// There is no such table.
    Missing,
    /// The table must not be used; why, and what to do.
    Unusable(Reason),
    /// Inline repairs since the last time, by [`OUTCOMES`]; and what agents repaired before, where that was asked for.
    Read { inline: Counts, earlier: Option<Vec<EarlierRepair>> },
}

/// Inserts `own` repairs and removes old rows, unless `read_only`; counts inline repairs. With `wants_earlier`, reads what
/// agents repaired before.
///
/// # Errors
///
/// Any error of the database; nothing is written then.
pub async fn sync_repair_log(
    connection: &mut BoundedConnection,
    timeouts: Timeouts,
    own: &[RepairLogEntry],
    read_only: bool,
    wants_earlier: bool,
    counter: &mut InlineRepairCounter,
) -> Result<RepairLogSync, QueryError> {
    let found = connection.run_transaction("repair-log", TransactionMode::Read, timeouts, [REPAIR_LOG_CHECK]).await;
    let found = found.into_rows()?;
    let Some(table) = found.first() else { return Ok(RepairLogSync::Missing) };
    if !table.try_get::<bool, _>("plain")? {
        let what =
            "pgmedic.repair_log is not as `pgmedic sql install` makes it: run that again, or remove what was added";
        return Ok(RepairLogSync::Unusable(Reason::new(ReasonKind::RepairLog, what)));
    }
    if !table.try_get::<bool, _>("allowed")? {
        let fix = repair_log_install_fix(&connection.server().role);
        let reason = Reason::new(ReasonKind::RepairLog, "pgmedic.repair_log cannot be written; install it again");
        return Ok(RepairLogSync::Unusable(reason.with_fix(fix)));
    }
    let owner = LogOwner::of(table)?;
    // Before `own` is written.
    let earlier = if wants_earlier { Some(earlier_repairs(connection, timeouts, &owner).await?) } else { None };
    let read_only = read_only || connection.server().read_only.is_some();
    if read_only {
        let statements = [count_unmarked(&owner)];
        let result = connection.run_transaction("repair-log", TransactionMode::Read, timeouts, statements).await;
        let counted = counts(&result.into_rows()?)?;
        return Ok(RepairLogSync::Read { inline: counter.since_last(counted), earlier });
    }
    let statements = write_sql(&owner, own);
    let result = connection.run_transaction("repair-log", TransactionMode::Write, timeouts, statements).await;
    let answers = result.into_answers()?;
    let counted = counts(answers.get(COUNTED_BY).map_or(&[][..], Vec::as_slice))?;
    let written = answers.last().map_or(0, Vec::len);
    if written < own.len() {
        let name = &owner.name;
        tracing::warn!(
            owner = name,
            "pgmedic.repair_log belongs to {name}, who is not the owner of a repaired sequence, of the database, or a \
             superuser: the repair is not written to it"
        );
    }
    Ok(RepairLogSync::Read { inline: counted, earlier })
}

impl InlineRepairCounter {
    /// All entries are counted each time, because one that was written early may become visible late.
    fn since_last(&mut self, counted: Counts) -> Counts {
        // The first count only sets the baseline.
        let before = self.before.replace(counted).unwrap_or(counted);
        std::array::from_fn(|outcome| counted[outcome].saturating_sub(before[outcome]))
    }
}

/// The place of the statement that counts among those of [`write_sql`].
const COUNTED_BY: usize = 2;

fn count_unmarked(owner: &LogOwner) -> String {
    let may_know = owner.may_know();
    format!(
        "SELECT e.outcome, count(*) FROM ONLY pgmedic.repair_log e WHERE e.source = 'inline' AND NOT e.counted AND \
         {may_know} GROUP BY e.outcome"
    )
}

/// The last statement answers with a row for each of `own` that was written.
fn write_sql(owner: &LogOwner, own: &[RepairLogEntry]) -> Vec<String> {
    let remove =
        fill_sql(include_str!("remove_old.sql"), &[("KEPT", KEPT), ("MOST_REMOVED", &MOST_REMOVED.to_string())]);
    let count = fill_sql(include_str!("count.sql"), &[("TRUSTED", &owner.may_know())]);
    let mut statements = Vec::from(owner.lock_and_check_sql());
    statements.extend([count, remove]);
    statements.extend(owner.insert_sql(own));
    statements
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
    fn without_marks_each_inline_repair_is_counted_once() {
        let mut counter = InlineRepairCounter::default();
        assert_eq!(counter.since_last([7, 1]), [0, 0], "from before the start");
        assert_eq!(counter.since_last([9, 1]), [2, 0]);
        assert_eq!(counter.since_last([0, 0]), [0, 0], "another agent has marked them");
        assert_eq!(counter.since_last([1, 0]), [1, 0]);
    }
}
