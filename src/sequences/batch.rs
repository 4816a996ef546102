//! Runs probes: in transactions of a bounded number of relations, on one connection or several at once.
//!
//! Probes are grouped into batches, one batch is one transaction, and each connection takes the next batch from a queue.
//! `batch_plan` makes the statements of the transaction and decides what its answers mean for each probe.

use super::batch_plan::{Batch, BatchPlan, ProbeOutcome, ProbeResponse, decide};
use super::guard::vacuumed_sql;
use super::work_queue::WorkQueue;
use crate::db::{BoundedConnection, TransactionMode};
use crate::progress::Progress;
use futures_util::future::join_all;
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::sequence::model::UntrustedOwners;
use pgmedic_core::sequence::probe::{MAX_RELATIONS, Probe, ProbeResult, fits_in_transaction};
use pgmedic_core::{QueryError, Timeouts};
use sqlx::Row;
use std::collections::{BTreeMap, VecDeque};

/// Most relations that one server process may have in its caches: each takes about 4 KB until the process ends, so this
/// is 80 MB.
pub const MAX_CACHED_RELATIONS: u64 = 20_000;

/// Most probes in one message; more of them gain nothing.
const MAX_PROBES: usize = 200;

/// Groups the probes in their order; probes that are exposed to different owners are in different batches. A probe that
/// could hold up or change the others is a batch by itself.
fn group_into_batches<'a>(sequences: &[&Sequence], probes: Vec<Probe<'a>>) -> VecDeque<Batch<'a>> {
    let mut batches = VecDeque::new();
    let mut open: BTreeMap<&UntrustedOwners, (Batch<'a>, u64)> = BTreeMap::new();
    for probe in probes {
        if probe.must_run_alone() {
            batches.push_back(Batch::single(probe));
            continue;
        }
        let (batch, relations) = open.entry(&sequences[probe.sequence].rare.untrusted_owners).or_default();
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

/// About how many transactions it takes to observe `sequences`.
pub fn estimate_transactions(sequences: &[&Sequence]) -> u64 {
    let relations: u64 = sequences
        .iter()
        .flat_map(|sequence| &sequence.feeds)
        .filter_map(|feed| feed.source.as_ref().ok())
        .map(|source| 1 + source.relations)
        .sum();
    relations.div_ceil(MAX_RELATIONS)
}

/// Runs every probe, and returns one result for each. The failure of one probe concerns that probe alone. A lost
/// connection fails the probes that it was running, and the other connections go on.
pub async fn run<'a>(
    connections: &mut [BoundedConnection],
    sequences: &[&Sequence],
    probes: Vec<Probe<'a>>,
    timeouts: Timeouts,
    progress: &Progress,
) -> Vec<ProbeResult<'a>> {
    let queue = WorkQueue::new(group_into_batches(sequences, probes));
    let run = BatchRun { sequences, queue: &queue, timeouts, progress };
    let workers = connections.iter_mut().enumerate().map(|(number, connection)| run.work(number, connection));
    let mut results: Vec<ProbeResult<'a>> = join_all(workers).await.into_iter().flatten().collect();
    // Every connection was lost before these.
    let lost = QueryError::ConnectionLost("it ended before this was read".to_owned());
    while let Some(batch) = queue.next(0) {
        results.extend(batch.probes.into_iter().map(|probe| (probe, Err(lost.clone()))));
    }
    results
}

/// What all connections share.
struct BatchRun<'q, 'a> {
    sequences: &'q [&'q Sequence],
    queue: &'q WorkQueue<Batch<'a>>,
    timeouts: Timeouts,
    progress: &'q Progress,
}

impl<'a> BatchRun<'_, 'a> {
    /// Takes batches from the queue until it is empty or the connection is lost.
    async fn work(&self, number: usize, connection: &mut BoundedConnection) -> Vec<ProbeResult<'a>> {
        let mut results = Vec::new();
        while let Some(batch) = self.queue.next(number) {
            let relations = batch.probes.iter().flat_map(|probe| {
                let parts = probe.parts.iter().map(|part| (part.oid(), part.relations()));
                parts.chain([(self.sequences[probe.sequence].oid, 1)])
            });
            let relations: Vec<(u32, u64)> = relations.collect();
            connection.reserve_relations(&relations, MAX_CACHED_RELATIONS, self.timeouts).await;
            self.run_batch(connection, batch, &mut results).await;
            if connection.lost().is_some() {
                break;
            }
        }
        results
    }

    /// Why the lock of a guarded read was not available.
    async fn why_locked(&self, connection: &mut BoundedConnection, probe: &Probe<'_>) -> QueryError {
        let asked = [vacuumed_sql(probe)];
        let result = connection.run_transaction("vacuumed", TransactionMode::Read, self.timeouts, asked).await;
        let vacuumed = result.answers.first().and_then(|rows| rows.first()).and_then(|row| {
            let (table, what) = (row.try_get(0).ok()?, row.try_get(1).ok()?);
            Some(QueryError::BeingVacuumed { table, what })
        });
        vacuumed.unwrap_or(QueryError::LockNotAvailable)
    }

    /// Runs the batch; after a probe has failed, the probes after it in another transaction.
    async fn run_batch(
        &self,
        connection: &mut BoundedConnection,
        mut batch: Batch<'a>,
        results: &mut Vec<ProbeResult<'a>>,
    ) {
        while !batch.probes.is_empty() {
            let plan = BatchPlan::new(&batch, self.sequences, connection.server(), self.timeouts);
            let response = connection.run_transaction("observe", plan.mode, plan.timeouts, plan.statements()).await;
            let responses = plan.responses(&response.answers, response.failure.as_ref());
            if responses.is_empty() {
                let failure = QueryError::UnexpectedResponse("none".to_owned());
                results.extend(batch.probes.drain(..).map(|probe| (probe, Err(failure.clone()))));
            }
            for (probe, response) in batch.probes.drain(..responses.len()).zip(responses) {
                let outcome = match response {
                    ProbeResponse::Rows(rows) if probe.may_have_no_rows() => ProbeOutcome::Answered(rows),
                    response => decide(batch.is_single, plan.is_guarded, response),
                };
                match outcome {
                    ProbeOutcome::RetryAlone => self.queue.add_last(Batch::single(probe)),
                    ProbeOutcome::Answered(rows) => {
                        self.progress.advance(1);
                        let answer = probe.read(rows);
                        results.push((probe, answer));
                    }
                    ProbeOutcome::Failed(failure) => {
                        self.progress.advance(1);
                        let failure = if plan.is_guarded && *failure == QueryError::LockNotAvailable {
                            self.why_locked(connection, &probe).await
                        } else {
                            failure.clone()
                        };
                        results.push((probe, Err(failure)));
                    }
                }
            }
        }
    }
}
