//! What was read of one sequence, merged from the answers to its probes.

use super::allocator::Blocks;
use super::model::Sequence;
use super::position::{ExtremeClass, Position, SequenceState};
use super::probe::{OwnValues, Probe, ProbeAnswer, ProbePart, ProbeResult};
use crate::{Fix, QueryError, Reason, ReasonKind, Timeouts};

/// What was seen of a sequence.
#[derive(Debug, Clone, Copy)]
pub struct Observation {
    pub position: Position,
    /// The furthest value whose id, or an id of whose block, was found.
    pub max_id: Option<i64>,
    /// The furthest id found that the sequence could produce, or that lies in a block of one of its values.
    pub furthest_id: Option<i64>,
    /// A value stands for a block of ids.
    pub by_block: bool,
    /// Ids of other residue classes lie at or beyond the next value, and may hide its ids.
    pub hidden: bool,
    /// Which of the sequence's sources holds the max id.
    pub furthest: Option<usize>,
    /// How often the sequence itself was read for this.
    pub reads: u32,
}

impl Observation {
    /// The same, of a sequence that other sessions have moved on since, if they have.
    #[must_use]
    pub fn moved_on(self, now: Option<SequenceState>) -> Self {
        Self { position: now.map_or(self.position, |now| self.position.moved_on(now)), ..self }
    }

    /// The id that the next value must be beyond, if any.
    pub fn origin(&self) -> Option<i64> {
        self.position.baseline(self.max_id)
    }

    /// Whether ranges of ids hold the sequence's own values alone; else these are looked at one by one.
    pub fn is_gapless(&self) -> bool {
        self.position.is_gapless() && !self.by_block
    }

    /// Whether an own id lies at or beyond the next value, or may do so.
    pub fn is_ahead(&self) -> bool {
        let past_next = |id| self.position.with_headroom(0).lag(id) > 0;
        self.position.remaining() > 0 && (self.hidden || self.max_id.is_some_and(past_next))
    }

    /// Values that would still be handed out without being beyond the max id and what is to be left unused.
    pub fn lag(&self) -> u128 {
        self.origin().map_or(0, |origin| self.position.lag(origin))
    }
}

/// What was seen of a sequence, or why it could not be read; none where there is nothing to read.
pub type ObserveResult = Option<Result<Observation, Reason>>;

/// What the answers so far say of one sequence.
#[derive(Debug, Default)]
pub struct ObservationBuilder {
    state: Option<SequenceState>,
    max_id: Option<i64>,
    furthest_id: Option<i64>,
    furthest: Option<usize>,
    hidden: bool,
    reads: u32,
    failure: Option<Reason>,
    /// Values to be left unused beyond the max id.
    headroom: u32,
}

impl ObservationBuilder {
    /// Nothing read yet, of a sequence that is to leave `headroom` values unused beyond its max id.
    pub fn new(headroom: u32) -> Self {
        Self { headroom, ..Self::default() }
    }

    /// Whether a read failed.
    pub fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    pub fn finish(self, sequence: &Sequence) -> ObserveResult {
        if let Some(failure) = self.failure {
            return Some(Err(failure));
        }
        let position =
            Position::new(*sequence.parameters, self.state?, sequence.usable_ids()).with_headroom(self.headroom);
        let by_block = sequence.sources().any(|source| source.allocator().takes_blocks());
        let Self { max_id, furthest_id, furthest, hidden, reads, .. } = self;
        Some(Ok(Observation { position, max_id, furthest_id, by_block, hidden, furthest, reads }))
    }

    /// Keeps the further of two ids, and of the values that they belong to.
    fn extend_max_id(&mut self, ascending: bool, id: i64, value: i64, source: Option<usize>) {
        let is_further =
            |known: Option<i64>, new: i64| known.is_none_or(|old| if ascending { new > old } else { new < old });
        if is_further(self.max_id, value) {
            (self.max_id, self.furthest) = (Some(value), source);
        }
        if is_further(self.furthest_id, id) {
            self.furthest_id = Some(id);
        }
    }

    /// Keeps the first reason: later ones are often its consequence.
    pub fn fail(&mut self, reason: Reason) {
        self.failure.get_or_insert(reason);
    }
}

/// Merges the answers into `builders`, and returns the probes that must ask again, for the sequence's own values only.
pub fn merge_answers<'a>(
    sequences: &[&Sequence],
    results: Vec<ProbeResult<'a>>,
    timeouts: Timeouts,
    builders: &mut [ObservationBuilder],
) -> Vec<Probe<'a>> {
    let mut refined = Vec::new();
    for (probe, answer) in results {
        let sequence = sequences[probe.sequence];
        let found = &mut builders[probe.sequence];
        let (state, extremes) = match answer {
            Ok(ProbeAnswer::Extremes { state, extremes }) => (state, extremes),
            Ok(ProbeAnswer::Block { .. }) => continue,
            Err(error) => {
                found.fail(explain_read_error(sequence, &probe, error, timeouts));
                continue;
            }
        };
        found.reads += 1;
        let ascending = sequence.parameters.increment > 0;
        let position = Position::new(*sequence.parameters, state, sequence.usable_ids()).with_headroom(found.headroom);
        let mut parts = Vec::new();
        for (part, extreme) in probe.parts.into_iter().zip(extremes) {
            let Some(extreme) = extreme else { continue };
            let source = || sequence.sources().position(|source| std::ptr::eq(source, part.source));
            if part.source.allocator().takes_blocks() {
                let blocks = Blocks::new(part.source.allocator(), sequence.parameters.increment, position.next());
                if let (Ok(id), Ok(value)) = (i64::try_from(extreme.value), i64::try_from(blocks.value(extreme.value)))
                {
                    found.extend_max_id(ascending, id, value, source());
                }
                continue;
            }
            let class = if part.own_values.is_some() {
                ExtremeClass::MaxId
            } else {
                position.classify(extreme.value, extreme.integral)
            };
            match (class, i64::try_from(extreme.value)) {
                (ExtremeClass::MaxId, Ok(id)) => {
                    found.extend_max_id(ascending, id, id, source());
                }
                (ExtremeClass::NeedsRefinement, _) => {
                    // Of a residue class with an index, only what is to be left unused: a walk looks beyond it.
                    let walked =
                        !position.is_gapless() && sequence.sources().all(|source| source.rare.unindexed.is_none());
                    found.hidden |= walked;
                    if !walked || found.headroom > 0 {
                        let end = position.next() - i128::from(sequence.parameters.increment);
                        // An index finds the furthest of all own ids as quickly as that of a few.
                        let first =
                            if position.is_gapless() { position.numbering().id(0) } else { position.first_reserved() };
                        let one_by_one_to = walked.then_some(end);
                        parts.push(ProbePart { own_values: Some(OwnValues { first, one_by_one_to }), ..part });
                    }
                }
                _ => {}
            }
        }
        if !parts.is_empty() {
            refined.push(Probe { sequence: probe.sequence, parts, block: None });
        }
        found.state = Some(later_state(ascending, found.state, state));
    }
    refined
}

/// The further of two states of one sequence: it only ever moves in one direction.
fn later_state(ascending: bool, before: Option<SequenceState>, now: SequenceState) -> SequenceState {
    let rank = |state: SequenceState| {
        let value = i128::from(state.last_value);
        (if ascending { value } else { -value }, state.is_called)
    };
    before.filter(|before| rank(*before) > rank(now)).unwrap_or(now)
}

/// Why a probe failed, with the names of what it read and the timeout that ended it.
pub fn explain_read_error(sequence: &Sequence, probe: &Probe<'_>, error: QueryError, timeouts: Timeouts) -> Reason {
    let tables: Vec<&str> = probe.parts.iter().map(|part| part.table()).collect();
    let tables = tables.join(", ");
    let kind = error.kind();
    match error {
        QueryError::LockNotAvailable => Reason::new(
            kind,
            format!(
                "another session held a lock on {} or {tables} for longer than lock_timeout ({}), or waited for one that \
                 pgmedic held; look again",
                sequence.name,
                humantime::format_duration(timeouts.lock)
            ),
        ),
        QueryError::BeingVacuumed { table, what } => Reason::new(
            kind,
            format!(
                "{table} is being {what}: a superuser does not read another role's table meanwhile, because it first locks it \
                 against indexes and other code of its owner; look again, or connect as the role that pgmedic grants makes"
            ),
        )
        .with_fix(Fix::Command("pgmedic grants --role pgmedic".to_owned())),
        QueryError::QueryCanceled => {
            let limit = humantime::format_duration(timeouts.statement);
            let unindexed = |part: &ProbePart<'_>| Some((part.source.rare.unindexed.clone()?, part.source.column().to_owned()));
            match probe.parts.iter().find_map(unindexed) {
                Some((table, column)) => Reason::new(
                    ReasonKind::MissingIndex,
                    format!(
                        "reading {table}.{column} took longer than statement_timeout ({limit}), and no index leads with it"
                    ),
                )
                .with_fix(Fix::Sql(format!("CREATE INDEX CONCURRENTLY ON {table} ({column})"))),
                None => Reason::new(
                    kind,
                    format!(
                        "reading {tables} took longer than statement_timeout ({limit}): VACUUM it, or raise the timeout"
                    ),
                ),
            }
        }
        QueryError::UndefinedObject(message) | QueryError::UndefinedColumn(message) => {
            Reason::new(kind, format!("dropped or renamed during the pass: {message}"))
        }
        QueryError::ConcurrentlyChanged => Reason::new(kind, "altered or replaced during the pass; look again"),
        error => error.into(),
    }
}
