//! Looking at a store: how many sessions there are, would go, and whether its columns can be what they are said to be.

use super::guards::SweepCounts;
use super::pass_state::LastSweep;
use super::plausibility::{Sample, implausible_reason};
use super::reasons::explain_sweep_error;
use super::statements::{Cutoffs, SweepSql};
use super::store::{PerUserLimit, ResolvedStore};
use super::times::{STEP, STEPS, earliest_local_time, minus, time_literal};
use crate::config::{Encoding, SessionStoreConfig};
use crate::db::{BoundedConnection, TransactionMode};
use pgmedic_core::{QueryError, Reason, ReasonKind, Timeouts, quote_literal};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// Sessions of each kind that are counted at most where a store is too large to be scanned.
const MANY: u64 = 100_000;

/// What was seen.
#[derive(Debug)]
pub struct StoreInspection {
    pub numbers: SweepCounts,
    /// Whether all were counted; if not, `numbers` holds as many as were, at least.
    pub complete: bool,
    pub live: u64,
    /// Live sessions that their users have too many, and how many one of them has.
    pub superseded: u64,
    pub superseded_of_one: u64,
    /// Why a column is doubted.
    pub doubt: Option<Reason>,
}

/// The database's clock, in microseconds since 1970.
///
/// # Errors
///
/// Why it cannot be read.
pub async fn database_now(session: &mut BoundedConnection, bounds: Timeouts) -> Result<i64, Reason> {
    let now = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
    let script = session.run_transaction("clock", TransactionMode::Read, bounds, [now]).await;
    match (script.failure, script.answers.first().and_then(|rows| rows.first())) {
        (Some(failure), _) => Err(explain_sweep_error(&failure, bounds)),
        (None, Some(row)) => row.try_get(0).map_err(|error| QueryError::from(error).into()),
        (None, None) => Err(no_answer()),
    }
}

/// The points in time as the store's columns would have them: unchanged, but for naive timestamps.
///
/// # Errors
///
/// When the server does not know the time zone.
pub async fn local_times(
    session: &mut BoundedConnection,
    encoding: &Encoding,
    times: &[i64],
    bounds: Timeouts,
) -> Result<Vec<i64>, Reason> {
    let Encoding::Timestamp { time_zone } = encoding else { return Ok(times.to_vec()) };
    let zone = quote_literal(time_zone);
    let offsets = times.iter().map(|time| {
        let (seconds, rest) = (time.div_euclid(1_000_000), time.rem_euclid(1_000_000));
        format!(
            "SELECT extract(epoch FROM (s.at AT TIME ZONE {zone}) - (s.at AT TIME ZONE 'UTC'))::bigint
             FROM (SELECT to_timestamp({seconds}) + {rest} * interval '1 microsecond'
                        + step * {STEP} * interval '1 minute' AS at
                   FROM generate_series(-{STEPS}, {STEPS}) AS step ORDER BY step) AS s"
        )
    });
    let script = session.run_transaction("time-zone", TransactionMode::Read, bounds, offsets).await;
    if let Some(failure) = script.failure {
        return Err(match failure {
            QueryError::Server { code, .. } if code == "22023" => {
                let text = format!(
                    "time_zone: found {time_zone:?}, expected a zone that the server knows (SELECT name FROM \
                     pg_timezone_names)"
                );
                Reason::new(ReasonKind::Configuration, text)
            }
            failure => explain_sweep_error(&failure, bounds),
        });
    }
    let mut all = Vec::with_capacity(times.len());
    for (time, rows) in times.iter().zip(&script.answers) {
        let offsets = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<i64>, _>>();
        let offsets = offsets.map_err(QueryError::from)?;
        // One for each step; the last for any beyond.
        let of = |step: i64| usize::try_from(step + STEPS).ok().and_then(|index| offsets.get(index)).copied();
        all.push(earliest_local_time(*time, |step| of(step).unwrap_or_default()));
    }
    if all.len() == times.len() { Ok(all) } else { Err(no_answer()) }
}

/// What is over by `cutoff`, for each end.
///
/// # Errors
///
/// As [`shown`].
pub async fn cutoffs_at(
    session: &mut BoundedConnection,
    store: &SessionStoreConfig,
    cutoff: i64,
    bounds: Timeouts,
) -> Result<Cutoffs, Reason> {
    let times: Vec<i64> = store.meanings.iter().map(|meaning| minus(cutoff, meaning.timeout)).collect();
    let times = local_times(session, &store.encoding, &times, bounds).await?;
    Ok(times.into_iter().map(|time| time_literal(&store.encoding, time)).collect())
}

/// Looks at the store. `swept` is how far it was swept before.
///
/// # Errors
///
/// Why it cannot be judged; then nothing may go.
pub async fn inspect_store(
    session: &mut BoundedConnection,
    (store, found): (&SessionStoreConfig, &ResolvedStore),
    statements: &SweepSql<'_>,
    cut: &Cutoffs,
    by_now: &Cutoffs,
    swept: Option<&LastSweep>,
    bounds: Timeouts,
) -> Result<StoreInspection, Reason> {
    let doubt = check_plausibility(session, (store, found), statements, bounds).await?;
    let before = swept.map(|swept| &swept.bounds);
    let count =
        session.run_transaction("count", TransactionMode::Read, bounds, [statements.count(cut, by_now, before)]).await;
    let (complete, rows) = match count.failure {
        None => (true, count.answers),
        Some(QueryError::QueryCanceled) => {
            let some = statements.count_some(cut, by_now, before, MANY);
            let some = session.run_transaction("count some", TransactionMode::Read, bounds, some).await;
            match some.failure {
                None => (false, some.answers),
                Some(failure) => return Err(explain_sweep_error(&failure, bounds)),
            }
        }
        Some(failure) => return Err(explain_sweep_error(&failure, bounds)),
    };
    let rows: Vec<[u64; 5]> = rows.iter().flatten().map(counts).collect::<Result<_, _>>()?;
    // Stale and fresh by any end; live where every end says so, as far as that was counted.
    let sum = |index: usize| rows.iter().map(|row: &[u64; 5]| row[index]).sum::<u64>();
    let least = |index: usize| rows.iter().map(|row| row[index]).min().unwrap_or_default();
    let live = least(1);
    let fresh = before.map(|_| sum(3));
    // Where counting stopped there may be any number more: it is held against what could be counted.
    let most_before = if !complete && fresh >= Some(MANY) { MANY } else { u64::MAX };
    let numbers = SweepCounts {
        stale: sum(0),
        fresh,
        backlog_before: swept.and_then(|swept| swept.left).filter(|_| complete),
        live_before: swept.map_or(0, |swept| swept.live).min(most_before),
        // A few rows that never end are no sign of life: a wrong column has them too.
        any_live: least(2) > 0 || least(4) > u64::from(store.guard_min_sessions),
    };
    let (superseded, superseded_of_one) = match &found.per_user {
        Some(limit) => superseded(session, statements, cut, limit, bounds).await?,
        None => (0, 0),
    };
    Ok(StoreInspection { numbers, complete, live, superseded, superseded_of_one, doubt })
}

fn counts(row: &PgRow) -> Result<[u64; 5], Reason> {
    let mut counts = [0; 5];
    for (index, count) in counts.iter_mut().enumerate() {
        let number: i64 = row.try_get(index).map_err(QueryError::from)?;
        *count = number.unsigned_abs();
    }
    Ok(counts)
}

async fn superseded(
    session: &mut BoundedConnection,
    statements: &SweepSql<'_>,
    cut: &Cutoffs,
    limit: &PerUserLimit,
    bounds: Timeouts,
) -> Result<(u64, u64), Reason> {
    let script = session
        .run_transaction("count superseded", TransactionMode::Read, bounds, [statements.count_superseded(cut, limit)])
        .await;
    match (script.failure, script.answers.first().and_then(|rows| rows.first())) {
        (Some(failure), _) => Err(explain_sweep_error(&failure, bounds)),
        (None, Some(row)) => {
            let count = |index| row.try_get::<i64, _>(index).map(i64::unsigned_abs);
            let counts = count(0).and_then(|all| Ok((all, count(1)?)));
            counts.map_err(|error| QueryError::from(error).into())
        }
        (None, None) => Err(no_answer()),
    }
}

/// Why a column of the store is doubted, with the key that names it.
async fn check_plausibility(
    session: &mut BoundedConnection,
    (store, found): (&SessionStoreConfig, &ResolvedStore),
    statements: &SweepSql<'_>,
    bounds: Timeouts,
) -> Result<Option<Reason>, Reason> {
    let floor = u64::from(store.guard_min_sessions);
    let questions = found.ends.iter().flat_map(|end| statements.sample(&end.column, floor));
    let script = session.run_transaction("sample", TransactionMode::Read, bounds, questions).await;
    if let Some(failure) = script.failure {
        return Err(explain_sweep_error(&failure, bounds));
    }
    for (end, answers) in found.ends.iter().zip(script.answers.chunks(2)) {
        let sample = sample(answers)?;
        if let Some(why) = implausible_reason(end.kind, &store.encoding, &sample, statements.now, floor) {
            let text = format!("{} = {}: {why}", end.kind.key(), end.column.name);
            return Ok(Some(Reason::new(ReasonKind::Implausible, text)));
        }
    }
    Ok(None)
}

fn no_answer() -> Reason {
    QueryError::UnexpectedResponse("no answer".to_owned()).into()
}

fn sample(answers: &[Vec<PgRow>]) -> Result<Sample, QueryError> {
    let [newest, rest] = answers else { return Err(QueryError::UnexpectedResponse("no sample".to_owned())) };
    let newest = newest.iter().map(|row| row.try_get(0)).collect::<Result<Vec<i64>, _>>()?;
    let Some(rest) = rest.first() else { return Err(QueryError::UnexpectedResponse("no sample".to_owned())) };
    Ok(Sample { newest, has_far_future: rest.try_get(0)?, before_2000: rest.try_get::<i64, _>(1)?.unsigned_abs() })
}
