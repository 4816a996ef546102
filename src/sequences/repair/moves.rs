//! The two ways to move a sequence, neither of which can rewind it, with any number of agents, inline retries and
//! inserts at once.

use super::pace::Pace;
use crate::db::{Access, Bounds, Failure, Session};
use crate::sequences::batch;
use crate::sequences::catalog::{Sequence, Source};
use crate::sequences::keepers::{lock, tripwire};
use crate::sequences::observe::Observation;
use crate::sequences::probe::Part;
use crate::sequences::verdict::Move;
use sqlx::postgres::PgRow;
use std::time::Instant;

/// Hands the unusable values of each sequence out with `nextval`: atomic, monotone, without a lock. It stops at the last
/// one of a step, so it takes fewer when others are handing them out too. Many go in one message, each in a transaction
/// of its own, so that none waits with another one's lock. The outcomes are in the order of `steps`.
///
/// A failure is the statement's. Values that were handed out before it are not handed out again, unless the server crashes
/// before anything was committed.
pub async fn advance(
    session: &mut Session,
    pace: &mut Pace,
    steps: &[(&Sequence, Move)],
    bounds: Bounds,
) -> Vec<Result<(), Failure>> {
    let mut outcomes = Vec::with_capacity(steps.len());
    while let Some(rest @ [_, ..]) = steps.get(outcomes.len()..) {
        let message = &rest[..pace.fits(rest.iter().map(|(_, step)| step.values))];
        let statements = message.iter().map(|(sequence, step)| hand_out(sequence, step.values, step.last));
        let started = Instant::now();
        let script = session.each_alone("advance", Access::Write, bounds, statements).await;
        pace.learn(started.elapsed(), script.failure.is_some());
        // With no row it never got there: somebody altered it, or set it back meanwhile.
        let reached = |taken: &Vec<PgRow>| if taken.is_empty() { Err(Failure::Changed) } else { Ok(()) };
        let answered = script.answers.len();
        outcomes.extend(script.answers.iter().map(reached));
        if answered < message.len() {
            outcomes.push(Err(script.failure.unwrap_or_else(|| Failure::Answer("none".to_owned()))));
        }
    }
    outcomes
}

/// A statement that calls `nextval` up to `calls` times and answers with the first value that is not before `last`;
/// with no row when it never got there.
pub fn hand_out(sequence: &Sequence, calls: u128, last: i64) -> String {
    let oid = sequence.oid;
    let increment = sequence.parameters.increment;
    let reached = if increment > 0 { ">=" } else { "<=" };
    // OFFSET 0 keeps the calls in the inner query, so that LIMIT stops them at the first value that is far enough.
    format!(
        "SELECT taken FROM (
             SELECT nextval('{oid}'::regclass) AS taken
             FROM pg_catalog.pg_sequence q, generate_series(1, {calls})
             WHERE q.seqrelid = '{oid}'::oid AND q.seqincrement = '{increment}'::bigint AND NOT q.seqcycle
             OFFSET 0) AS handed_out
         WHERE taken {reached} '{last}'::bigint LIMIT 1"
    )
}

/// What a leap needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Leap<'a> {
    pub seen: &'a Observation,
    /// As seen before; it counts whatever is read under the lock.
    pub frontier: i64,
    pub step: Move,
    /// Share of the values left that may be used, 0 to 1.
    pub max_ratio: f64,
    /// Read the frontier again under the lock, where that is quick.
    pub read_again: bool,
}

/// Moves the sequence under its own lock, in one message, so that the lock is held for no round trip: rewrite (which
/// takes the lock and makes every session drop the values it has cached), look again, move forward, commit.
///
/// # Errors
///
/// The failure, with nothing changed. A frontier that went further than the guards allow meanwhile is no failure:
/// nothing is moved, and looking again tells.
pub async fn leap(session: &mut Session, sequence: &Sequence, leap: Leap<'_>, bounds: Bounds) -> Result<(), Failure> {
    // Functions that planning runs would run where something can be written.
    let guarded = !sequence.keepers.is_empty();
    // An insert may wait for our place in the lock's queue and then for what follows, each as long as a statement may
    // take: together the lock timeout at most. The lock's own limit must be the shorter one, to be told apart from a
    // slow look.
    let statement = bounds.statement.min(bounds.lock / if guarded { 3 } else { 2 });
    let bounds = Bounds { lock: statement * 4 / 5, statement };
    let mut statements = Vec::new();
    let tables: Vec<&Source> = under_lock(sequence, leap).filter(|_| guarded).collect();
    // Before the sequence's own lock: no insert waits for these.
    statements.extend(lock(&tables.iter().map(|source| source.table.as_str()).collect::<Vec<_>>()));
    statements.extend([same_cache(sequence), rewrite(sequence)]);
    if guarded {
        let named = tables.iter().map(|source| (source.table.as_str(), source.table_oid));
        statements.push(tripwire(named.chain([(sequence.name.as_str(), sequence.oid)])));
    }
    statements.push(forward(sequence, leap));
    session.script("leap", Access::Write, bounds, statements).await.failure.map_or(Ok(()), Err)
}

/// Divides by zero when somebody has changed the cache since it was discovered: the rewrite would undo it.
fn same_cache(sequence: &Sequence) -> String {
    format!(
        "SELECT 1 / (seqcache = '{}'::bigint)::integer FROM pg_catalog.pg_sequence WHERE seqrelid = {}::oid",
        sequence.parameters.cache, sequence.oid
    )
}

/// The same cache as before: any form that rewrites would do, and this one is open to identity sequences too.
fn rewrite(sequence: &Sequence) -> String {
    format!("ALTER SEQUENCE {} CACHE {}", sequence.name, sequence.parameters.cache)
}

/// What is read again under the lock.
fn under_lock<'a>(sequence: &'a Sequence, leap: Leap<'_>) -> impl Iterator<Item = &'a Source> {
    let mut relations = 1;
    let trusted = sequence.keepers.is_empty();
    let sources = sequence.feeds.iter().filter_map(|feed| feed.source.as_ref().ok());
    sources.filter(move |source| {
        let wanted = leap.read_again && !source.alone && (trusted || source.may_hold);
        let fits = wanted && batch::fits(relations + source.relations);
        relations += if fits { source.relations } else { 0 };
        fits
    })
}

/// Reads state and frontier, and moves forward; divides by zero, which rolls everything back, when the sequence or
/// a table is no longer the one that was discovered.
fn forward(sequence: &Sequence, leap: Leap<'_>) -> String {
    let Leap { seen, frontier, step, max_ratio, .. } = leap;
    let increment = sequence.parameters.increment;
    let (furthest, reached, within) = if increment > 0 { ("greatest", ">=", "<=") } else { ("least", "<=", ">=") };
    let mut frontiers = vec![format!("'{frontier}'::numeric")];
    let mut unchanged =
        format!("q.seqincrement = '{increment}'::bigint AND NOT q.seqcycle AND s.tableoid = {}::oid", sequence.oid);
    for source in under_lock(sequence, leap) {
        let part = Part { source, member: None, own_from: Some(seen.position.free_from()) };
        frontiers.push(format!("{}::numeric", part.extreme(sequence)));
        unchanged += &format!(" AND {}", part.unchanged());
    }
    format!(
        "WITH seen AS MATERIALIZED (
             SELECT s.last_value::numeric + CASE WHEN s.is_called THEN '{increment}'::numeric ELSE 0 END AS next,
                    {furthest}({frontiers}) AS frontier,
                    '{kept}'::numeric AS kept,
                    1 / ({unchanged})::integer AS unchanged
             FROM {name} AS s
             JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.tableoid
         ), target AS MATERIALIZED (
             SELECT next + (div(frontier - next + kept, '{increment}'::numeric) + {headroom}) * '{increment}'::numeric AS last
             FROM seen
             WHERE unchanged = 1 AND frontier {reached} next - kept
         )
         SELECT CASE WHEN last {within} '{ceiling}'::numeric THEN setval('{oid}'::regclass, last::bigint, true) END
         FROM target",
        frontiers = frontiers.join(", "),
        name = sequence.name,
        oid = sequence.oid,
        kept = seen.position.next() - seen.position.free_from(),
        headroom = step.headroom,
        ceiling = seen.position.ceiling(max_ratio, step),
    )
}
