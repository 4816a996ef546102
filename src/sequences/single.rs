//! One sequence, for whoever has just met drift on a connection of their own: the same look, judgement and advance as
//! a pass makes, as statements that the caller runs.

use super::batch;
use super::catalog::{Problem, Sequence, take_in};
use super::finding::used_up;
use super::observe::{Gathered, Observation, gather, sources};
use super::probe::{Part, Probe};
pub(crate) use super::repair::Policy;
use super::repair::{Plan, Rights, choose, hand_out, held};
use super::verdict::Judgement;
use crate::db::{Bounds, Failure, ask};
use sqlx::postgres::{PgConnection, PgRow};

/// A sequence and what it feeds, of the same columns as the pass reads.
#[derive(Debug)]
pub(crate) struct Single {
    sequence: Sequence,
    /// Who asks, quoted.
    role: String,
}

/// What is to be done about it.
#[derive(Debug, PartialEq)]
pub(crate) enum Remedy {
    /// It is not behind.
    Nothing,
    /// A statement that hands the unusable values out and answers with the last of them.
    HandOut(String),
}

impl Single {
    /// From the rows of a query with the columns of `catalog.sql`; `role` is who asks, quoted.
    ///
    /// # Errors
    ///
    /// When a row does not hold what it should.
    pub(crate) fn read(rows: &[PgRow], role: &str) -> Result<Vec<Self>, Failure> {
        let mut sequences = Vec::new();
        rows.iter().try_for_each(|row| take_in(&mut sequences, row, role))?;
        Ok(sequences.into_iter().map(|sequence| Self { sequence, role: role.to_owned() }).collect())
    }

    pub(crate) fn oid(&self) -> u32 {
        self.sequence.oid
    }

    /// Schema-qualified, quoted by the server.
    pub(crate) fn name(&self) -> &str {
        &self.sequence.name
    }

    /// Looks at the sequence and at what it feeds, inside a transaction of the caller's that is under `bounds`.
    ///
    /// # Errors
    ///
    /// The reason why it cannot be judged, with what cures it.
    pub(crate) async fn look(&self, connection: &mut PgConnection, bounds: Bounds) -> Result<Observation, String> {
        if let Some(obstacle) = self.obstacle() {
            return Err(obstacle);
        }
        let sequences = [&self.sequence];
        let mut gathered = [Gathered::default()];
        let parts = sources(&self.sequence).map(|source| Part { source, member: None, own_from: None }).collect();
        let mut probes = vec![Probe { sequence: 0, parts }];
        while let Some(probe) = probes.pop() {
            let answer = match ask(connection, "heal", &probe.sql(&self.sequence)).await {
                Ok(rows) => probe.read(&rows),
                Err(failure) => Err(failure),
            };
            probes = gather(&sequences, vec![(probe, answer)], bounds, &mut gathered);
        }
        let [gathered] = gathered;
        gathered.seen(&self.sequence).unwrap_or_else(|| Err("there is nothing to read".to_owned()))
    }

    /// Why its state or its columns are not read.
    fn obstacle(&self) -> Option<String> {
        let Sequence { name, parameters, feeds, notes, problem, .. } = &self.sequence;
        if parameters.cycle {
            return Some(format!("{name} cycles, so its values come again by design"));
        }
        for feed in feeds {
            if let Err(Problem::Unreadable(reason) | Problem::Refused { reason, .. }) = &feed.source {
                return Some(reason.clone());
            }
        }
        if sources(&self.sequence).next().is_none() {
            let unsupported = feeds.iter().find_map(|feed| match &feed.source {
                Err(Problem::Unsupported(reason)) => Some(reason),
                _ => None,
            });
            let reason = notes.first().or(unsupported).cloned();
            return Some(reason.unwrap_or_else(|| format!("{name} feeds no column that can be read")));
        }
        let relations: u64 = sources(&self.sequence).map(|source| source.relations).sum();
        let too_many =
            || format!("{name} feeds {relations} tables, partitions and indexes: too many to read on a login");
        problem.clone().or_else(|| (!batch::fits(1 + relations)).then(too_many))
    }

    /// What mends it by `nextval` alone, within the limits of `policy`.
    ///
    /// # Errors
    ///
    /// The guard that said no, and what lets the repair through.
    pub(crate) fn remedy(&self, seen: &Observation, policy: &Policy) -> Result<Remedy, String> {
        let (Judgement::Behind { .. }, Some(frontier)) = (seen.position.judge(seen.frontier), seen.frontier) else {
            return match seen.position.judge(seen.frontier) {
                Judgement::Exhausted => Err(used_up(&self.sequence, seen)),
                _ => Ok(Remedy::Nothing),
            };
        };
        let rights = Rights { advance: self.sequence.may_advance, alter: false, set: false };
        match choose(&seen.position, frontier, false, policy, rights, false) {
            Plan::Mend { step, .. } => {
                Ok(Remedy::HandOut(hand_out(&self.sequence, self.calls(step.values), step.last)))
            }
            Plan::Held { because, .. } => Err(held(&self.sequence, seen, frontier, because, &self.role)),
        }
    }

    /// A statement that takes away what the session that runs it still holds of values before the next one; none where
    /// sessions hold none (`CACHE 1`).
    pub(crate) fn drain(&self, seen: &Observation) -> Option<String> {
        let parameters = self.sequence.parameters;
        let last = i64::try_from(seen.position.next() - i128::from(parameters.increment)).ok();
        let last = last.filter(|_| parameters.cache > 1)?;
        Some(hand_out(&self.sequence, self.calls(1), last))
    }

    /// So many calls hand out `values` of the sequence's, and before them what the session holds.
    fn calls(&self, values: u128) -> u128 {
        values + u128::from(MOST_HELD.min(self.sequence.parameters.cache.unsigned_abs() - 1))
    }
}

/// Nobody's cache is larger on purpose, and a login waits.
const MOST_HELD: u64 = 1_000_000;
