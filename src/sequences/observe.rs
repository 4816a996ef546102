//! The next value and the frontier of each sequence.

use super::batch::{self, Outcome};
use super::catalog::{Feed, Problem, Sequence, Source};
use super::members::members;
use super::probe::{Member, Part, Probe};
use super::verdict::{self, ColumnRange, Position, State};
use crate::db::{Bounds, Failure, Session};
use crate::report::Progress;

/// What was seen of a sequence.
#[derive(Debug, Clone, Copy)]
pub struct Observation {
    pub position: Position,
    /// The furthest id found that the sequence could produce.
    pub frontier: Option<i64>,
    /// How often the sequence itself was read for this.
    pub reads: u32,
}

impl Observation {
    /// What the next value must be beyond, if anything.
    pub fn origin(&self) -> Option<i64> {
        self.position.origin(self.frontier)
    }

    /// Values that would still be handed out without being beyond the frontier and what is to be left unused.
    pub fn gap(&self) -> u128 {
        self.origin().map_or(0, |origin| self.position.gap(origin))
    }
}

/// What looking at a sequence came to: nothing there to look at, seen, or why not and what cures it.
pub type Seen = Option<Result<Observation, String>>;

/// What has been gathered of one sequence so far.
#[derive(Debug, Default)]
pub struct Gathered {
    state: Option<State>,
    frontier: Option<i64>,
    reads: u32,
    unseen: Option<String>,
    /// Values to be left unused beyond the frontier.
    keep: u32,
}

/// Looks at every one of `sequences`, which are to leave `keep` values unused beyond their frontiers; the answers are in
/// the same order.
pub async fn observe(
    sessions: &mut [Session],
    sequences: &[&Sequence],
    keep: u32,
    bounds: Bounds,
    progress: &Progress,
) -> Vec<Seen> {
    let mut gathered: Vec<Gathered> = sequences.iter().map(|_| Gathered { keep, ..Gathered::default() }).collect();
    let first = first_probes(sessions, sequences, bounds, &mut gathered).await;
    progress.expect(first.len());
    let outcomes = batch::run(sessions, sequences, first, bounds, progress).await;
    let closer = gather(sequences, outcomes, bounds, &mut gathered);
    progress.expect(closer.len());
    let outcomes = batch::run(sessions, sequences, closer, bounds, progress).await;
    gather(sequences, outcomes, bounds, &mut gathered);
    sequences.iter().zip(gathered).map(|(sequence, gathered)| gathered.seen(sequence)).collect()
}

impl Gathered {
    pub fn seen(self, sequence: &Sequence) -> Seen {
        if let Some(unseen) = self.unseen {
            return Some(Err(unseen));
        }
        let position = Position::new(sequence.parameters, self.state?, columns(sequence)).keeping(self.keep);
        Some(Ok(Observation { position, frontier: self.frontier, reads: self.reads }))
    }

    /// Keeps the further of two ids.
    fn reach(&mut self, ascending: bool, id: i64) {
        self.frontier = Some(match self.frontier {
            Some(other) if ascending => other.max(id),
            Some(other) => other.min(id),
            None => id,
        });
    }

    /// The first reason stands: what follows is often its consequence.
    fn stop(&mut self, reason: String) {
        self.unseen.get_or_insert(reason);
    }
}

/// The columns that can be read.
pub fn sources(sequence: &Sequence) -> impl Iterator<Item = &Source> {
    sequence.feeds.iter().filter_map(|feed| feed.source.as_ref().ok())
}

fn columns(sequence: &Sequence) -> ColumnRange {
    sources(sequence).map(|source| source.range).fold(ColumnRange::INT8, ColumnRange::narrowest)
}

/// Whether there is something to look at, and nothing known to be in the way.
fn readable(sequence: &Sequence) -> bool {
    let blocks = |feed: &Feed| matches!(feed.source, Err(Problem::Unreadable(_) | Problem::Refused { .. }));
    sequence.is_looked_at() && sequence.problem.is_none() && !sequence.feeds.iter().any(blocks)
}

async fn first_probes<'a>(
    sessions: &mut [Session],
    sequences: &[&'a Sequence],
    bounds: Bounds,
    gathered: &mut [Gathered],
) -> Vec<Probe<'a>> {
    let mut probes = Vec::with_capacity(sequences.len());
    for (index, sequence) in sequences.iter().enumerate().filter(|(_, sequence)| readable(sequence)) {
        let mut parts = Vec::new();
        for source in sources(sequence) {
            if !source.has_children || batch::fits(1 + source.relations) {
                parts.push(Part { source, member: None, own_from: None });
                continue;
            }
            let Some(session) = sessions.first_mut() else { continue };
            match members(session, source, bounds).await {
                Ok(members) => parts.extend(members.into_iter().map(|member| part_of(source, member))),
                Err(reason) => gathered[index].stop(reason),
            }
        }
        if gathered[index].unseen.is_none() {
            probes.extend(split(index, parts));
        }
    }
    probes
}

fn part_of(source: &Source, member: Member) -> Part<'_> {
    Part { source, member: Some(member), own_from: None }
}

/// Probes of one sequence, none of which locks more relations than a transaction may. Each reads the state.
fn split(sequence: usize, parts: Vec<Part<'_>>) -> Vec<Probe<'_>> {
    let mut probes = vec![Probe { sequence, parts: Vec::new() }];
    for part in parts {
        match probes.last_mut() {
            Some(probe) if probe.parts.is_empty() || batch::fits(probe.relations() + part.relations()) => {
                probe.parts.push(part);
            }
            _ => probes.push(Probe { sequence, parts: vec![part] }),
        }
    }
    probes
}

/// Takes in what was found, and returns the probes that must look closer.
pub fn gather<'a>(
    sequences: &[&Sequence],
    outcomes: Vec<Outcome<'a>>,
    bounds: Bounds,
    gathered: &mut [Gathered],
) -> Vec<Probe<'a>> {
    let mut closer = Vec::new();
    for (probe, answer) in outcomes {
        let sequence = sequences[probe.sequence];
        let found = &mut gathered[probe.sequence];
        let answer = match answer {
            Ok(answer) => answer,
            Err(failure) => {
                found.stop(explain(sequence, &probe, failure, bounds));
                continue;
            }
        };
        found.reads += 1;
        let ascending = sequence.parameters.increment > 0;
        let position = Position::new(sequence.parameters, answer.state, columns(sequence)).keeping(found.keep);
        let mut parts = Vec::new();
        for (part, extreme) in probe.parts.into_iter().zip(answer.extremes) {
            let Some(extreme) = extreme else { continue };
            let weight = if part.own_from.is_some() {
                verdict::Extreme::Frontier
            } else {
                position.weigh(extreme.value, extreme.integral)
            };
            match (weight, i64::try_from(extreme.value)) {
                (verdict::Extreme::Frontier, Ok(id)) => found.reach(ascending, id),
                (verdict::Extreme::LookCloser, _) => parts.push(Part { own_from: Some(position.free_from()), ..part }),
                _ => {}
            }
        }
        if !parts.is_empty() {
            closer.push(Probe { sequence: probe.sequence, parts });
        }
        found.state = Some(further(ascending, found.state, answer.state));
    }
    closer
}

/// Of two looks at one sequence, the later: it only ever moves one way.
fn further(ascending: bool, before: Option<State>, now: State) -> State {
    let rank = |state: State| {
        let value = i128::from(state.last_value);
        (if ascending { value } else { -value }, state.is_called)
    };
    before.filter(|before| rank(*before) > rank(now)).unwrap_or(now)
}

/// A failed read in the words of the one who must cure it.
fn explain(sequence: &Sequence, probe: &Probe<'_>, failure: Failure, bounds: Bounds) -> String {
    let tables: Vec<&str> = probe.parts.iter().map(|part| part.table()).collect();
    let tables = tables.join(", ");
    match failure {
        Failure::Locked => format!(
            "another session held a lock on {} or {tables} for longer than lock_timeout ({}), or waited for ours; look again",
            sequence.name,
            humantime::format_duration(bounds.lock)
        ),
        Failure::TooSlow => {
            let limit = humantime::format_duration(bounds.statement);
            let unindexed = |part: &Part<'_>| Some((part.source.unindexed.clone()?, part.source.column.clone()));
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
        Failure::Gone(message) => format!("dropped or renamed during the pass: {message}"),
        Failure::Changed => "altered or replaced during the pass; look again".to_owned(),
        failure => failure.to_string(),
    }
}
