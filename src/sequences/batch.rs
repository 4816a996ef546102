//! Running probes: in transactions of a bounded number of relations, on one connection or several at once.

use super::catalog::Sequence;
use super::probe::{Answer, Probe};
use crate::db::{Access, Bounds, Failure, Session};
use crate::report::Progress;
use futures_util::future::join_all;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Most relations that one transaction may lock: a default server's lock table holds about 12 500, for everybody.
const MAX_RELATIONS: u64 = 500;

/// Most statements in one message; more of them gain nothing.
const MAX_PROBES: usize = 200;

/// Probes that share a transaction.
type Batch<'a> = VecDeque<Probe<'a>>;

/// A probe and what came of it.
pub type Outcome<'a> = (Probe<'a>, Result<Answer, Failure>);

/// Whether `relations` fit into one transaction.
pub fn fits(relations: u64) -> bool {
    relations <= MAX_RELATIONS
}

/// Packs probes in their order. A slow probe goes alone, so that it holds nobody else's table meanwhile.
fn pack(probes: Vec<Probe<'_>>) -> VecDeque<Batch<'_>> {
    let mut batches = VecDeque::new();
    let mut batch = Batch::new();
    let mut relations = 0;
    for probe in probes {
        if probe.slow() {
            batches.push_back(Batch::from([probe]));
            continue;
        }
        if !batch.is_empty() && (!fits(relations + probe.relations()) || batch.len() == MAX_PROBES) {
            batches.push_back(std::mem::take(&mut batch));
            relations = 0;
        }
        relations += probe.relations();
        batch.push_back(probe);
    }
    if !batch.is_empty() {
        batches.push_back(batch);
    }
    batches
}

/// About how many transactions looking at `sequences` takes.
pub fn transactions(sequences: &[&Sequence]) -> u64 {
    let relations: u64 = sequences
        .iter()
        .flat_map(|sequence| &sequence.feeds)
        .filter_map(|feed| feed.source.as_ref().ok())
        .map(|source| 1 + source.relations)
        .sum();
    relations.div_ceil(MAX_RELATIONS)
}

/// Runs every probe, each outcome once. One probe's failure concerns that probe alone; a lost connection fails
/// what it was asked, and the other connections go on.
pub async fn run<'a>(
    sessions: &mut [Session],
    sequences: &[&Sequence],
    probes: Vec<Probe<'a>>,
    bounds: Bounds,
    progress: &Progress,
) -> Vec<Outcome<'a>> {
    let queue = Mutex::new(pack(probes));
    let workers = sessions.iter_mut().map(|session| work(session, sequences, &queue, bounds, progress));
    let mut outcomes: Vec<Outcome<'a>> = join_all(workers).await.into_iter().flatten().collect();
    let left = queue.into_inner().unwrap_or_else(PoisonError::into_inner);
    let lost = Failure::Lost("it ended before this was read".to_owned());
    outcomes.extend(left.into_iter().flatten().map(|probe| (probe, Err(lost.clone()))));
    outcomes
}

async fn work<'a>(
    session: &mut Session,
    sequences: &[&Sequence],
    queue: &Mutex<VecDeque<Batch<'a>>>,
    bounds: Bounds,
    progress: &Progress,
) -> Vec<Outcome<'a>> {
    let mut outcomes = Vec::new();
    let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    while let Some(mut batch) = take() {
        while !batch.is_empty() {
            let statements = batch.iter().map(|probe| probe.sql(sequences[probe.sequence]));
            let script = session.script("observe", Access::Read, bounds, statements).await;
            let answered = script.answers.len().min(batch.len());
            progress.advance(answered);
            for (probe, rows) in batch.drain(..answered).zip(&script.answers) {
                let answer = probe.read(rows);
                outcomes.push((probe, answer));
            }
            match script.failure {
                Some(failure) if failure.is_lost() => {
                    outcomes.extend(batch.drain(..).map(|probe| (probe, Err(failure.clone()))));
                    return outcomes;
                }
                // The statement after the last answer failed: the rest is asked again without it.
                Some(failure) => match batch.pop_front() {
                    Some(probe) => outcomes.push((probe, Err(failure))),
                    None => break,
                },
                None => {}
            }
        }
    }
    outcomes
}
