//! Repairing the sequences that are behind: choose, move, look again, and say what is true then.
//!
//! Many are repaired at once after a restore, often from afar. So a connection repairs its share together: it hands the
//! values of all of them out in few messages, and looks at all of them again in few. A leap has a message of its own.

mod batch_size;
mod methods;
mod reasons;
mod task;

pub use task::{RepairContext, RepairTask};

use super::observe::observe;
use crate::db::BoundedConnection;
use crate::progress::Progress;
use crate::report::RepairReport;
use batch_size::AdaptiveBatchSize;
use futures_util::future::join_all;
use methods::{LeapRequest, advance, leap};
use pgmedic_core::sequence::Method;
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::sequence::position::ForwardMove;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Tries before giving up: others may hold the lock, or insert ids past the max id, only so often.
const TRIES: u32 = 3;

/// Most that are moved before any is looked at again.
const MAX_PER_ROUND: usize = 200;

/// Most of these that leap, which takes longer: what has moved when the connection is lost is not known to be repaired.
const LEAPS_TOGETHER: usize = 10;

/// Repairs every one of `cases` and looks again; the reports are in the same order. One that fails fails alone; a lost
/// connection fails what it had taken on, and the other connections go on.
pub async fn repair(
    sessions: &mut [BoundedConnection],
    mut cases: Vec<RepairTask<'_>>,
    terms: &RepairContext,
    progress: &Progress,
) -> Vec<RepairReport> {
    progress.add_total(cases.len());
    if let Some(session) = sessions.first() {
        // What is held or only looked at needs no connection, and so is not lost with one.
        cases.iter_mut().for_each(|case| case.precheck(terms, session.server()));
    }
    let share = cases.len().div_ceil(sessions.len().max(1)).clamp(1, MAX_PER_ROUND);
    let shares = Mutex::new(cases.chunks_mut(share));
    let work = async |session: &mut BoundedConnection| {
        let mut pace = AdaptiveBatchSize::new(terms.bounds.lock);
        let next = || shares.lock().unwrap_or_else(PoisonError::into_inner).next();
        while session.lost().is_none()
            && let Some(share) = next()
        {
            repair_share(session, &mut pace, share, terms).await;
            progress.advance(share.len());
        }
    };
    join_all(sessions.iter_mut().map(work)).await;
    cases.into_iter().map(|case| case.report(terms.bounds)).collect()
}

async fn repair_share(
    session: &mut BoundedConnection,
    pace: &mut AdaptiveBatchSize,
    cases: &mut [RepairTask<'_>],
    terms: &RepairContext,
) {
    for attempt in 1..=TRIES {
        let (mut near, mut far) = (Vec::new(), Vec::new());
        for case in cases.iter_mut().filter(|case| case.is_open()) {
            match case.next(terms, session.server()) {
                Some((Method::Advance, step)) => near.push((case, step)),
                Some((Method::Leap, step)) => far.push((case, step)),
                None => {}
            }
        }
        advance_all(session, pace, &mut near, terms).await;
        observe_again(session, near, attempt, terms).await;
        while !far.is_empty() {
            let mut few: Vec<PlannedMove<'_, '_>> = far.drain(..far.len().min(LEAPS_TOGETHER)).collect();
            for (case, step) in &mut few {
                leap_one(session, case, *step, terms).await;
            }
            observe_again(session, few, attempt, terms).await;
        }
        if !cases.iter().any(RepairTask::is_open) {
            return;
        }
    }
    cases.iter_mut().for_each(|case| case.fail(terms.bounds));
}

/// A sequence and how far it is to be moved.
type PlannedMove<'a, 'b> = (&'a mut RepairTask<'b>, ForwardMove);

async fn advance_all(
    session: &mut BoundedConnection,
    pace: &mut AdaptiveBatchSize,
    near: &mut [PlannedMove<'_, '_>],
    terms: &RepairContext,
) {
    let steps: Vec<(&Sequence, ForwardMove)> = near.iter().map(|(case, step)| (case.sequence, *step)).collect();
    let started = Instant::now();
    let outcomes = advance(session, pace, &steps, terms.bounds).await;
    let each = duration_per_task(started, near.len());
    for ((case, _), outcome) in near.iter_mut().zip(outcomes) {
        case.elapsed += each;
        case.attempted(outcome, terms.bounds);
    }
}

async fn leap_one(
    session: &mut BoundedConnection,
    case: &mut RepairTask<'_>,
    step: ForwardMove,
    terms: &RepairContext,
) {
    let started = Instant::now();
    let (max_ratio, read_again) = (case.max_ratio(&terms.policy), case.reread_max_id());
    let move_by = LeapRequest { seen: &case.seen, max_id: case.max_id, step, max_ratio, read_again };
    let outcome = leap(session, case.sequence, move_by, terms.bounds).await;
    case.elapsed += started.elapsed();
    case.attempted(outcome, terms.bounds);
}

async fn observe_again(
    session: &mut BoundedConnection,
    moved: Vec<PlannedMove<'_, '_>>,
    attempt: u32,
    terms: &RepairContext,
) {
    let open: Vec<&mut RepairTask<'_>> =
        moved.into_iter().map(|(case, _)| case).filter(|case| case.is_open()).collect();
    if open.iter().any(|case| case.should_wait()) {
        session.sleep_unless_cancelled(terms.bounds.lock * attempt).await;
    }
    let sequences: Vec<&Sequence> = open.iter().map(|case| case.sequence).collect();
    let started = Instant::now();
    let sessions = std::slice::from_mut(session);
    let seen = observe(sessions, &sequences, terms.keep, terms.bounds, &Progress::default()).await;
    let each = duration_per_task(started, open.len());
    for (case, seen) in open.into_iter().zip(seen) {
        case.elapsed += each;
        case.observed(seen, &session.server().role);
    }
}

/// The share of each of so many in what has been done since.
fn duration_per_task(started: Instant, among: usize) -> Duration {
    started.elapsed() / u32::try_from(among.max(1)).unwrap_or(u32::MAX)
}
