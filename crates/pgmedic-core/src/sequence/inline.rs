//! One sequence, on the connection of an application whose insert met a taken id: the same probe, judgement and advance
//! as in a pass, as statements that the caller runs.

use super::advance::advance_sql;
use super::catalog_reader::CatalogReader;
use super::members::{is_read_by_member, member_parts, members_sql};
use super::model::{FeedProblem, Sequence};
use super::observation::{Observation, ObservationBuilder, merge_answers, sources};
pub use super::plan::RepairLimits;
use super::plan::{RepairPlan, SequenceRights, plan_repair};
use super::position::Comparison;
use super::probe::fits_in_transaction;
use super::probe::{Probe, ProbePart};
use super::reasons::{exhausted_reason, held_reason};
use crate::{QueryError, Reason, ReasonKind, Timeouts, simple_query};
use sqlx::postgres::{PgConnection, PgRow};

/// A sequence and what it feeds, of the same columns as the pass reads.
#[derive(Debug)]
pub struct InlineSequence {
    sequence: Sequence,
    /// The connected role, quoted.
    role: String,
}

/// What repairs it.
#[derive(Debug, PartialEq)]
pub enum InlineRepair {
    /// It is not behind.
    Nothing,
    /// A statement that hands the unusable values out and answers with the last of them.
    Advance(String),
}

impl InlineSequence {
    /// From the rows of a query with the columns of `catalog.sql`; `role` is the connected role, quoted.
    ///
    /// # Errors
    ///
    /// When a row does not hold what it should.
    pub fn read(rows: &[PgRow], role: &str) -> Result<Vec<Self>, QueryError> {
        let mut reader = CatalogReader::new(role, &[]);
        rows.iter().try_for_each(|row| reader.push(row))?;
        Ok(reader.finish().into_iter().map(|sequence| Self { sequence, role: role.to_owned() }).collect())
    }

    pub fn oid(&self) -> u32 {
        self.sequence.oid
    }

    /// Schema-qualified, quoted by the server.
    pub fn name(&self) -> &str {
        &self.sequence.name
    }

    /// Reads the sequence and the columns it feeds, inside a transaction of the caller that has `timeouts`.
    ///
    /// # Errors
    ///
    /// The reason why it cannot be read.
    pub async fn observe(&self, connection: &mut PgConnection, timeouts: Timeouts) -> Result<Observation, Reason> {
        if let Some(reason) = self.unreadable_reason() {
            return Err(reason);
        }
        let sequences = [&self.sequence];
        let mut builders = [ObservationBuilder::default()];
        let mut parts = Vec::new();
        for source in sources(&self.sequence) {
            if is_read_by_member(source) {
                let rows = simple_query(connection, "inline-repair", &members_sql(source)).await?;
                parts.extend(member_parts(&rows, source, &self.role)?);
            } else {
                parts.push(ProbePart { source, member: None, min_own_value: None });
            }
        }
        let mut probes = vec![Probe { sequence: 0, parts }];
        while let Some(probe) = probes.pop() {
            let answer = match simple_query(connection, "inline-repair", &probe.sql(&self.sequence)).await {
                Ok(rows) => probe.read(&rows),
                Err(failure) => Err(failure),
            };
            probes = merge_answers(&sequences, vec![(probe, answer)], timeouts, &mut builders);
        }
        let [builder] = builders;
        let nothing = || Err(Reason::new(ReasonKind::Unlinked, "there is nothing to read"));
        builder.finish(&self.sequence).unwrap_or_else(nothing)
    }

    /// Why its state or its columns are not read, if so.
    fn unreadable_reason(&self) -> Option<Reason> {
        let Sequence { name, parameters, feeds, notes, problem, .. } = &self.sequence;
        if parameters.cycle {
            let text = format!("{name} cycles, so its values come again by design");
            return Some(Reason::new(ReasonKind::Cycle, text));
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
            let text = format!("{name} feeds no column that can be read");
            let unlinked = || Reason::new(ReasonKind::Unlinked, text);
            return Some(notes.first().or(unsupported).cloned().unwrap_or_else(unlinked));
        }
        if let Some(problem) = problem {
            return Some(problem.clone());
        }
        let relations: u64 = sources(&self.sequence).map(|source| source.relations).sum();
        if fits_in_transaction(1 + relations) {
            return None;
        }
        let text = format!("{name} feeds {relations} tables, partitions and indexes: too many to read on a login");
        Some(Reason::new(ReasonKind::TooManyRelations, text))
    }

    /// The advance that repairs it within `limits`, if it is behind.
    ///
    /// # Errors
    ///
    /// Why the repair is held.
    pub fn plan_inline_repair(&self, seen: &Observation, limits: &RepairLimits) -> Result<InlineRepair, Reason> {
        let (Comparison::Behind { .. }, Some(max_id)) = (seen.position.compare(seen.max_id), seen.max_id) else {
            return match seen.position.compare(seen.max_id) {
                Comparison::Exhausted => Err(exhausted_reason(&self.sequence, seen)),
                _ => Ok(InlineRepair::Nothing),
            };
        };
        let rights = SequenceRights { advance: self.sequence.may_advance, alter: false, set: false };
        match plan_repair(&seen.position, max_id, false, limits, rights, false) {
            RepairPlan::Repair { step, .. } => {
                Ok(InlineRepair::Advance(advance_sql(&self.sequence, self.nextval_calls(step.values), step.last)))
            }
            RepairPlan::Held { because, .. } => Err(held_reason(&self.sequence, seen, max_id, because, &self.role)),
        }
    }

    /// A statement that uses up the values before the next one that the session running it has cached; none where sessions
    /// cache none (`CACHE 1`).
    pub fn drain_session_cache_sql(&self, seen: &Observation) -> Option<String> {
        let parameters = self.sequence.parameters;
        if parameters.cache == 1 {
            return None;
        }
        let last = i64::try_from(seen.position.next() - i128::from(parameters.increment)).ok()?;
        Some(advance_sql(&self.sequence, self.nextval_calls(1), last))
    }

    /// How many calls hand out what the session has cached, and then `values` of the sequence.
    fn nextval_calls(&self, values: u128) -> u128 {
        values + u128::from(MAX_CACHE_DRAIN.min(self.sequence.parameters.cache.unsigned_abs() - 1))
    }
}

/// Most cached values that are used up: a larger cache is a mistake, and a login waits.
const MAX_CACHE_DRAIN: u64 = 1_000_000;
