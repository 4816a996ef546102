//! The two ways to move a sequence, neither of which can rewind it, with any number of agents, inline retries and
//! inserts at once.

use super::batch_size::AdaptiveBatchSize;
use crate::db::{BoundedConnection, TransactionMode};
use crate::sequences::guard::full_guard_sql;
use pgmedic_core::sequence::advance::advance_sql;
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::sequence::position::ForwardMove;
use pgmedic_core::{QueryError, Timeouts, fill_sql};
use sqlx::postgres::PgRow;
use std::time::Instant;

/// Hands the unusable values of each sequence out with `nextval`: atomic, monotone, without a lock. It stops at the last
/// one of a step, so it takes fewer when other sessions hand them out too. Many go in one message, each in a separate
/// transaction, so that none waits while it holds another one's lock. The outcomes are in the order of `steps`.
///
/// An error is the statement's, or that the connection was lost: then whether it ran is not known, and steps that were not sent
/// have no outcome. Values that were handed out before it are not handed out again, unless the server crashes
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
            let failure = script.failure.unwrap_or_else(|| QueryError::UnexpectedResponse("none".to_owned()));
            // The server may have run all of the message; it has not seen the next one.
            let lost = failure.is_lost();
            let concerned = if lost { message.len() - answered } else { 1 };
            outcomes.extend(std::iter::repeat_n(Err(failure), concerned));
            if lost {
                break;
            }
        }
    }
    outcomes
}

/// Moves the sequence under its own lock, in one message, so that the lock is held for no round trip: rewrite (which
/// takes the lock and makes every session drop the values it has cached), read the state again, move forward, commit.
///
/// # Errors
///
/// When a statement fails; nothing is changed then. That it went further meanwhile is no error: nothing is moved then.
pub async fn leap(
    session: &mut BoundedConnection,
    sequence: &Sequence,
    step: ForwardMove,
    bounds: Timeouts,
) -> Result<(), QueryError> {
    // Reading the sequence by its name could run functions of these owners, in a transaction that can write.
    let guarded = !sequence.rare.untrusted_owners.is_empty();
    // An insert may wait while this leap waits in the lock's queue and then for what follows, each as long as a statement may
    // take: together the lock timeout at most. The lock timeout must be the shorter one, to be told apart
    // from a slow statement.
    let statement = bounds.statement.min(bounds.lock / if guarded { 3 } else { 2 });
    let bounds = Timeouts { lock: statement * 4 / 5, statement };
    let mut statements = vec![unchanged_cache_sql(sequence)];
    if guarded && session.server().superuser {
        // The lock of a sequence keeps its name, and this one that of its schema: what the guard has seen stays so.
        statements.push(lock_schema_sql(sequence));
    }
    statements.push(lock_sequence_sql(sequence));
    if guarded {
        statements.push(full_guard_sql(std::iter::once((&*sequence.name, sequence.oid))));
    }
    statements.push(leap_sql(sequence, step));
    session.run_transaction("leap", TransactionMode::Write, bounds, statements).await.into_answers().map(drop)
}

/// Divides by zero when the cache was changed since it was discovered: the rewrite would undo that change.
fn unchanged_cache_sql(sequence: &Sequence) -> String {
    format!(
        "SELECT 1 / (seqcache = '{}'::bigint)::integer FROM pg_catalog.pg_sequence WHERE seqrelid = {}::oid",
        sequence.parameters.cache, sequence.oid
    )
}

/// Keeps the schema from being renamed until the transaction ends: a rename updates this row. Only a superuser may lock it.
fn lock_schema_sql(sequence: &Sequence) -> String {
    format!(
        "SELECT FROM pg_catalog.pg_namespace AS n JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid \
         WHERE c.oid = {}::oid FOR SHARE OF n",
        sequence.oid
    )
}

/// Sets the same cache as before: any `ALTER SEQUENCE` that rewrites the file would do, and this form is allowed for identity
/// sequences too.
fn lock_sequence_sql(sequence: &Sequence) -> String {
    format!("ALTER SEQUENCE {} CACHE {}", sequence.name, sequence.parameters.cache)
}

/// Reads the state and moves forward to `step`; divides by zero, which rolls everything back, when the sequence is no longer
/// the one that was discovered. `setval` cannot be rolled back: it is reached only where the state is that sequence's own.
fn leap_sql(sequence: &Sequence, step: ForwardMove) -> String {
    let increment = sequence.parameters.increment;
    let before = if increment > 0 { "<=" } else { ">=" };
    fill_sql(
        include_str!("leap.sql"),
        &[
            ("NAME", sequence.name.to_string()),
            ("OID", sequence.oid.to_string()),
            ("INCREMENT", increment.to_string()),
            ("BEFORE", before.to_owned()),
            ("LAST", step.last.to_string()),
        ],
    )
}
