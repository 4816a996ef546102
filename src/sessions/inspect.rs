//! Inspects a store: how many sessions there are, how many a sweep would end, and whether the columns are plausible.

use super::columns_check::{count, implausible_column, is_store_idle, read_samples, untouched_column};
use super::context::StoreContext;
use super::guards::SweepCounts;
use super::pass_state::LastSweep;
use super::reasons::explain_sweep_error;
use super::store::{PerUserLimit, ResolvedStore};
use super::unspent::{Unspent, count_unspent, unspent_texts};
use crate::db::{BoundedConnection, TransactionMode};
use pgmedic_core::{QueryError, Reason, Timeouts};
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
    /// The column that tells the sessions that are over from those that are not, at the first sweep.
    pub kind: Option<String>,
    /// Rows to be deleted whose ids a sequence has yet to hand out.
    pub unspent: Vec<Unspent>,
    /// The same of texts, which hold nothing.
    pub warnings: Vec<Reason>,
}

/// A row of `count.sql`, or of `count_by_index.sql`, which explain the numbers.
#[derive(Debug, Clone, Copy, Default)]
struct CountRow {
    stale: u64,
    recent: u64,
    live: u64,
    live_now: u64,
    fresh: u64,
    endless: u64,
}

impl CountRow {
    fn read(row: &PgRow) -> Result<Self, QueryError> {
        Ok(Self {
            stale: count(row, "stale")?,
            recent: count(row, "recent")?,
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
            recent: rows.iter().map(|row| row.recent).sum(),
            fresh: rows.iter().map(|row| row.fresh).sum(),
            live: least(|row| row.live),
            live_now: least(|row| row.live_now),
            endless: least(|row| row.endless),
        }
    }
}

/// Inspects the store. `last` is how far it was swept before; `is_first_sweep` where no sweep was let through before.
///
/// # Errors
///
/// Why the store cannot be judged; then no session may be ended.
pub async fn inspect_store(
    connection: &mut BoundedConnection,
    context: &StoreContext<'_>,
    last: Option<&LastSweep>,
    is_first_sweep: bool,
    timeouts: Timeouts,
) -> Result<StoreInspection, Reason> {
    let samples = read_samples(connection, context, timeouts).await?;
    let mut implausible = implausible_column(context, &samples, is_first_sweep);
    if implausible.is_none() {
        implausible = untouched_column(connection, context, timeouts).await?;
    }
    let (complete, found) = count_sessions(connection, context, last, timeouts).await?;
    let (superseded, superseded_of_one) = match &context.resolved.per_user {
        Some(limit) => count_superseded(connection, context, limit, timeouts).await?,
        None => (0, 0),
    };
    // A lifetime in a wrong unit makes sessions seem to be over for any time.
    let has_lifetimes = context.config.meanings.iter().any(|meaning| meaning.lifetime.is_some());
    let doubtful = if has_lifetimes { found.stale } else { found.recent };
    let mut counts = SweepCounts {
        stale: found.stale,
        doubtful,
        is_doubtful_capped: !complete && doubtful >= MAX_COUNTED,
        live: found.live,
        endless: found.endless,
        fresh: None,
        backlog_before: None,
        live_before: 0,
        // Rows without an end do not show that sessions are live where they are few, nor at a first sweep that may be wrong: the
        // table of a wrong column has them too.
        any_live: found.live_now > 0
            || found.endless > u64::from(context.config.guard_min_sessions) && !(is_first_sweep && doubtful > 0),
        is_first_sweep,
        is_idle: is_store_idle(context, &samples),
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
    let (unspent, warnings) = match counts.stale + counts.superseded {
        0 => (Vec::new(), Vec::new()),
        _ => (
            count_unspent(connection, context, MAX_COUNTED, timeouts).await?,
            unspent_texts(connection, context, timeouts).await?,
        ),
    };
    let kind = if is_first_sweep && counts.stale > 0 { find_kind(connection, context, timeouts).await? } else { None };
    Ok(StoreInspection { counts, complete, implausible, kind, unspent, warnings })
}

/// How many sessions are over, and how many are live, as the table has them now; none where not all were counted.
///
/// # Errors
///
/// Why they could not be counted.
pub async fn recount(
    connection: &mut BoundedConnection,
    context: &StoreContext<'_>,
    timeouts: Timeouts,
) -> Result<Option<(u64, u64)>, Reason> {
    let (complete, found) = count_sessions(connection, context, None, timeouts).await?;
    Ok(complete.then_some((found.stale, found.live)))
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
    let answers = result.into_answers().map_err(|error| explain_sweep_error(&error, timeouts))?;
    let rows = answers.iter().flatten().map(CountRow::read).collect::<Result<Vec<_>, _>>()?;
    Ok((complete, CountRow::combine(&rows)))
}

/// The column by which all sessions that are over differ from all that are not: they may be of a kind that never ends.
async fn find_kind(
    connection: &mut BoundedConnection,
    context: &StoreContext<'_>,
    timeouts: Timeouts,
) -> Result<Option<String>, Reason> {
    for (column, may_read) in &context.resolved.kinds {
        if !may_read {
            let ResolvedStore { table, role, .. } = context.resolved;
            return Err(Reason::missing_privilege(&format!("SELECT ({column}) ON {table}"), role));
        }
        let query = context.sql.kinds(column, MAX_COUNTED);
        let result = connection.run_transaction("kinds", TransactionMode::Read, timeouts, [query]).await;
        match result.failure {
            None => {}
            Some(QueryError::QueryCanceled) => return Ok(None),
            Some(error) => return Err(explain_sweep_error(&error, timeouts)),
        }
        let row = result.answers.first().and_then(|rows| rows.first());
        let row = row.ok_or_else(|| QueryError::UnexpectedResponse("nothing was compared".to_owned()))?;
        if row.try_get::<bool, _>("are_apart").map_err(QueryError::from)? {
            return Ok(Some(column.clone()));
        }
    }
    Ok(None)
}

/// How many live sessions are superseded, and how many of one user's are.
///
/// # Errors
///
/// Why they could not be counted.
pub async fn count_superseded(
    connection: &mut BoundedConnection,
    context: &StoreContext<'_>,
    limit: &PerUserLimit,
    timeouts: Timeouts,
) -> Result<(u64, u64), Reason> {
    let queries = [context.sql.count_superseded(limit)];
    let result = connection.run_transaction("count superseded", TransactionMode::Read, timeouts, queries).await;
    let rows = result.into_rows().map_err(|error| explain_sweep_error(&error, timeouts))?;
    match rows.first() {
        Some(row) => Ok((count(row, "superseded")?, count(row, "superseded_of_one")?)),
        None => Err(QueryError::UnexpectedResponse("nothing was counted".to_owned()).into()),
    }
}
