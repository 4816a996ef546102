//! Repairs the sequences that are behind: plan, move, read again, and report what is true then.
//!
//! Many are repaired at once after a restore, often from afar. So a connection repairs its share together: it hands the
//! values of all of them out in few messages, and looks at all of them again in few. A leap has a message to itself.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | the repairs of one connection's share, in rounds: advance, leap, observe again |
//! | `task.rs` | one sequence's repair: what is left to do, and what came of it |
//! | `context.rs` | what all repairs of a pass need to know |
//! | `methods.rs` | the SQL of an advance and of a leap, and their answers |
//! | `batch_size.rs` | how many advances a message holds: doubled while all goes well |
//! | `reasons.rs` | why a repair failed or was left undone |

mod batch_size;
mod context;
mod methods;
mod reasons;
mod task;

pub use context::RepairContext;
pub use task::{RepairTask, Repaired};

use super::look::look;
use super::observe::observe;
use super::single_look::Subject;
use super::work_queue::WorkQueue;
use crate::db::BoundedConnection;
use crate::progress::Progress;
use batch_size::AdaptiveBatchSize;
use futures_util::future::join_all;
use methods::{advance, leap};
use pgmedic_core::sequence::Method;
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::sequence::position::ForwardMove;
use std::time::{Duration, Instant};

/// Most sequences that are moved before they are read again: those of serial columns fill one transaction then.
const MAX_PER_ROUND: usize = 160;

/// Tries of each repair: other sessions may hold the lock, or insert ids past the max id meanwhile.
const TRIES: u32 = 3;

/// Most leaps before these are read again. Leaps take longer, and those not yet read again count as failed when the
/// connection is lost.
const LEAPS_TOGETHER: usize = 10;

/// Repairs every one of `tasks` and reads it again; the reports are in the same order. A failed repair does not stop the others.
/// When a connection is lost, the tasks it had begun fail, and the other connections go on.
pub async fn repair(
    connections: &mut [BoundedConnection],
    mut tasks: Vec<RepairTask<'_>>,
    context: &RepairContext,
    progress: &Progress,
) -> Vec<Repaired> {
    progress.add_total(tasks.len());
    if let Some(connection) = connections.first() {
        // Tasks that are held or only looked at end here: they need no connection, and must not fail with one.
        for task in &mut tasks {
            task.next(context, connection.server());
        }
    }
    let share = tasks.len().div_ceil(connections.len().max(1)).clamp(1, MAX_PER_ROUND);
    let shares = WorkQueue::new(tasks.chunks_mut(share));
    let work = async |(number, connection): (usize, &mut BoundedConnection)| {
        let mut pace = AdaptiveBatchSize::new(context.timeouts.lock);
        while connection.lost().is_none()
            && let Some(share) = shares.next(number)
        {
            repair_share(connection, &mut pace, share, context).await;
            progress.advance(share.len());
        }
    };
    join_all(connections.iter_mut().enumerate().map(work)).await;
    tasks.into_iter().map(|task| task.finish(context.timeouts)).collect()
}

async fn repair_share(
    connection: &mut BoundedConnection,
    pace: &mut AdaptiveBatchSize,
    tasks: &mut [RepairTask<'_>],
    context: &RepairContext,
) {
    while connection.lost().is_none() && tasks.iter().any(RepairTask::is_open) {
        let (mut near, mut far) = (Vec::new(), Vec::new());
        for task in tasks.iter_mut().filter(|task| task.is_open()) {
            match task.next(context, connection.server()) {
                Some((Method::Advance, step)) => near.push((task, step)),
                Some((Method::Leap, step)) => far.push((task, step)),
                None => {}
            }
        }
        advance_all(connection, pace, &mut near, context).await;
        observe_again(connection, near, context).await;
        while !far.is_empty() {
            let mut few: Vec<PlannedMove<'_, '_>> = far.drain(..far.len().min(LEAPS_TOGETHER)).collect();
            for (task, step) in &mut few {
                if connection.lost().is_some() {
                    task.not_sent();
                } else {
                    leap_one(connection, task, *step, context).await;
                }
            }
            observe_again(connection, few, context).await;
        }
        tasks.iter_mut().for_each(|task| task.end_round(context.timeouts));
    }
}

/// A sequence and how far it is to be moved.
type PlannedMove<'a, 'b> = (&'a mut RepairTask<'b>, ForwardMove);

async fn advance_all(
    connection: &mut BoundedConnection,
    pace: &mut AdaptiveBatchSize,
    near: &mut [PlannedMove<'_, '_>],
    context: &RepairContext,
) {
    let steps: Vec<(&Sequence, ForwardMove)> = near.iter().map(|(task, step)| (task.sequence(), *step)).collect();
    let started = Instant::now();
    let outcomes = advance(connection, pace, &steps, context.timeouts).await;
    let each = duration_per_task(started, near.len());
    let sent = outcomes.len();
    for ((task, _), outcome) in near.iter_mut().zip(outcomes) {
        task.elapsed += each;
        task.attempted(outcome, context.timeouts);
    }
    near.iter_mut().skip(sent).for_each(|(task, _)| task.not_sent());
}

async fn leap_one(
    connection: &mut BoundedConnection,
    task: &mut RepairTask<'_>,
    step: ForwardMove,
    context: &RepairContext,
) {
    let started = Instant::now();
    let outcome = leap(connection, task.sequence(), step, context.timeouts).await;
    task.elapsed += started.elapsed();
    task.attempted(outcome, context.timeouts);
}

async fn observe_again(connection: &mut BoundedConnection, moved: Vec<PlannedMove<'_, '_>>, context: &RepairContext) {
    let open: Vec<&mut RepairTask<'_>> =
        moved.into_iter().map(|(task, _)| task).filter(|task| task.is_open()).collect();
    if let Some(times) = open.iter().filter_map(|task| task.waits()).max() {
        connection.sleep_unless_cancelled(context.timeouts.lock * times).await;
    }
    let subjects: Vec<Subject<'_>> = open.iter().map(|task| task.subject()).collect();
    let sequences: Vec<&Sequence> = subjects.iter().map(|subject| subject.sequence).collect();
    let started = Instant::now();
    let connections = std::slice::from_mut(connection);
    let (headroom, timeouts) = (context.headroom, context.timeouts);
    let seen = observe(connections, &sequences, headroom, timeouts, &Progress::default()).await;
    let seen = look(connections, &subjects, seen, timeouts, &Progress::default()).await;
    let each = duration_per_task(started, open.len());
    for (task, seen) in open.into_iter().zip(seen) {
        task.elapsed += each;
        task.observed(seen);
    }
}

/// The time since `started`, divided among so many tasks.
fn duration_per_task(started: Instant, among: usize) -> Duration {
    started.elapsed() / u32::try_from(among.max(1)).unwrap_or(u32::MAX)
}
