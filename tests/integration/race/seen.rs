//! The observations of a race, and the violations that they show.

use super::run::TARGETS;
use pgmedic::report::{Outcome, SequenceReport};
use pgmedic_core::sequence::Method;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A value that a sequence returned to an insert.
#[derive(Debug, Clone, Copy)]
pub struct Draw {
    pub value: i64,
    /// The insert failed because the id was taken.
    pub collided: bool,
}

/// A sequence that moved back, not by the saboteur.
#[derive(Debug, Clone, Copy)]
#[allow(dead_code, reason = "shown when a test fails")]
pub struct Rewind {
    pub table: &'static str,
    pub before: i64,
    pub now: i64,
}

/// All observations. The arrays have an element for each target.
#[derive(Default)]
pub struct Seen {
    /// The ids that were inserted ahead.
    pub explicit: [HashSet<i64>; TARGETS.len()],
    /// The values of each client, in race.
    pub draws: [Vec<Vec<Draw>>; TARGETS.len()],
    pub backward: Vec<Rewind>,
    pub sabotages: usize,
    pub findings: Vec<Arc<SequenceReport>>,
}

/// Observations that no correct sequence causes.
#[derive(Debug, Default)]
pub struct Violations {
    /// Values that two inserts got, whether or not the second one failed.
    pub given_twice: Vec<i64>,
    /// Values that a client got after one that is further.
    pub out_of_order: Vec<i64>,
    /// Ids that an insert found taken, and that the test had not inserted ahead.
    pub collisions: Vec<i64>,
}

impl Seen {
    pub fn violations(&self) -> Violations {
        let mut violations = Violations::default();
        for ((target, explicit), clients) in TARGETS.iter().zip(&self.explicit).zip(&self.draws) {
            let mut given: HashMap<i64, usize> = HashMap::new();
            for draw in clients.iter().flatten() {
                *given.entry(draw.value).or_default() += 1;
                if draw.collided && !explicit.contains(&draw.value) {
                    violations.collisions.push(draw.value);
                }
            }
            violations.given_twice.extend(given.into_iter().filter(|(_, times)| *times > 1).map(|(value, _)| value));
            let pairs = clients.iter().flat_map(|draws| draws.windows(2));
            let back = pairs.filter(|pair| (pair[1].value - pair[0].value) * target.increment.signum() <= 0);
            violations.out_of_order.extend(back.map(|pair| pair[1].value));
        }
        violations
    }

    pub fn repaired_by(&self, method: Method) -> usize {
        let repairs = self.findings.iter().filter_map(|finding| finding.repair.as_ref());
        repairs.filter(|repair| repair.outcome == Outcome::Repaired && repair.method == Some(method)).count()
    }

    /// The reasons of the repairs that failed.
    pub fn failures(&self) -> Vec<String> {
        let repairs = self.findings.iter().filter_map(|finding| finding.repair.as_ref());
        repairs
            .filter(|repair| repair.outcome != Outcome::Repaired)
            .map(|repair| repair.reason.as_ref().map_or_else(String::new, ToString::to_string))
            .collect()
    }

    /// The reasons of the sequences that could not be read.
    pub fn unreadable(&self) -> Vec<String> {
        self.findings.iter().filter_map(|finding| finding.reason.as_ref()).map(ToString::to_string).collect()
    }

    pub fn inserts(&self) -> usize {
        self.draws.iter().flatten().map(Vec::len).sum()
    }
}
