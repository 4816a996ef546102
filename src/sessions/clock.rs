//! Reads the database's clock, and converts points in time to the zone of a store's writer.

use super::reasons::explain_sweep_error;
use super::times::{DAY, STEP, STEPS, Times, cutoff, earliest_local_time, minus, time_literal};
use crate::config::{Encoding, SessionStoreConfig};
use crate::db::{BoundedConnection, TransactionMode};
use pgmedic_core::{QueryError, Reason, ReasonKind, Timeouts, fill_sql, quote_literal};
use sqlx::Row;

const CLOCK_SQL: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS microseconds";

/// The times of a pass over `store`. `previous` is the database's clock at the previous pass.
///
/// # Errors
///
/// When the clock cannot be read, or the server does not know the store's time zone.
pub async fn read_times(
    connection: &mut BoundedConnection,
    store: &SessionStoreConfig,
    previous: Option<i64>,
    timeouts: Timeouts,
) -> Result<Times, Reason> {
    let now = database_now(connection, timeouts).await?;
    let cutoff = cutoff(now, previous, store.grace_period);
    let timeouts_before = |at| store.meanings.iter().map(move |rule| minus(at, rule.timeout));
    let points = timeouts_before(cutoff).chain(timeouts_before(now)).chain(timeouts_before(minus(now, DAY)));
    let points: Vec<i64> = points.chain([now]).collect();
    let local = local_times(connection, &store.encoding, &points, timeouts).await?;
    // Beside a lifetime, the column says when a session began, perhaps before the last change of the clocks.
    let changed = match store.meanings.iter().any(|rule| rule.lifetime.is_some()) {
        true => longest_change(connection, &store.encoding, now, timeouts).await?,
        false => 0,
    };
    let rules = store.meanings.iter().cycle().map(|rule| if rule.lifetime.is_some() { changed } else { 0 });
    let literals = local.iter().zip(rules).map(|(at, changed)| time_literal(&store.encoding, at - changed));
    let literals: Vec<String> = literals.collect();
    let (cutoff, rest) = literals.split_at(store.meanings.len());
    let (cutoff_now, rest) = rest.split_at(store.meanings.len());
    let (cutoff_day_ago, _) = rest.split_at(store.meanings.len());
    Ok(Times {
        now,
        now_local: local.last().copied().unwrap_or(now),
        cutoff: cutoff.to_vec(),
        cutoff_now: cutoff_now.to_vec(),
        cutoff_day_ago: cutoff_day_ago.to_vec(),
    })
}

/// The database's clock, in microseconds since 1970.
async fn database_now(connection: &mut BoundedConnection, timeouts: Timeouts) -> Result<i64, Reason> {
    let result = connection.run_transaction("clock", TransactionMode::Read, timeouts, [CLOCK_SQL]).await;
    let rows = result.into_rows().map_err(|error| explain_sweep_error(&error, timeouts))?;
    match rows.first() {
        Some(row) => Ok(row.try_get("microseconds").map_err(QueryError::from)?),
        None => Err(QueryError::UnexpectedResponse("the clock was not read".to_owned()).into()),
    }
}

/// The points in time as local times of the store's writer, in their order; unchanged unless the columns are naive
/// timestamps.
async fn local_times(
    connection: &mut BoundedConnection,
    encoding: &Encoding,
    points: &[i64],
    timeouts: Timeouts,
) -> Result<Vec<i64>, Reason> {
    let Some(time_zone) = encoding.time_zone() else { return Ok(points.to_vec()) };
    let queries = points.iter().map(|at| local_offsets_sql(time_zone, *at));
    let result = connection.run_transaction("time-zone", TransactionMode::Read, timeouts, queries).await;
    let is_summer_time = result.answers.iter().flatten().any(|row| row.try_get("is_summer_time").unwrap_or(true));
    match result.failure {
        None if !is_summer_time => {}
        Some(error) if !matches!(&error, QueryError::Server { code, .. } if code == "22023") => {
            return Err(explain_sweep_error(&error, timeouts));
        }
        _ => {
            let text = format!(
                "time_zone: found {time_zone:?}, expected a zone that the server knows by its name (SELECT name FROM \
                 pg_timezone_names); an abbreviation of summer time, such as CEST, is wrong in winter"
            );
            return Err(Reason::new(ReasonKind::Configuration, text));
        }
    }
    if result.answers.len() != points.len() {
        return Err(QueryError::UnexpectedResponse("an offset is missing".to_owned()).into());
    }
    let mut local = Vec::with_capacity(points.len());
    for (at, rows) in points.iter().zip(&result.answers) {
        let offsets = rows.iter().map(|row| row.try_get("seconds")).collect::<Result<Vec<i64>, _>>();
        let offsets = offsets.map_err(QueryError::from)?;
        // One row for each step.
        let offset = |step: i64| usize::try_from(step + STEPS).ok().and_then(|index| offsets.get(index)).copied();
        local.push(earliest_local_time(*at, |step| offset(step).unwrap_or_default()));
    }
    Ok(local)
}

/// By how many microseconds at most the clock of the store's writer was set forward since any point in time of the last 400
/// days: so much later, compared by that clock, nothing that began then ends too early.
async fn longest_change(
    connection: &mut BoundedConnection,
    encoding: &Encoding,
    now: i64,
    timeouts: Timeouts,
) -> Result<i64, Reason> {
    let Some(time_zone) = encoding.time_zone() else { return Ok(0) };
    let values = [("ZONE", quote_literal(time_zone)), ("SECONDS", now.div_euclid(1_000_000).to_string())];
    let query = fill_sql(include_str!("statements/longest_change.sql"), &values);
    let result = connection.run_transaction("time-zone", TransactionMode::Read, timeouts, [query]).await;
    let rows = result.into_rows().map_err(|error| explain_sweep_error(&error, timeouts))?;
    match rows.first() {
        Some(row) => Ok(row.try_get("microseconds").map_err(QueryError::from)?),
        None => Err(QueryError::UnexpectedResponse("no offset was read".to_owned()).into()),
    }
}

fn local_offsets_sql(time_zone: &str, at: i64) -> String {
    let values = [
        ("ZONE", quote_literal(time_zone)),
        ("SECONDS", at.div_euclid(1_000_000).to_string()),
        ("MICROSECONDS", at.rem_euclid(1_000_000).to_string()),
        ("STEP", STEP.to_string()),
        ("STEPS", STEPS.to_string()),
    ];
    fill_sql(include_str!("statements/local_offsets.sql"), &values)
}
