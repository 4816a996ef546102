//! The statements of one transaction that runs probes, and what its answers mean for each probe.

use super::guard::{guard_sql, lock_tables_sql};
use crate::db::{ServerInfo, TransactionMode};
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::sequence::probe::Probe;
use pgmedic_core::{QueryError, Timeouts};
use std::collections::VecDeque;

/// Probes that share a transaction. All are exposed to the same owners.
#[derive(Debug, Default)]
pub struct Batch<'a> {
    pub probes: VecDeque<Probe<'a>>,
    /// A single probe, which may take as long as `statement_timeout` allows.
    pub is_single: bool,
}

impl<'a> Batch<'a> {
    pub fn single(probe: Probe<'a>) -> Self {
        Self { probes: VecDeque::from([probe]), is_single: true }
    }
}

/// Walks read ranges of an index. The planner does not know how few rows there are between two values.
const WALK_BY_INDEX: &str = "SET LOCAL enable_seqscan = off";

/// One transaction: what precedes all probes, such as a lock on their tables where they are guarded; then the statements of
/// each probe.
#[derive(Debug)]
pub struct BatchPlan {
    pub mode: TransactionMode,
    pub timeouts: Timeouts,
    /// Whether a guard precedes each read.
    pub is_guarded: bool,
    /// What precedes all probes.
    prelude: Vec<String>,
    /// Of each probe: its guard, if there is one, and its read.
    probes: Vec<Vec<String>>,
}

impl BatchPlan {
    pub fn new(batch: &Batch<'_>, sequences: &[&Sequence], server: &ServerInfo, timeouts: Timeouts) -> Self {
        Self::with_reads(batch, sequences, server, timeouts, |probe| probe.sql(sequences[probe.sequence]))
    }

    /// A plan in which `read` is read instead of what the one probe asks, by index.
    pub fn of_one_read(
        batch: &Batch<'_>,
        sequence: &Sequence,
        read: String,
        server: &ServerInfo,
        timeouts: Timeouts,
    ) -> Self {
        let mut plan = Self::with_reads(batch, &[sequence], server, timeouts, |_| read.clone());
        plan.prelude.insert(0, WALK_BY_INDEX.to_owned());
        plan
    }

    fn with_reads(
        batch: &Batch<'_>,
        sequences: &[&Sequence],
        server: &ServerInfo,
        timeouts: Timeouts,
        read: impl Fn(&Probe<'_>) -> String,
    ) -> Self {
        let exposed = batch.probes.iter().any(|probe| !sequences[probe.sequence].rare.untrusted_owners.is_empty());
        let is_guarded = exposed && server.superuser;
        let walks = batch.probes.iter().any(|probe| probe.block.is_some());
        let mut prelude = Vec::from_iter(walks.then(|| WALK_BY_INDEX.to_owned()));
        if is_guarded {
            prelude.extend(lock_tables_sql(&batch.probes.iter().collect::<Vec<_>>(), server));
        }
        let probes = batch
            .probes
            .iter()
            .map(|probe| {
                let sequence = sequences[probe.sequence];
                let guard = is_guarded.then(|| guard_sql(sequence, probe, batch.is_single));
                guard.into_iter().chain([read(probe)]).collect()
            })
            .collect();
        Self {
            mode: if batch.is_single || exposed {
                TransactionMode::ReadOnlyThenRollback
            } else {
                TransactionMode::Read
            },
            timeouts: batch_timeouts(batch.is_single, timeouts),
            is_guarded,
            prelude,
            probes,
        }
    }

    /// All statements, in the order in which they are sent.
    pub fn statements(&self) -> impl Iterator<Item = &String> {
        self.prelude.iter().chain(self.probes.iter().flatten())
    }

    /// The responses to the first probes, as many as have one; the probes after them were not run.
    pub fn responses<'r, R>(
        &self,
        answers: &'r [Vec<R>],
        failure: Option<&'r QueryError>,
    ) -> Vec<ProbeResponse<'r, R>> {
        let Some((_, mut rest)) = answers.split_at_checked(self.prelude.len()) else {
            return failure.map_or_else(Vec::new, |failure| {
                self.probes.iter().map(|_| ProbeResponse::LockFailed(failure)).collect()
            });
        };
        let mut responses = Vec::with_capacity(self.probes.len());
        for statements in &self.probes {
            let Some((own, after)) = rest.split_at_checked(statements.len()) else { break };
            responses.extend(own.last().map(|rows| ProbeResponse::Rows(rows)));
            rest = after;
        }
        if let Some(failure) = failure {
            let concerned = if failure.is_lost() { self.probes.len() } else { 1 };
            let unanswered = self.probes.iter().skip(responses.len());
            responses.extend(unanswered.take(concerned).map(|_| ProbeResponse::Failed(failure)));
        }
        responses
    }
}

/// A batch locks many tables, for which DDL and then logins may wait. So a statement of it may take only a short time,
/// and a slow one is run again alone. Twice the lock timeout, so that waiting for a lock is told from slowness.
fn batch_timeouts(is_single: bool, timeouts: Timeouts) -> Timeouts {
    if is_single { timeouts } else { Timeouts { statement: timeouts.statement.min(timeouts.lock * 2), ..timeouts } }
}

/// What the server answered to one probe.
#[derive(Debug, PartialEq, Eq)]
pub enum ProbeResponse<'r, R> {
    /// The rows of its read.
    Rows(&'r [R]),
    /// Its guard or its read failed, or the connection was lost before.
    Failed(&'r QueryError),
    /// What precedes all probes failed: the lock on their tables.
    LockFailed(&'r QueryError),
}

/// What is done with one probe after its transaction.
#[derive(Debug, PartialEq, Eq)]
pub enum ProbeOutcome<'r, R> {
    Answered(&'r [R]),
    /// Run it again, in a batch by itself.
    RetryAlone,
    Failed(&'r QueryError),
}

/// Decides by the response what is done with a probe. It is run again alone at most once, where the others of its batch,
/// the short timeouts of a batch or the cheaper guard may be the reason for the failure.
pub fn decide<'r, R>(is_single: bool, is_guarded: bool, response: ProbeResponse<'r, R>) -> ProbeOutcome<'r, R> {
    match response {
        // Another agent's leap replaced the sequence's file after this transaction had opened it; no lock prevents that.
        ProbeResponse::Rows([]) if !is_single => ProbeOutcome::RetryAlone,
        ProbeResponse::Rows(rows) => ProbeOutcome::Answered(rows),
        ProbeResponse::Failed(failure) | ProbeResponse::LockFailed(failure) if is_single || failure.is_lost() => {
            ProbeOutcome::Failed(failure)
        }
        // One table of the batch could not be locked: alone, each probe waits only for its own.
        ProbeResponse::LockFailed(_) => ProbeOutcome::RetryAlone,
        ProbeResponse::Failed(QueryError::QueryCanceled) => ProbeOutcome::RetryAlone,
        ProbeResponse::Failed(QueryError::ConcurrentlyChanged) if is_guarded => ProbeOutcome::RetryAlone,
        ProbeResponse::Failed(failure) => ProbeOutcome::Failed(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// A plan for three probes.
    fn plan(is_guarded: bool) -> BatchPlan {
        let statements = if is_guarded { vec!["guard".to_owned(), "read".to_owned()] } else { vec!["read".to_owned()] };
        let timeouts = Timeouts { lock: Duration::from_millis(100), statement: Duration::from_secs(5) };
        let prelude = Vec::from_iter(is_guarded.then(|| "lock".to_owned()));
        BatchPlan { mode: TransactionMode::Read, timeouts, is_guarded, prelude, probes: vec![statements; 3] }
    }

    fn lost() -> QueryError {
        QueryError::ConnectionLost("gone".to_owned())
    }

    #[test]
    fn each_probe_has_the_rows_of_its_read() {
        let plain = [vec![1], vec![], vec![3]];
        let expected = [ProbeResponse::Rows(&[1][..]), ProbeResponse::Rows(&[]), ProbeResponse::Rows(&[3])];
        assert_eq!(plan(false).responses(&plain, None), expected);
        let guarded = [vec![0], vec![9], vec![1], vec![9], vec![], vec![9], vec![3]];
        assert_eq!(plan(true).statements().collect::<Vec<_>>().len(), guarded.len());
        assert_eq!(plan(true).responses(&guarded, None), expected);
    }

    #[test]
    fn a_failure_concerns_the_first_probe_without_an_answer_and_the_others_are_not_run() {
        let failure = QueryError::QueryCanceled;
        let expected = [ProbeResponse::Rows(&[1][..]), ProbeResponse::Failed(&failure)];
        assert_eq!(plan(false).responses(&[vec![1]], Some(&failure)), expected);
        let in_guard = [vec![], vec![9], vec![1]];
        assert_eq!(plan(true).responses(&in_guard, Some(&failure)), expected);
        let in_read = [vec![], vec![9], vec![1], vec![9]];
        assert_eq!(plan(true).responses(&in_read, Some(&failure)), expected);
        let in_commit = [vec![], vec![9], vec![1], vec![9], vec![1], vec![9], vec![1]];
        assert_eq!(plan(true).responses(&in_commit, Some(&failure)).len(), 3, "all are answered");
    }

    #[test]
    fn a_lost_connection_and_a_lock_that_fails_concern_all_probes() {
        let lost = lost();
        let failed = || ProbeResponse::Failed(&lost);
        assert_eq!(plan(false).responses(&[vec![1]], Some(&lost)), [ProbeResponse::Rows(&[1][..]), failed(), failed()]);
        let locked = QueryError::LockNotAvailable;
        let none: [Vec<u8>; 0] = [];
        assert_eq!(plan(true).responses(&none, Some(&locked)).len(), 3);
        assert!(matches!(plan(true).responses(&none, Some(&locked))[0], ProbeResponse::LockFailed(_)));
        assert_eq!(plan(true).responses(&[vec![1]], Some(&locked)), [ProbeResponse::Failed(&locked)], "a guard's");
    }

    #[test]
    fn what_the_batch_may_be_the_reason_for_is_retried_alone_and_only_once() {
        let changed = QueryError::ConcurrentlyChanged;
        let (canceled, locked, lost) = (QueryError::QueryCanceled, QueryError::LockNotAvailable, lost());
        let alone = ProbeOutcome::RetryAlone;
        assert_eq!(decide::<u8>(false, true, ProbeResponse::Rows(&[])), alone);
        assert_eq!(decide::<u8>(false, true, ProbeResponse::LockFailed(&locked)), alone);
        assert_eq!(decide::<u8>(false, false, ProbeResponse::Failed(&canceled)), alone);
        assert_eq!(decide::<u8>(false, true, ProbeResponse::Failed(&changed)), alone, "the cheaper guard's");
        for is_guarded in [false, true] {
            assert_eq!(decide::<u8>(true, is_guarded, ProbeResponse::Rows(&[])), ProbeOutcome::Answered(&[]));
            for failure in [&changed, &canceled, &locked, &lost] {
                let response = || ProbeResponse::Failed(failure);
                assert_eq!(decide::<u8>(true, is_guarded, response()), ProbeOutcome::Failed(failure), "{failure}");
            }
            assert_eq!(
                decide::<u8>(true, is_guarded, ProbeResponse::LockFailed(&locked)),
                ProbeOutcome::Failed(&locked)
            );
        }
    }

    #[test]
    fn what_another_transaction_would_not_change_fails_at_once() {
        let (changed, locked, lost) = (QueryError::ConcurrentlyChanged, QueryError::LockNotAvailable, lost());
        assert_eq!(decide(false, true, ProbeResponse::Rows(&[1])), ProbeOutcome::Answered(&[1]));
        assert_eq!(decide::<u8>(false, false, ProbeResponse::Failed(&changed)), ProbeOutcome::Failed(&changed));
        assert_eq!(decide::<u8>(false, true, ProbeResponse::Failed(&locked)), ProbeOutcome::Failed(&locked));
        assert_eq!(decide::<u8>(false, true, ProbeResponse::LockFailed(&lost)), ProbeOutcome::Failed(&lost));
        assert_eq!(decide::<u8>(false, true, ProbeResponse::Failed(&lost)), ProbeOutcome::Failed(&lost));
    }
}
