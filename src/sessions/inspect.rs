//! Inspects a store: how many sessions there are, how many a sweep would end, and whether the columns are plausible.

use super::context::StoreContext;
use super::guards::SweepCounts;
use super::pass_state::LastSweep;
use super::plausibility::{Sample, implausible_reason};
use super::reasons::explain_sweep_error;
use super::store::PerUserLimit;
use crate::db::{BoundedConnection, TransactionMode};
use pgmedic_core::{QueryError, Reason, ReasonKind, Timeouts};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// At most so many sessions of each kind are counted where a store is too large to be scanned.
const MAX_COUNTED: u64 = 100_000;

/// What an inspection found.
#[derive(Debug)]
pub struct StoreInspection {
    pub counts: SweepCounts,
    /// Whether all sessions were counted; if not, `counts` are the least that there are.
    pub complete: bool,
    /// Why a column cannot be what the configuration says.
    pub implausible: Option<Reason>,
}

/// A row of `count.sql`, or of `count_by_index.sql`, which explain the numbers.
#[derive(Debug, Clone, Copy, Default)]
struct CountRow {
    stale: u64,
    live: u64,
    live_now: u64,
    fresh: u64,
    endless: u64,
}

impl CountRow {
    fn read(row: &PgRow) -> Result<Self, QueryError> {
        Ok(Self {
            stale: count(row, "stale")?,
            live: count(row, "live")?,
            live_now: count(row, "live_now")?,
            fresh: count(row, "fresh")?,
            endless: count(row, "endless")?,
        })
    }

    /// Of one row for each rule: a session is over by any rule, and live only by all of them.
    fn combine(rows: &[Self]) -> Self {
        let least = |number: fn(&Self) -> u64| rows.iter().map(number).min().unwrap_or_default();
        Self {
            stale: rows.iter().map(|row| row.stale).sum(),
            fresh: rows.iter().map(|row| row.fresh).sum(),
            live: least(|row| row.live),
            live_now: least(|row| row.live_now),
            endless: least(|row| row.endless),
        }
    }
}

/// Inspects the store. `last` is how far it was swept before.
///
/// # Errors
///
/// Why the store cannot be judged; then no session may be ended.
pub async fn inspect_store(
    connection: &mut BoundedConnection,
    context: &StoreContext<'_>,
    last: Option<&LastSweep>,
    timeouts: Timeouts,
) -> Result<StoreInspection, Reason> {
    let implausible = check_plausibility(connection, context, timeouts).await?;
    let (complete, found) = count_sessions(connection, context, last, timeouts).await?;
    let (superseded, superseded_of_one) = match &context.resolved.per_user {
        Some(limit) => count_superseded(connection, context, limit, timeouts).await?,
        None => (0, 0),
    };
    let mut counts = SweepCounts {
        stale: found.stale,
        live: found.live,
        fresh: None,
        backlog_before: None,
        live_before: 0,
        // A few rows without an end do not show that sessions are live: the table of a wrong column has them too.
        any_live: found.live_now > 0 || found.endless > u64::from(context.config.guard_min_sessions),
        superseded,
        superseded_of_one,
    };
    if let Some(last) = last {
        counts.fresh = Some(found.fresh);
        counts.live_before = last.live;
        if complete {
            counts.backlog_before = last.left;
        } else if found.fresh >= MAX_COUNTED {
            // Counting stopped there, so it is compared with the most that could be counted.
            counts.live_before = last.live.min(MAX_COUNTED);
        }
    }
    Ok(StoreInspection { counts, complete, implausible })
}

/// Counts all sessions, or up to [`MAX_COUNTED`] of each kind where that takes too long; and says whether it were all.
async fn count_sessions(
    connection: &mut BoundedConnection,
    context: &StoreContext<'_>,
    last: Option<&LastSweep>,
    timeouts: Timeouts,
) -> Result<(bool, CountRow), Reason> {
    let last = last.map(|last| &last.cutoffs);
    let queries = [context.sql.count(last)];
    let mut result = connection.run_transaction("count", TransactionMode::Read, timeouts, queries).await;
    let complete = result.failure != Some(QueryError::QueryCanceled);
    if !complete {
        let queries = context.sql.count_by_index(last, MAX_COUNTED);
        result = connection.run_transaction("count some", TransactionMode::Read, timeouts, queries).await;
    }
    if let Some(error) = result.failure {
        return Err(explain_sweep_error(&error, timeouts));
    }
    let rows = result.answers.iter().flatten().map(CountRow::read).collect::<Result<Vec<_>, _>>()?;
    Ok((complete, CountRow::combine(&rows)))
}

/// How many live sessions are superseded, and how many of one user's are.
async fn count_superseded(
    connection: &mut BoundedConnection,
    context: &StoreContext<'_>,
    limit: &PerUserLimit,
    timeouts: Timeouts,
) -> Result<(u64, u64), Reason> {
    let queries = [context.sql.count_superseded(limit)];
    let result = connection.run_transaction("count superseded", TransactionMode::Read, timeouts, queries).await;
    if let Some(error) = result.failure {
        return Err(explain_sweep_error(&error, timeouts));
    }
    match result.answers.first().and_then(|rows| rows.first()) {
        Some(row) => Ok((count(row, "superseded")?, count(row, "superseded_of_one")?)),
        None => Err(QueryError::UnexpectedResponse("nothing was counted".to_owned()).into()),
    }
}

/// Why a column cannot be what the configuration says, with the key that names it.
async fn check_plausibility(
    connection: &mut BoundedConnection,
    context: &StoreContext<'_>,
    timeouts: Timeouts,
) -> Result<Option<Reason>, Reason> {
    let allowed = u64::from(context.config.guard_min_sessions);
    let ends = &context.resolved.ends;
    let queries = ends.iter().flat_map(|end| context.sql.sample(&end.column, allowed.saturating_add(1)));
    let result = connection.run_transaction("sample", TransactionMode::Read, timeouts, queries).await;
    if let Some(error) = result.failure {
        return Err(explain_sweep_error(&error, timeouts));
    }
    // Two answers for each column.
    for (end, answers) in ends.iter().zip(result.answers.chunks(2)) {
        let sample = read_sample(answers)?;
        let why = implausible_reason(end.kind, &context.config.encoding, &sample, context.times.now, allowed);
        if let Some(why) = why {
            let text = format!("{} = {}: {why}", end.kind.key(), end.column.name);
            return Ok(Some(Reason::new(ReasonKind::Implausible, text)));
        }
    }
    Ok(None)
}

fn read_sample(answers: &[Vec<PgRow>]) -> Result<Sample, QueryError> {
    let no_sample = || QueryError::UnexpectedResponse("no sample".to_owned());
    let [newest, outliers] = answers else { return Err(no_sample()) };
    let outliers = outliers.first().ok_or_else(no_sample)?;
    Ok(Sample {
        newest: newest.iter().map(|row| row.try_get("microseconds")).collect::<Result<_, _>>()?,
        has_far_future: outliers.try_get("has_far_future")?,
        before_2000: count(outliers, "before_2000")?,
    })
}

/// A count of this row, by its column's name.
fn count(row: &PgRow, column: &str) -> Result<u64, QueryError> {
    Ok(row.try_get::<i64, _>(column)?.unsigned_abs())
}
