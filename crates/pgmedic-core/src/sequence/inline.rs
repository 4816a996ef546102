//! One sequence, on the connection of an application whose insert met a taken id: the same probe, judgement and advance
//! as in a pass, as statements that the caller runs.

use super::advance::advance_sql;
use super::ahead::{Basis, Looked};
use super::block::BlockQuestion;
use super::catalog_reader::CatalogReader;
use super::held_reasons::hold_reason;
use super::judgement::{Decision, Draws, Memory, Progress, Settings, Wishes};
use super::members::{is_read_by_member, member_parts, members_sql};
use super::model::{Feed, FeedProblem, Limit, LimitedBy, Sequence};
use super::observation::{Observation, ObservationBuilder, explain_read_error, merge_answers};
use super::plan::{SequenceRights, choose_method};
use super::probe::{Probe, ProbeAnswer, ProbePart, fits_in_transaction};
use super::reasons::{exhausted_reason, missing_right_reason};
use super::row_fields::lossy_text;
use crate::{QueryError, Reason, ReasonKind, Timeouts, simple_query};
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};
use std::hash::{BuildHasher, Hasher, RandomState};

/// A sequence and what it feeds, of the same columns as the pass reads.
#[derive(Debug)]
pub struct InlineSequence {
    sequence: Sequence,
    /// The connected role, quoted.
    role: String,
}

/// Makes these columns (schema, table and column, quoted by the server) mere limits, where there is another one. None is alone
/// in a unique key, so that a taken id in it makes no insert fail, and only what it can hold counts.
fn only_limited_by(mut sequence: Sequence, unkeyed: &[String]) -> Sequence {
    let is_unkeyed = |feed: &Feed| unkeyed.iter().any(|name| **name == *feed.report.column);
    if sequence.feeds.iter().all(is_unkeyed) {
        return sequence;
    }
    let (limits, feeds): (Vec<Feed>, Vec<Feed>) = sequence.feeds.into_iter().partition(is_unkeyed);
    sequence.feeds = feeds;
    sequence.rare.limits.extend(limits.iter().filter_map(Feed::known_source).map(|source| {
        let (table, column) = (source.table().to_owned(), source.column().to_owned());
        let widen_obstacle = source.rare.widen_obstacle.clone();
        Limit { range: source.range, by: LimitedBy::Column { table, column, widen_obstacle } }
    }));
    sequence
}

/// What a run without memory goes by.
fn basis(settings: &Settings) -> Basis {
    Basis { settings: *settings, memory: Memory::RunOnly { charged: 0 }, wishes: Wishes::default(), known_next: None }
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
    /// From the rows of a query with the columns of `catalog.sql` and `keyed`; `role` is the connected role, quoted.
    ///
    /// # Errors
    ///
    /// When a row does not hold what it should.
    pub fn read(rows: &[PgRow], role: &str) -> Result<Vec<Self>, QueryError> {
        let mut reader = CatalogReader::new(role, &[]);
        let mut unkeyed = Vec::new();
        for row in rows {
            reader.push(row)?;
            if !row.try_get("keyed")? {
                unkeyed.push(format!("{}.{}", lossy_text(row, "rel_quoted")?, lossy_text(row, "att_quoted")?));
            }
        }
        let inline = |sequence| Self { sequence: only_limited_by(sequence, &unkeyed), role: role.to_owned() };
        Ok(reader.finish().into_iter().map(inline).collect())
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
    pub async fn observe(
        &self,
        connection: &mut PgConnection,
        settings: &Settings,
        timeouts: Timeouts,
    ) -> Result<Looked, Reason> {
        if let Some(reason) = self.unreadable_reason() {
            return Err(reason);
        }
        let sequences = [&self.sequence];
        let mut builders = [ObservationBuilder::default()];
        let parts = self.parts(connection).await?;
        let mut probes = vec![Probe { sequence: 0, parts: parts.clone(), block: None }];
        while let Some(probe) = probes.pop() {
            let answer = simple_query(connection, "inline-repair", &probe.sql(&self.sequence))
                .await
                .and_then(|rows| probe.read(&rows));
            probes = merge_answers(&sequences, vec![(probe, answer)], timeouts, &mut builders);
        }
        let [builder] = builders;
        let nothing = || Err(Reason::new(ReasonKind::Unlinked, "there is nothing to read"));
        let seen = builder.finish(&self.sequence).unwrap_or_else(nothing)?;
        self.look_ahead(connection, seen, &parts, settings, timeouts).await
    }

    /// Where the ids are read: whole tables, or partitions and children one by one.
    async fn parts(&self, connection: &mut PgConnection) -> Result<Vec<ProbePart<'_>>, Reason> {
        let mut parts = Vec::new();
        for source in self.sequence.sources() {
            if is_read_by_member(source) {
                let rows = simple_query(connection, "inline-repair", &members_sql(source)).await?;
                parts.extend(member_parts(&rows, source, &self.role)?);
            } else {
                parts.push(ProbePart { source, member: None, own_values: None });
            }
        }
        Ok(parts)
    }

    /// Walks the block that it would run into, where an own id may be ahead. The insert met a taken id, so an index on the
    /// column there is.
    async fn look_ahead(
        &self,
        connection: &mut PgConnection,
        mut seen: Observation,
        parts: &[ProbePart<'_>],
        settings: &Settings,
        timeouts: Timeouts,
    ) -> Result<Looked, Reason> {
        if !seen.is_ahead() {
            return Ok(Looked::nothing_ahead(seen));
        }
        // Not guessable, or ids could be placed where they are looked for.
        let draws = Draws::new(RandomState::new().build_hasher().finish());
        let mut walk = basis(settings).walk(&seen, draws).most_stretches(MOST_STRETCHES);
        let internal = |error: super::judgement::AnswerError| Reason::new(ReasonKind::Internal, error.to_string());
        loop {
            let question = match walk.progress() {
                Progress::Done(found) => return Ok(Looked::walked(seen, found)),
                Progress::Ask(question) => question,
            };
            let block = Some(Box::new(BlockQuestion { question, own: seen.position.numbering() }));
            let probe = Probe { sequence: 0, parts: parts.to_vec(), block };
            let answer = simple_query(connection, "inline-walk", &probe.sql(&self.sequence))
                .await
                .and_then(|rows| probe.read(&rows));
            match answer {
                Ok(ProbeAnswer::Block { answer, state }) => {
                    seen = seen.moved_on(state);
                    walk.moved_on(seen.position.next_number());
                    walk.answer(answer).map_err(internal)?;
                }
                Ok(ProbeAnswer::Extremes { .. }) => {
                    return Err(Reason::new(ReasonKind::Internal, "the answer to another question"));
                }
                Err(failure) => return Err(explain_read_error(&self.sequence, &probe, failure, timeouts)),
            }
        }
    }

    /// Why its state or its columns are not read, if so.
    fn unreadable_reason(&self) -> Option<Reason> {
        let Sequence { name, parameters, rare, .. } = &self.sequence;
        if parameters.cycle {
            let text = format!("{name} cycles, so its values come again by design");
            return Some(Reason::new(ReasonKind::Cycle, text));
        }
        for feed in &self.sequence.feeds {
            if let Err(FeedProblem::Unreadable(reason) | FeedProblem::Refused { reason, .. }) = &feed.source {
                return Some(reason.clone());
            }
        }
        if self.sequence.sources().next().is_none() {
            let unsupported = self.sequence.feeds.iter().find_map(|feed| match &feed.source {
                Err(FeedProblem::Unsupported(reason)) => Some(reason),
                _ => None,
            });
            let text = format!("{name} feeds no column that can be read");
            let unlinked = || Reason::new(ReasonKind::Unlinked, text);
            return Some(rare.notes.first().or(unsupported).cloned().unwrap_or_else(unlinked));
        }
        if let Some(problem) = &rare.problem {
            return Some(problem.clone());
        }
        let relations: u64 = self.sequence.sources().map(|source| source.relations).sum();
        if fits_in_transaction(1 + relations) {
            return None;
        }
        let text = format!("{name} feeds {relations} tables, partitions and indexes: too many to read on a login");
        Some(Reason::new(ReasonKind::TooManyRelations, text))
    }

    /// The advance that repairs it within `settings`, if it is behind: as a run without memory judges it.
    ///
    /// # Errors
    ///
    /// Why the repair is held.
    pub fn plan_inline_repair(&self, looked: &Looked, settings: &Settings) -> Result<InlineRepair, Reason> {
        let seen = &looked.seen;
        let judged = basis(settings).judge(looked);
        match judged.decision {
            Decision::Exhausted => return Err(exhausted_reason(&self.sequence, seen)),
            Decision::InSync { .. } => return Ok(InlineRepair::Nothing),
            Decision::Held(hold) => return Err(hold_reason(&self.sequence, looked, &hold)),
            Decision::Repair { .. } => {}
        }
        let Some(step) = judged.step(seen, 0) else { return Ok(InlineRepair::Nothing) };
        let rights = SequenceRights { advance: self.sequence.may_advance, alter: false, set: false };
        match choose_method(step, false, settings.advance_limit, rights) {
            Ok(_) => Ok(InlineRepair::Advance(advance_sql(&self.sequence, self.nextval_calls(step.values), step.last))),
            Err(missing) => Err(missing_right_reason(&self.sequence, missing, &self.role)),
        }
    }

    /// A statement that uses up the values before the next one that the session running it has cached; none where sessions
    /// cache none (`CACHE 1`).
    pub fn drain_session_cache_sql(&self, seen: &Observation) -> Option<String> {
        let parameters = &self.sequence.parameters;
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

/// Stretches that one statement looks at: a login waits for it.
const MOST_STRETCHES: u16 = 20;

/// Most cached values that are used up: a larger cache is a mistake, and a login waits.
const MAX_CACHE_DRAIN: u64 = 1_000_000;
