//! One sequence, for whoever has just met drift on a connection of their own: the same look, judgement and advance as
//! a pass makes, as statements that the caller runs.

use super::advance::advance_sql;
use super::feed_row::push_row;
use super::model::{FeedProblem, Sequence};
use super::observation::{Observation, ObservationBuilder, merge_answers, sources};
pub use super::plan::RepairLimits;
use super::plan::{RepairPlan, SequenceRights, plan_repair};
use super::position::Comparison;
use super::probe::fits_in_transaction;
use super::probe::{Probe, ProbePart};
use super::reasons::exhausted_reason;
use super::reasons::held;
use crate::{QueryError, Timeouts, simple_query};
use sqlx::postgres::{PgConnection, PgRow};

/// A sequence and what it feeds, of the same columns as the pass reads.
#[derive(Debug)]
pub struct InlineSequence {
    sequence: Sequence,
    /// Who asks, quoted.
    role: String,
}

/// What is to be done about it.
#[derive(Debug, PartialEq)]
pub enum InlineRepair {
    /// It is not behind.
    Nothing,
    /// A statement that hands the unusable values out and answers with the last of them.
    Advance(String),
}

impl InlineSequence {
    /// From the rows of a query with the columns of `catalog.sql`; `role` is who asks, quoted.
    ///
    /// # Errors
    ///
    /// When a row does not hold what it should.
    pub fn read(rows: &[PgRow], role: &str) -> Result<Vec<Self>, QueryError> {
        let mut sequences = Vec::new();
        rows.iter().try_for_each(|row| push_row(&mut sequences, row, role))?;
        Ok(sequences.into_iter().map(|sequence| Self { sequence, role: role.to_owned() }).collect())
    }

    pub fn oid(&self) -> u32 {
        self.sequence.oid
    }

    /// Schema-qualified, quoted by the server.
    pub fn name(&self) -> &str {
        &self.sequence.name
    }

    /// Looks at the sequence and at what it feeds, inside a transaction of the caller's that is under `bounds`.
    ///
    /// # Errors
    ///
    /// The reason why it cannot be judged, with what fixes it.
    pub async fn observe(&self, connection: &mut PgConnection, bounds: Timeouts) -> Result<Observation, String> {
        if let Some(obstacle) = self.unreadable_reason() {
            return Err(obstacle);
        }
        let sequences = [&self.sequence];
        let mut gathered = [ObservationBuilder::default()];
        let parts =
            sources(&self.sequence).map(|source| ProbePart { source, member: None, min_own_value: None }).collect();
        let mut probes = vec![Probe { sequence: 0, parts }];
        while let Some(probe) = probes.pop() {
            let answer = match simple_query(connection, "inline-repair", &probe.sql(&self.sequence)).await {
                Ok(rows) => probe.read(&rows),
                Err(failure) => Err(failure),
            };
            probes = merge_answers(&sequences, vec![(probe, answer)], bounds, &mut gathered);
        }
        let [gathered] = gathered;
        gathered.finish(&self.sequence).unwrap_or_else(|| Err("there is nothing to read".to_owned()))
    }

    /// Why its state or its columns are not read.
    fn unreadable_reason(&self) -> Option<String> {
        let Sequence { name, parameters, feeds, notes, problem, .. } = &self.sequence;
        if parameters.cycle {
            return Some(format!("{name} cycles, so its values come again by design"));
        }
        for feed in feeds {
            if let Err(FeedProblem::Unreadable(reason) | FeedProblem::Refused { reason, .. }) = &feed.source {
                return Some(reason.clone());
            }
        }
        if sources(&self.sequence).next().is_none() {
            let unsupported = feeds.iter().find_map(|feed| match &feed.source {
                Err(FeedProblem::Unsupported(reason)) => Some(reason),
                _ => None,
            });
            let reason = notes.first().or(unsupported).cloned();
            return Some(reason.unwrap_or_else(|| format!("{name} feeds no column that can be read")));
        }
        let relations: u64 = sources(&self.sequence).map(|source| source.relations).sum();
        let too_many =
            || format!("{name} feeds {relations} tables, partitions and indexes: too many to read on a login");
        problem.clone().or_else(|| (!fits_in_transaction(1 + relations)).then(too_many))
    }

    /// What repairs it by `nextval` alone, within the limits of `policy`.
    ///
    /// # Errors
    ///
    /// The guard that said no, and what lets the repair through.
    pub fn plan_inline_repair(&self, seen: &Observation, policy: &RepairLimits) -> Result<InlineRepair, String> {
        let (Comparison::Behind { .. }, Some(max_id)) = (seen.position.compare(seen.max_id), seen.max_id) else {
            return match seen.position.compare(seen.max_id) {
                Comparison::Exhausted => Err(exhausted_reason(&self.sequence, seen)),
                _ => Ok(InlineRepair::Nothing),
            };
        };
        let rights = SequenceRights { advance: self.sequence.may_advance, alter: false, set: false };
        match plan_repair(&seen.position, max_id, false, policy, rights, false) {
            RepairPlan::Repair { step, .. } => {
                Ok(InlineRepair::Advance(advance_sql(&self.sequence, self.nextval_calls(step.values), step.last)))
            }
            RepairPlan::Held { because, .. } => Err(held(&self.sequence, seen, max_id, because, &self.role)),
        }
    }

    /// A statement that takes away what the session that runs it still holds of values before the next one; none where
    /// sessions hold none (`CACHE 1`).
    pub fn drain_session_cache_sql(&self, seen: &Observation) -> Option<String> {
        let parameters = self.sequence.parameters;
        let last = i64::try_from(seen.position.next() - i128::from(parameters.increment)).ok();
        let last = last.filter(|_| parameters.cache > 1)?;
        Some(advance_sql(&self.sequence, self.nextval_calls(1), last))
    }

    /// So many calls hand out `values` of the sequence's, and before them what the session holds.
    fn nextval_calls(&self, values: u128) -> u128 {
        values + u128::from(MAX_CACHE_DRAIN.min(self.sequence.parameters.cache.unsigned_abs() - 1))
    }
}

/// Nobody's cache is larger on purpose, and a login waits.
const MAX_CACHE_DRAIN: u64 = 1_000_000;
