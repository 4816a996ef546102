//! Running probes: in transactions of a bounded number of relations, on one connection or several at once.

use crate::db::{BoundedConnection, TransactionMode};
use crate::progress::Progress;
use crate::sequences::guard::{guard_sql, lock_tables_sql};
use futures_util::future::join_all;
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::sequence::model::UntrustedOwners;
use pgmedic_core::sequence::probe::{MAX_RELATIONS, Probe, ProbeResult, fits_in_transaction};
use pgmedic_core::{QueryError, Timeouts};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Most relations that one server process may get to know: each costs it about 4 KB until it ends, so this is 80 MB.
pub const MAX_CACHED_RELATIONS: u64 = 20_000;

/// Most statements in one message; more of them gain nothing.
const MAX_PROBES: usize = 200;

/// Probes that share a transaction.
#[derive(Debug, Default)]
struct Batch<'a> {
    probes: VecDeque<Probe<'a>>,
    /// A single probe with all of `statement_timeout` to itself.
    isolated: bool,
}

impl<'a> Batch<'a> {
    fn alone(probe: Probe<'a>) -> Self {
        Self { probes: VecDeque::from([probe]), isolated: true }
    }
}

/// A batch holds many tables' locks, on which DDL and then logins may queue: what takes long in it is asked again
/// alone. Twice the lock timeout, so that a lock is told from slowness.
fn batch_timeouts(alone: bool, bounds: Timeouts) -> Timeouts {
    if alone { bounds } else { Timeouts { statement: bounds.statement.min(bounds.lock * 2), ..bounds } }
}

/// Packs probes in their order, those that are exposed to the same owners together. Some probes go alone, so that they
/// hold and bend nothing else.
fn group_into_batches<'a>(sequences: &[&Sequence], probes: Vec<Probe<'a>>) -> VecDeque<Batch<'a>> {
    let mut batches = VecDeque::new();
    let mut open: BTreeMap<&UntrustedOwners, (Batch<'a>, u64)> = BTreeMap::new();
    for probe in probes {
        if probe.must_run_alone() {
            batches.push_back(Batch::alone(probe));
            continue;
        }
        let (batch, relations) = open.entry(&sequences[probe.sequence].untrusted_owners).or_default();
        if !batch.probes.is_empty()
            && (!fits_in_transaction(*relations + probe.relations()) || batch.probes.len() == MAX_PROBES)
        {
            batches.push_back(std::mem::take(batch));
            *relations = 0;
        }
        *relations += probe.relations();
        batch.probes.push_back(probe);
    }
    batches.extend(open.into_values().map(|(batch, _)| batch).filter(|batch| !batch.probes.is_empty()));
    batches
}

/// About how many transactions looking at `sequences` takes.
pub fn estimate_transactions(sequences: &[&Sequence]) -> u64 {
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
    sessions: &mut [BoundedConnection],
    sequences: &[&Sequence],
    probes: Vec<Probe<'a>>,
    bounds: Timeouts,
    progress: &Progress,
) -> Vec<ProbeResult<'a>> {
    let queue = Mutex::new(group_into_batches(sequences, probes));
    let workers = sessions.iter_mut().map(|session| run_batches(session, sequences, &queue, bounds, progress));
    let mut outcomes: Vec<ProbeResult<'a>> = join_all(workers).await.into_iter().flatten().collect();
    let left = queue.into_inner().unwrap_or_else(PoisonError::into_inner);
    let lost = QueryError::ConnectionLost("it ended before this was read".to_owned());
    outcomes.extend(left.into_iter().flat_map(|batch| batch.probes).map(|probe| (probe, Err(lost.clone()))));
    outcomes
}

async fn run_batches<'a>(
    session: &mut BoundedConnection,
    sequences: &[&Sequence],
    queue: &Mutex<VecDeque<Batch<'a>>>,
    bounds: Timeouts,
    progress: &Progress,
) -> Vec<ProbeResult<'a>> {
    let mut outcomes = Vec::new();
    let queue = || queue.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let next = queue().pop_front();
        let Some(Batch { mut probes, isolated: alone }) = next else { return outcomes };
        let relations: u64 = probes.iter().map(Probe::relations).sum();
        session.reserve_relations(relations, MAX_CACHED_RELATIONS, bounds).await;
        while !probes.is_empty() {
            let exposed = probes.iter().any(|probe| !sequences[probe.sequence].untrusted_owners.is_empty());
            let access = if alone || exposed { TransactionMode::ReadOnlyThenRollback } else { TransactionMode::Read };
            let watched = exposed && session.server().superuser;
            let hold = watched.then(|| lock_tables_sql(&probes.iter().collect::<Vec<_>>())).flatten();
            let statements = probes.iter().flat_map(|probe| {
                let sequence = sequences[probe.sequence];
                watched.then(|| guard_sql(sequence, probe, alone)).into_iter().chain([probe.sql(sequence)])
            });
            let statements = hold.iter().cloned().chain(statements);
            let script = session.run_transaction("observe", access, batch_timeouts(alone, bounds), statements).await;
            let held = usize::from(hold.is_some());
            if script.answers.len() < held && !alone && script.failure.as_ref().is_some_and(|f| !f.is_lost()) {
                // It is one of them.
                queue().extend(probes.drain(..).map(Batch::alone));
                continue;
            }
            let answers = script.answers.get(held..).unwrap_or_default();
            let answers = answers.iter().skip(usize::from(watched)).step_by(1 + usize::from(watched));
            let answered = answers.len().min(probes.len());
            for (probe, rows) in probes.drain(..answered).zip(answers) {
                // Another agent's leap replaced the sequence's file after we had opened it: nothing keeps it out.
                if rows.is_empty() && !alone {
                    queue().push_back(Batch::alone(probe));
                    continue;
                }
                progress.advance(1);
                let answer = probe.read(rows);
                outcomes.push((probe, answer));
            }
            // The statement after the last answer failed: the rest is asked again without it.
            let Some(failure) = script.failure else { continue };
            if failure.is_lost() {
                outcomes.extend(probes.drain(..).map(|probe| (probe, Err(failure.clone()))));
                return outcomes;
            }
            match probes.pop_front() {
                Some(probe)
                    if !alone
                        && (failure == QueryError::QueryCanceled
                            || watched && failure == QueryError::ConcurrentlyChanged) =>
                {
                    queue().push_back(Batch::alone(probe));
                }
                Some(probe) => {
                    progress.advance(1);
                    outcomes.push((probe, Err(failure)));
                }
                None => break,
            }
        }
    }
}
