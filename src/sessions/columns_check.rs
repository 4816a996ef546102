//! Whether the columns mean what the configuration says: reads what `plausibility.rs` judges.

use super::context::StoreContext;
use super::plausibility::{Sample, implausible_reason, is_idle, last_use_reason, untouched_reason};
use super::reasons::explain_sweep_error;
use super::store::{ExpiryColumn, ResolvedStore, ValueCheck};
use crate::config::ExpiryKind;
use crate::db::{BoundedConnection, TransactionMode};
use pgmedic_core::{QueryError, Reason, ReasonKind, Timeouts};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// So many sessions tell whether they are touched when they are used.
const TOUCH_SAMPLE: u32 = 1000;

/// Whether the columns can be compared as the configuration says.
pub async fn check_values(
    connection: &mut BoundedConnection,
    resolved: &ResolvedStore,
    timeouts: Timeouts,
) -> Result<(), Reason> {
    if resolved.value_checks.is_empty() {
        return Ok(());
    }
    let checks = resolved.value_checks.iter().map(|check| check.sql.clone());
    let result = connection.run_transaction("values", TransactionMode::Read, timeouts, checks).await;
    let Some(error) = result.failure else { return Ok(()) };
    match (resolved.value_checks.get(result.answers.len()), &error) {
        (Some(ValueCheck { text, .. }), QueryError::Server { message, .. }) => {
            Err(Reason::new(ReasonKind::Configuration, format!("{text}; the server says: {message}")))
        }
        _ => Err(explain_sweep_error(&error, timeouts)),
    }
}

/// The newest values of the column of each rule.
pub async fn read_samples(
    connection: &mut BoundedConnection,
    context: &StoreContext<'_>,
    timeouts: Timeouts,
) -> Result<Vec<Sample>, Reason> {
    let most = u64::from(context.config.guard_min_sessions).saturating_add(1);
    let queries = context.resolved.ends.iter().flat_map(|end| context.sql.sample(&end.column, most));
    let result = connection.run_transaction("sample", TransactionMode::Read, timeouts, queries).await;
    let answers = result.into_answers().map_err(|error| explain_sweep_error(&error, timeouts))?;
    // Two answers for each column.
    let samples = answers.chunks(2).map(read_sample).collect::<Result<Vec<_>, _>>()?;
    if samples.len() != context.resolved.ends.len() {
        return Err(QueryError::UnexpectedResponse("a sample is missing".to_owned()).into());
    }
    Ok(samples)
}

/// Why a column cannot be what the configuration says, with the key that names it.
pub fn implausible_column(context: &StoreContext<'_>, samples: &[Sample], is_first_sweep: bool) -> Option<Reason> {
    let allowed = u64::from(context.config.guard_min_sessions);
    context.resolved.ends.iter().zip(samples).find_map(|(end, sample)| {
        let why = implausible_reason(end.kind, &context.config.encoding, sample, context.times.now, allowed);
        let last_use = || last_use_reason(end.kind, sample, context.times.now_local).filter(|_| is_first_sweep);
        why.or_else(last_use).map(|why| implausible(end, &why))
    })
}

/// That the column with the last activity is none, because no session is touched when it is used.
pub async fn untouched_column(
    connection: &mut BoundedConnection,
    context: &StoreContext<'_>,
    timeouts: Timeouts,
) -> Result<Option<Reason>, Reason> {
    let activity = context.resolved.ends.iter().find(|end| end.kind == ExpiryKind::LastActivity);
    let (Some(activity), Some(created)) = (activity, &context.resolved.created_at) else { return Ok(None) };
    if activity.column.name == created.name {
        return Ok(Some(implausible(activity, "it is `created_at`, too")));
    }
    let queries = [context.sql.untouched(&activity.column, created, TOUCH_SAMPLE)];
    let result = connection.run_transaction("untouched", TransactionMode::Read, timeouts, queries).await;
    match result.failure {
        None => {}
        // Without an index it may take too long, and then it is not known.
        Some(QueryError::QueryCanceled) => return Ok(None),
        Some(error) => return Err(explain_sweep_error(&error, timeouts)),
    }
    match result.answers.first().and_then(|rows| rows.first()) {
        Some(row) => {
            let why = untouched_reason(&created.name, count(row, "looked_at")?, count(row, "untouched")?);
            Ok(why.map(|why| implausible(activity, &why)))
        }
        None => Err(QueryError::UnexpectedResponse("nothing was compared".to_owned()).into()),
    }
}

fn implausible(end: &ExpiryColumn, why: &str) -> Reason {
    Reason::new(ReasonKind::Implausible, format!("{} = {}: {why}", end.kind.key(), end.column.name))
}

/// Whether the store was last used hours ago, as far as its columns tell.
pub fn is_store_idle(context: &StoreContext<'_>, samples: &[Sample]) -> bool {
    let is_zone_known = context.config.is_zone_of_preset || context.config.encoding.time_zone().is_none();
    // A lifetime in a wrong unit ends sessions at any time.
    let has_lifetimes = context.config.meanings.iter().any(|meaning| meaning.lifetime.is_some());
    let rules = context.resolved.ends.iter().map(|end| end.kind).zip(samples);
    !has_lifetimes && is_idle(rules, is_zone_known, context.times.now_local)
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
pub fn count(row: &PgRow, column: &str) -> Result<u64, QueryError> {
    Ok(row.try_get::<i64, _>(column)?.unsigned_abs())
}
