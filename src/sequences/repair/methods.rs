//! The two ways to move a sequence, neither of which can rewind it, with any number of agents, inline retries and
//! inserts at once.

use super::batch_size::AdaptiveBatchSize;
use crate::db::{BoundedConnection, TransactionMode};
use crate::sequences::guard::{full_guard_sql, lock};
use pgmedic_core::sequence::advance::advance_sql;
use pgmedic_core::sequence::model::{FeedSource, Sequence};
use pgmedic_core::sequence::observation::Observation;
use pgmedic_core::sequence::position::ForwardMove;
use pgmedic_core::sequence::probe::ProbePart;
use pgmedic_core::{QueryError, Timeouts};
use sqlx::postgres::PgRow;
use std::time::Instant;

/// Hands the unusable values of each sequence out with `nextval`: atomic, monotone, without a lock. It stops at the last
/// one of a step, so it takes fewer when other sessions hand them out too. Many go in one message, each in a separate
/// transaction, so that none waits while it holds another one's lock. The outcomes are in the order of `steps`.
///
/// An error is the statement's. Values that were handed out before it are not handed out again, unless the server crashes
/// before anything was committed.
pub async fn advance(
    session: &mut BoundedConnection,
    pace: &mut AdaptiveBatchSize,
    steps: &[(&Sequence, ForwardMove)],
    bounds: Timeouts,
) -> Vec<Result<(), QueryError>> {
    let mut outcomes = Vec::with_capacity(steps.len());
    while let Some(rest @ [_, ..]) = steps.get(outcomes.len()..) {
        let message = &rest[..pace.fits(rest.iter().map(|(_, step)| step.values))];
        let statements = message.iter().map(|(sequence, step)| advance_sql(sequence, step.values, step.last));
        let started = Instant::now();
        let script = session.run_in_separate_transactions("advance", TransactionMode::Write, bounds, statements).await;
        pace.record(started.elapsed(), script.failure.is_some());
        // Without a row it never got there: another session altered it, or set it back meanwhile.
        let reached = |taken: &Vec<PgRow>| if taken.is_empty() { Err(QueryError::ConcurrentlyChanged) } else { Ok(()) };
        let answered = script.answers.len();
        outcomes.extend(script.answers.iter().map(reached));
        if answered < message.len() {
            outcomes.push(Err(script.failure.unwrap_or_else(|| QueryError::UnexpectedResponse("none".to_owned()))));
        }
    }
    outcomes
}

/// What a leap needs to know.
#[derive(Debug, Clone, Copy)]
pub struct LeapRequest<'a> {
    pub seen: &'a Observation,
    /// The max id as read before the leap; it counts in addition to what is read under the lock.
    pub max_id: i64,
    pub step: ForwardMove,
    /// Share of the values left that may be used, 0 to 1.
    pub max_ratio: f64,
    /// Read the max id again under the lock, where that is quick.
    pub read_again: bool,
}

/// Moves the sequence under its own lock, in one message, so that the lock is held for no round trip: rewrite (which
/// takes the lock and makes every session drop the values it has cached), look again, move forward, commit.
///
/// # Errors
///
/// When a statement fails; nothing is changed then. A max id that went further than the guards allow meanwhile is no error:
/// nothing is moved, and the read after the leap shows it.
pub async fn leap(
    session: &mut BoundedConnection,
    sequence: &Sequence,
    leap: LeapRequest<'_>,
    bounds: Timeouts,
) -> Result<(), QueryError> {
    // Planning could run functions of these owners, in a transaction that can write.
    let guarded = !sequence.untrusted_owners.is_empty();
    // An insert may wait while this leap waits in the lock's queue and then for what follows, each as long as a statement may
    // take: together the lock timeout at most. The lock timeout must be the shorter one, to be told apart
    // from a slow read.
    let statement = bounds.statement.min(bounds.lock / if guarded { 3 } else { 2 });
    let bounds = Timeouts { lock: statement * 4 / 5, statement };
    let mut statements = Vec::new();
    let tables: Vec<&FeedSource> = if guarded { sources_read_under_lock(sequence, leap).collect() } else { Vec::new() };
    // Before the sequence's own lock: no insert waits for these.
    statements.extend(lock(&tables.iter().map(|source| source.table.as_str()).collect::<Vec<_>>()));
    statements.extend([unchanged_cache_sql(sequence), lock_sequence_sql(sequence)]);
    if guarded {
        let named = tables.iter().map(|source| (source.table.as_str(), source.table_oid));
        statements.push(full_guard_sql(named.chain([(sequence.name.as_str(), sequence.oid)])));
    }
    statements.push(leap_sql(sequence, leap));
    session.run_transaction("leap", TransactionMode::Write, bounds, statements).await.failure.map_or(Ok(()), Err)
}

/// Divides by zero when the cache was changed since it was discovered: the rewrite would undo that change.
fn unchanged_cache_sql(sequence: &Sequence) -> String {
    format!(
        "SELECT 1 / (seqcache = '{}'::bigint)::integer FROM pg_catalog.pg_sequence WHERE seqrelid = {}::oid",
        sequence.parameters.cache, sequence.oid
    )
}

/// Sets the same cache as before: any `ALTER SEQUENCE` that rewrites the file would do, and this form is allowed for identity
/// sequences too.
fn lock_sequence_sql(sequence: &Sequence) -> String {
    format!("ALTER SEQUENCE {} CACHE {}", sequence.name, sequence.parameters.cache)
}

/// The columns that are read again under the lock.
fn sources_read_under_lock<'a>(sequence: &'a Sequence, leap: LeapRequest<'_>) -> impl Iterator<Item = &'a FeedSource> {
    let mut relations = 1;
    let trusted = sequence.untrusted_owners.is_empty();
    let sources = sequence.feeds.iter().filter_map(|feed| feed.source.as_ref().ok());
    sources.filter(move |source| {
        let wanted = leap.read_again && !source.alone && source.is_read_whole() && (trusted || source.may_lock);
        let fits = wanted && pgmedic_core::sequence::probe::fits_in_transaction(relations + source.relations);
        relations += if fits { source.relations } else { 0 };
        fits
    })
}

/// Reads state and max id, and moves forward; divides by zero, which rolls everything back, when the sequence or
/// a table is no longer the one that was discovered.
fn leap_sql(sequence: &Sequence, leap: LeapRequest<'_>) -> String {
    let LeapRequest { seen, max_id, step, max_ratio, .. } = leap;
    let increment = sequence.parameters.increment;
    let (furthest, reached, within) = if increment > 0 { ("greatest", ">=", "<=") } else { ("least", "<=", ">=") };
    let mut max_ids = vec![format!("'{max_id}'::numeric")];
    let mut unchanged =
        format!("q.seqincrement = '{increment}'::bigint AND NOT q.seqcycle AND s.tableoid = {}::oid", sequence.oid);
    for source in sources_read_under_lock(sequence, leap) {
        let part = ProbePart { source, member: None, min_own_value: Some(seen.position.first_reserved()) };
        max_ids.push(format!("{}::numeric", part.extreme(sequence)));
        unchanged += &format!(" AND {}", part.unchanged_condition());
    }
    format!(
        "WITH seen AS MATERIALIZED (
             SELECT s.last_value::numeric + CASE WHEN s.is_called THEN '{increment}'::numeric ELSE 0 END AS next,
                    {furthest}({max_ids}) AS max_id,
                    '{kept}'::numeric AS kept,
                    1 / ({unchanged})::integer AS unchanged
             FROM {name} AS s
             JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.tableoid
         ), target AS MATERIALIZED (
             SELECT next + (div(max_id - next + kept, '{increment}'::numeric) + {headroom}) * '{increment}'::numeric AS last
             FROM seen
             WHERE unchanged = 1 AND max_id {reached} next - kept
         )
         SELECT CASE WHEN last {within} '{ceiling}'::numeric THEN setval('{oid}'::regclass, last::bigint, true) END
         FROM target",
        max_ids = max_ids.join(", "),
        name = sequence.name,
        oid = sequence.oid,
        kept = seen.position.next() - seen.position.first_reserved(),
        headroom = step.headroom,
        ceiling = seen.position.max_target(max_ratio, step),
    )
}
