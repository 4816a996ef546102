//! Moves sequences forward, many in few messages, each in a separate transaction.
//!
//! A leap takes the sequence's own lock, looks again under it, and moves forward only. Where the role may not alter the
//! sequence, its values are handed out with `nextval`.

use crate::db::{BoundedConnection, TransactionMode};
use crate::sequences::{MAX_CACHED_RELATIONS, WorkQueue};
use futures_util::future::join_all;
use pgmedic_core::sequence::advance::advance_sql;
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::sequence::position::ForwardMove;
use pgmedic_core::{QueryError, Timeouts, fill_sql, quote_literal};

/// Most moves in one message: a server sends nothing before all of them are done.
const TOGETHER: usize = 40;

/// Tries of each move: other sessions may hold the lock.
const TRIES: u32 = 3;

/// A sequence and how far it is to be moved.
#[derive(Debug, Clone, Copy)]
pub struct Move<'a> {
    pub sequence: &'a Sequence,
    pub step: ForwardMove,
    pub method: MoveMethod,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveMethod {
    /// Under the sequence's own lock.
    Leap,
    /// With `nextval`.
    Advance,
}

/// Makes every one of `moves`; the outcomes are in the same order. A move that fails does not stop the others.
pub async fn carry(
    connections: &mut [BoundedConnection],
    moves: &[Move<'_>],
    timeouts: Timeouts,
) -> Vec<Result<(), QueryError>> {
    let lost = QueryError::ConnectionLost("it ended before this was moved".to_owned());
    let mut outcomes: Vec<Result<(), QueryError>> = moves.iter().map(|_| Err(lost.clone())).collect();
    let shares = WorkQueue::new(moves.chunks(TOGETHER).zip(outcomes.chunks_mut(TOGETHER)));
    let work = async |(number, connection): (usize, &mut BoundedConnection)| {
        while connection.lost().is_none()
            && let Some((moves, outcomes)) = shares.next(number)
        {
            let relations: Vec<(u32, u64)> = moves.iter().map(|one| (one.sequence.oid, 1)).collect();
            connection.reserve_relations(&relations, MAX_CACHED_RELATIONS, timeouts).await;
            move_share(connection, moves, outcomes, timeouts).await;
        }
    };
    join_all(connections.iter_mut().enumerate().map(work)).await;
    outcomes
}

async fn move_share(
    connection: &mut BoundedConnection,
    moves: &[Move<'_>],
    outcomes: &mut [Result<(), QueryError>],
    timeouts: Timeouts,
) {
    let mut open: Vec<usize> = (0..moves.len()).collect();
    for attempt in 1..=TRIES {
        open = move_each(connection, moves, open, outcomes, timeouts).await;
        if open.is_empty() || attempt == TRIES {
            return;
        }
        connection.sleep_unless_cancelled(timeouts.lock * attempt).await;
    }
}

/// Makes the moves of these indexes, and returns those whose locks were not available.
async fn move_each(
    connection: &mut BoundedConnection,
    moves: &[Move<'_>],
    mut open: Vec<usize>,
    outcomes: &mut [Result<(), QueryError>],
    timeouts: Timeouts,
) -> Vec<usize> {
    let mut busy = Vec::new();
    while !open.is_empty() && connection.lost().is_none() {
        let groups: Vec<Vec<String>> = open.iter().map(|index| statements(&moves[*index])).collect();
        let (mode, groups) = (TransactionMode::Write, groups.into_iter());
        let result = connection.run_groups_in_separate_transactions("carry", mode, timeouts, groups).await;
        let answered = result.answers.len();
        for (index, rows) in open.iter().zip(&result.answers) {
            // An advance answers with a row when it got there.
            let arrived = moves[*index].method == MoveMethod::Leap || !rows.is_empty();
            outcomes[*index] = if arrived { Ok(()) } else { Err(QueryError::ConcurrentlyChanged) };
        }
        if let (Some(index), Some(failure)) = (open.get(answered), result.failure) {
            if matches!(failure, QueryError::LockNotAvailable | QueryError::QueryCanceled) {
                busy.push(*index);
            }
            outcomes[*index] = Err(failure);
        }
        open.drain(..open.len().min(answered + 1));
    }
    busy
}

fn statements(planned: &Move<'_>) -> Vec<String> {
    let Move { sequence, step, method } = planned;
    match method {
        MoveMethod::Advance => vec![advance_sql(sequence, step.values, step.last)],
        MoveMethod::Leap => vec![unchanged_sql(sequence), lock_sql(sequence), leap_sql(sequence, step.last)],
    }
}

/// Divides by zero when the sequence is not as it was discovered: taking the lock would set owner and cache back.
fn unchanged_sql(sequence: &Sequence) -> String {
    fill_sql(
        include_str!("unchanged.sql"),
        &[
            ("NAME", quote_literal(&sequence.name)),
            ("OID", sequence.oid.to_string()),
            ("OWNER", quote_literal(&sequence.owner)),
            ("CACHE", sequence.parameters.cache.to_string()),
            ("INCREMENT", sequence.parameters.increment.to_string()),
        ],
    )
}

/// Takes the sequence's lock, which keeps `nextval` waiting. Sessions may have cached values where the cache holds more
/// than one: the rewrite makes them drop these. Otherwise the owner is set to what it is, which changes nothing and takes
/// a tenth of the time.
fn lock_sql(sequence: &Sequence) -> String {
    let Sequence { name, owner, parameters, .. } = sequence;
    match parameters.cache {
        1 => format!("ALTER SEQUENCE {name} OWNER TO {owner}"),
        cache => format!("ALTER SEQUENCE {name} CACHE {cache}"),
    }
}

/// Reads the state under the lock, and moves on to `last` unless the sequence is there already.
fn leap_sql(sequence: &Sequence, last: i64) -> String {
    fill_sql(
        include_str!("leap.sql"),
        &[
            ("NAME", sequence.name.to_string()),
            ("OID", sequence.oid.to_string()),
            ("LAST", last.to_string()),
            ("BEFORE", if sequence.parameters.increment > 0 { "<" } else { ">" }.to_owned()),
        ],
    )
}
