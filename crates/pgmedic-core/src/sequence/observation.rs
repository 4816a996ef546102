//! What was read of one sequence, merged from the answers to its probes.

use super::model::{FeedSource, Sequence};
use super::position::{ColumnRange, ExtremeClass, Position, SequenceState};
use super::probe::{Probe, ProbePart, ProbeResult};
use crate::{QueryError, Timeouts};

/// What was seen of a sequence.
#[derive(Debug, Clone, Copy)]
pub struct Observation {
    pub position: Position,
    /// The furthest id found that the sequence could produce.
    pub max_id: Option<i64>,
    /// How often the sequence itself was read for this.
    pub reads: u32,
}

impl Observation {
    /// What the next value must be beyond, if anything.
    pub fn origin(&self) -> Option<i64> {
        self.position.baseline(self.max_id)
    }

    /// Values that would still be handed out without being beyond the max id and what is to be left unused.
    pub fn lag(&self) -> u128 {
        self.origin().map_or(0, |origin| self.position.lag(origin))
    }
}

/// What looking at a sequence came to: nothing there to look at, seen, or why not and what fixes it.
pub type ObserveResult = Option<Result<Observation, String>>;

/// What has been gathered of one sequence so far.
#[derive(Debug, Default)]
pub struct ObservationBuilder {
    state: Option<SequenceState>,
    max_id: Option<i64>,
    reads: u32,
    unseen: Option<String>,
    /// Values to be left unused beyond the max id.
    headroom: u32,
}

impl ObservationBuilder {
    /// Nothing read yet, of a sequence that is to leave `headroom` values unused beyond its max id.
    pub fn new(headroom: u32) -> Self {
        Self { headroom, ..Self::default() }
    }

    /// Whether a read of it failed.
    pub fn has_failed(&self) -> bool {
        self.unseen.is_some()
    }

    pub fn finish(self, sequence: &Sequence) -> ObserveResult {
        if let Some(unseen) = self.unseen {
            return Some(Err(unseen));
        }
        let position = Position::new(sequence.parameters, self.state?, columns(sequence)).with_headroom(self.headroom);
        Some(Ok(Observation { position, max_id: self.max_id, reads: self.reads }))
    }

    /// Keeps the further of two ids.
    fn extend_max_id(&mut self, ascending: bool, id: i64) {
        self.max_id = Some(match self.max_id {
            Some(other) if ascending => other.max(id),
            Some(other) => other.min(id),
            None => id,
        });
    }

    /// The first reason stands: what follows is often its consequence.
    pub fn fail(&mut self, reason: String) {
        self.unseen.get_or_insert(reason);
    }
}

/// The columns that can be read.
pub fn sources(sequence: &Sequence) -> impl Iterator<Item = &FeedSource> {
    sequence.feeds.iter().filter_map(|feed| feed.source.as_ref().ok())
}

fn columns(sequence: &Sequence) -> ColumnRange {
    sources(sequence).map(|source| source.range).fold(ColumnRange::INT8, ColumnRange::narrowest)
}

/// Takes in what was found, and returns the probes that must look closer.
pub fn merge_answers<'a>(
    sequences: &[&Sequence],
    outcomes: Vec<ProbeResult<'a>>,
    bounds: Timeouts,
    gathered: &mut [ObservationBuilder],
) -> Vec<Probe<'a>> {
    let mut closer = Vec::new();
    for (probe, answer) in outcomes {
        let sequence = sequences[probe.sequence];
        let found = &mut gathered[probe.sequence];
        let answer = match answer {
            Ok(answer) => answer,
            Err(failure) => {
                found.fail(explain_read_error(sequence, &probe, failure, bounds));
                continue;
            }
        };
        found.reads += 1;
        let ascending = sequence.parameters.increment > 0;
        let position =
            Position::new(sequence.parameters, answer.state, columns(sequence)).with_headroom(found.headroom);
        let mut parts = Vec::new();
        for (part, extreme) in probe.parts.into_iter().zip(answer.extremes) {
            let Some(extreme) = extreme else { continue };
            let weight = if part.min_own_value.is_some() {
                ExtremeClass::MaxId
            } else {
                position.classify(extreme.value, extreme.integral)
            };
            match (weight, i64::try_from(extreme.value)) {
                (ExtremeClass::MaxId, Ok(id)) => found.extend_max_id(ascending, id),
                (ExtremeClass::NeedsRefinement, _) => {
                    parts.push(ProbePart { min_own_value: Some(position.first_reserved()), ..part })
                }
                _ => {}
            }
        }
        if !parts.is_empty() {
            closer.push(Probe { sequence: probe.sequence, parts });
        }
        found.state = Some(later_state(ascending, found.state, answer.state));
    }
    closer
}

/// Of two looks at one sequence, the later: it only ever moves one way.
fn later_state(ascending: bool, before: Option<SequenceState>, now: SequenceState) -> SequenceState {
    let rank = |state: SequenceState| {
        let value = i128::from(state.last_value);
        (if ascending { value } else { -value }, state.is_called)
    };
    before.filter(|before| rank(*before) > rank(now)).unwrap_or(now)
}

/// A failed read in the words of the one who must fix it.
fn explain_read_error(sequence: &Sequence, probe: &Probe<'_>, failure: QueryError, bounds: Timeouts) -> String {
    let tables: Vec<&str> = probe.parts.iter().map(|part| part.table()).collect();
    let tables = tables.join(", ");
    match failure {
        QueryError::LockNotAvailable => format!(
            "another session held a lock on {} or {tables} for longer than lock_timeout ({}), or waited for ours; look again",
            sequence.name,
            humantime::format_duration(bounds.lock)
        ),
        QueryError::QueryCanceled => {
            let limit = humantime::format_duration(bounds.statement);
            let unindexed = |part: &ProbePart<'_>| Some((part.source.unindexed.clone()?, part.source.column.clone()));
            match probe.parts.iter().find_map(unindexed) {
                Some((table, column)) => format!(
                    "reading {table}.{column} took longer than statement_timeout ({limit}), and no index leads with it: \
                     CREATE INDEX CONCURRENTLY ON {table} ({column})"
                ),
                None => format!(
                    "reading {tables} took longer than statement_timeout ({limit}): VACUUM it, or raise the timeout"
                ),
            }
        }
        QueryError::UndefinedObject(message) => format!("dropped or renamed during the pass: {message}"),
        QueryError::ConcurrentlyChanged => "altered or replaced during the pass; look again".to_owned(),
        failure => failure.to_string(),
    }
}
