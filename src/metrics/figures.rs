//! The gauges of one database, computed from the state at each scrape.

use super::exposition::FamilyText;
use crate::report::{DatabaseLabel, DatabaseReport, Outcome, SequenceReport, Verdict};
use crate::state::DatabaseState;
use pgmedic_core::sequence::HoldReason;
use std::sync::Arc;

/// Detail series of one database. Further ones are dropped, and their number is exported.
const MOST_DETAILS: usize = 50;

const VERDICTS: [Verdict; 6] = [
    Verdict::InSync,
    Verdict::Behind,
    Verdict::Exhausted,
    Verdict::Unreadable,
    Verdict::Unsupported,
    Verdict::Unlinked,
];

/// What the gauges show of one database. It keeps no text of the state but the names of what needs attention.
#[derive(Debug)]
pub struct DatabaseFigures {
    pub label: DatabaseLabel,
    pub up: Option<bool>,
    pub leader: bool,
    pub replica: bool,
    /// Of the passes over sequences and over session stores: the interval, and the last success.
    pub sequences: PassFigures,
    pub sessions: PassFigures,
    /// Of the last completed pass.
    pub findings: Option<FindingFigures>,
    pub stores: Vec<StoreFigures>,
}

#[derive(Debug)]
pub struct PassFigures {
    pub interval: Option<f64>,
    pub last_success: Option<f64>,
}

#[derive(Debug)]
pub struct FindingFigures {
    /// The database is one of many: only what there is has a series.
    is_one_of_many: bool,
    by_verdict: [usize; VERDICTS.len()],
    held: [usize; HoldReason::ALL.len()],
    pub lag_max: Option<f64>,
    pub used_max: Option<f64>,
    pub days_left_min: Option<f64>,
    pub details: Vec<DetailFigures>,
    /// Sequences that would have detail series too.
    pub dropped: usize,
}

/// A sequence that needs attention.
#[derive(Debug)]
pub struct DetailFigures {
    pub sequence: Arc<SequenceReport>,
    pub lag: f64,
    pub used: Option<f64>,
}

/// A session store after its last sweep.
#[derive(Debug)]
pub struct StoreFigures {
    pub store: String,
    /// None where it could not be read.
    pub held: Option<bool>,
    pub stale: Option<u64>,
    pub live: Option<u64>,
}

impl DatabaseFigures {
    pub fn of(name: &str, state: &DatabaseState) -> Self {
        let stores = state.sweeps.stores.iter().map(|(store, report)| StoreFigures {
            store: store.clone(),
            held: report.error.is_none().then_some(report.held.is_some()),
            stale: report.stale,
            live: report.live,
        });
        Self {
            label: state.discovered.clone().unwrap_or_else(|| name.into()),
            up: state.up,
            leader: state.leader,
            replica: state.replica,
            sequences: PassFigures { interval: Some(state.interval), last_success: state.last_success },
            sessions: PassFigures { interval: state.sweeps.interval, last_success: state.sweeps.last_success },
            findings: state.report.as_ref().map(|report| FindingFigures::of(report, state.discovered.is_some())),
            stores: stores.collect(),
        }
    }
}

impl FindingFigures {
    fn of(report: &DatabaseReport, is_one_of_many: bool) -> Self {
        let (mut by_verdict, mut held) = ([0; VERDICTS.len()], [0; HoldReason::ALL.len()]);
        for sequence in &report.sequences {
            let verdict = verdict_after_pass(sequence);
            count(&VERDICTS, verdict, &mut by_verdict, 1);
            if let (Verdict::Behind, Some(guard)) = (verdict, sequence.held_by()) {
                count(&HoldReason::ALL, guard, &mut held, 1);
            }
        }
        count(&VERDICTS, Verdict::Unlinked, &mut by_verdict, report.unlisted);
        let maximum = |of: fn(&SequenceReport) -> Option<f64>| {
            let maximum = report.sequences.iter().filter_map(|sequence| of(sequence)).reduce(f64::max);
            maximum.or(report.sequences.is_empty().then_some(0.0))
        };
        let mut details: Vec<DetailFigures> =
            report.sequences.iter().filter(|sequence| in_detail(sequence)).map(DetailFigures::of).collect();
        details
            .sort_by(|a, b| b.severity().total_cmp(&a.severity()).then_with(|| a.sequence.name.cmp(&b.sequence.name)));
        let dropped = details.len().saturating_sub(MOST_DETAILS);
        details.truncate(MOST_DETAILS);
        Self {
            is_one_of_many,
            by_verdict,
            held,
            lag_max: maximum(|sequence| sequence.lag.map(|_| lag_after_pass(sequence))),
            used_max: maximum(SequenceReport::used_after_pass),
            days_left_min: report.sequences.iter().filter_map(|sequence| sequence.days_left).reduce(f64::min),
            details,
            dropped,
        }
    }

    pub fn write_verdicts(&self, database: &DatabaseLabel, family: &mut FamilyText) {
        for (verdict, count) in VERDICTS.iter().zip(self.by_verdict) {
            if self.is_shown(count) || matches!(verdict, Verdict::InSync | Verdict::Behind) {
                family.add_of(database, &[("verdict", verdict.as_str())], count as f64);
            }
        }
    }

    pub fn write_held(&self, database: &DatabaseLabel, family: &mut FamilyText) {
        for (guard, count) in HoldReason::ALL.into_iter().zip(self.held) {
            // The alert on sequences behind subtracts these, so that one of them has to be there.
            if self.is_shown(count) || guard == HoldReason::FarIds {
                family.add_of(database, &[("reason", guard.word())], count as f64);
            }
        }
    }

    fn is_shown(&self, count: usize) -> bool {
        count > 0 || !self.is_one_of_many
    }
}

impl DetailFigures {
    fn of(sequence: &Arc<SequenceReport>) -> Self {
        Self { lag: lag_after_pass(sequence), used: sequence.used_after_pass(), sequence: Arc::clone(sequence) }
    }

    /// Lag counts for more than a range that runs out.
    fn severity(&self) -> f64 {
        self.lag + self.used.unwrap_or(0.0)
    }
}

/// Adds to the count of one of several kinds.
fn count<T: PartialEq>(kinds: &[T], kind: T, counts: &mut [usize], number: usize) {
    for (_, count) in kinds.iter().zip(counts).filter(|(known, _)| **known == kind) {
        *count += number;
    }
}

/// The verdict that is true after the pass.
fn verdict_after_pass(sequence: &SequenceReport) -> Verdict {
    match sequence.outcome() {
        _ if sequence.meets_taken_ids() => Verdict::Behind,
        Some(Outcome::Repaired) if sequence.held_by().is_none() => Verdict::InSync,
        // Ids in its way were seen, though it is not moved.
        None if sequence.verdict == Verdict::Unsupported && sequence.needs_attention() => Verdict::Behind,
        // No alert is wanted.
        _ if sequence.observed_only && sequence.verdict != Verdict::InSync => Verdict::Unsupported,
        _ => sequence.verdict,
    }
}

fn lag_after_pass(sequence: &SequenceReport) -> f64 {
    if verdict_after_pass(sequence) == Verdict::Behind { sequence.lag.unwrap_or(0) as f64 } else { 0.0 }
}

fn in_detail(sequence: &SequenceReport) -> bool {
    let attention = matches!(verdict_after_pass(sequence), Verdict::Behind | Verdict::Exhausted);
    attention || sequence.running_out
}

#[cfg(test)]
#[path = "figures_tests.rs"]
mod tests;
