//! Mending the sequences that are behind: choose, move, look again, and say what is true then.
//!
//! Many are mended at once after a restore, often from afar. So a connection mends its share together: it hands the
//! values of all of them out in few messages, and looks at all of them again in few. A leap has a message of its own.

mod case;
mod moves;
mod pace;
mod plan;
mod reasons;

pub use case::{Case, Terms};
pub use moves::hand_out;
pub use plan::{Plan, Policy, Rights, choose};
pub use reasons::held;

use super::catalog::Sequence;
use super::observe::observe;
use super::verdict::Move;
use crate::db::Session;
use crate::report::{Method, Progress, RepairReport};
use futures_util::future::join_all;
use moves::{Leap, advance, leap};
use pace::Pace;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Tries before giving up: others may hold the lock, or insert ids past the frontier, only so often.
const TRIES: u32 = 3;

/// Most that are moved before any is looked at again.
const TOGETHER: usize = 200;

/// Most of these that leap, which takes longer: what has moved when the connection is lost is not known to be mended.
const LEAPS_TOGETHER: usize = 10;

/// Mends every one of `cases` and looks again; the reports are in the same order. One that fails fails alone; a lost
/// connection fails what it had taken on, and the other connections go on.
pub async fn repair(
    sessions: &mut [Session],
    mut cases: Vec<Case<'_>>,
    terms: &Terms,
    progress: &Progress,
) -> Vec<RepairReport> {
    progress.expect(cases.len());
    if let Some(session) = sessions.first() {
        // What is held or only looked at needs no connection, and so is not lost with one.
        cases.iter_mut().for_each(|case| case.settle(terms, session.server()));
    }
    let share = cases.len().div_ceil(sessions.len().max(1)).clamp(1, TOGETHER);
    let shares = Mutex::new(cases.chunks_mut(share));
    let work = async |session: &mut Session| {
        let mut pace = Pace::new(terms.bounds.lock);
        let next = || shares.lock().unwrap_or_else(PoisonError::into_inner).next();
        while session.lost().is_none()
            && let Some(share) = next()
        {
            mend(session, &mut pace, share, terms).await;
            progress.advance(share.len());
        }
    };
    join_all(sessions.iter_mut().map(work)).await;
    cases.into_iter().map(|case| case.report(terms.bounds)).collect()
}

async fn mend(session: &mut Session, pace: &mut Pace, cases: &mut [Case<'_>], terms: &Terms) {
    for attempt in 1..=TRIES {
        let (mut near, mut far) = (Vec::new(), Vec::new());
        for case in cases.iter_mut().filter(|case| case.is_open()) {
            match case.next(terms, session.server()) {
                Some((Method::Advance, step)) => near.push((case, step)),
                Some((Method::Leap, step)) => far.push((case, step)),
                None => {}
            }
        }
        hand_out_all(session, pace, &mut near, terms).await;
        look_again(session, near, attempt, terms).await;
        while !far.is_empty() {
            let mut few: Vec<Due<'_, '_>> = far.drain(..far.len().min(LEAPS_TOGETHER)).collect();
            for (case, step) in &mut few {
                leap_past(session, case, *step, terms).await;
            }
            look_again(session, few, attempt, terms).await;
        }
        if !cases.iter().any(Case::is_open) {
            return;
        }
    }
    cases.iter_mut().for_each(|case| case.give_up(terms.bounds));
}

/// A sequence and how far it is to be moved.
type Due<'a, 'b> = (&'a mut Case<'b>, Move);

async fn hand_out_all(session: &mut Session, pace: &mut Pace, near: &mut [Due<'_, '_>], terms: &Terms) {
    let steps: Vec<(&Sequence, Move)> = near.iter().map(|(case, step)| (case.sequence, *step)).collect();
    let started = Instant::now();
    let outcomes = advance(session, pace, &steps, terms.bounds).await;
    let each = share(started, near.len());
    for ((case, _), outcome) in near.iter_mut().zip(outcomes) {
        case.took += each;
        case.moved(outcome, terms.bounds);
    }
}

async fn leap_past(session: &mut Session, case: &mut Case<'_>, step: Move, terms: &Terms) {
    let started = Instant::now();
    let (max_ratio, read_again) = (case.max_ratio(&terms.policy), case.read_again());
    let move_by = Leap { seen: &case.seen, frontier: case.frontier, step, max_ratio, read_again };
    let outcome = leap(session, case.sequence, move_by, terms.bounds).await;
    case.took += started.elapsed();
    case.moved(outcome, terms.bounds);
}

async fn look_again(session: &mut Session, moved: Vec<Due<'_, '_>>, attempt: u32, terms: &Terms) {
    let open: Vec<&mut Case<'_>> = moved.into_iter().map(|(case, _)| case).filter(|case| case.is_open()).collect();
    if open.iter().any(|case| case.waits()) {
        session.pause(terms.bounds.lock * attempt).await;
    }
    let sequences: Vec<&Sequence> = open.iter().map(|case| case.sequence).collect();
    let started = Instant::now();
    let sessions = std::slice::from_mut(session);
    let seen = observe(sessions, &sequences, terms.keep, terms.bounds, &Progress::default()).await;
    let each = share(started, open.len());
    for (case, seen) in open.into_iter().zip(seen) {
        case.took += each;
        case.looked(seen, &session.server().role);
    }
}

/// The share of each of so many in what has been done since.
fn share(started: Instant, among: usize) -> Duration {
    started.elapsed() / u32::try_from(among.max(1)).unwrap_or(u32::MAX)
}
