//! The periods in which a sequence was behind.

use super::history::{Entry, Event, Moment};
use std::collections::BTreeMap;
use std::fmt;

/// A sequence that was behind, from one sabotage until it was repaired or sabotaged again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    pub sequence: &'static str,
    /// It was certainly behind from this moment on.
    pub since: Moment,
    /// It was certainly behind until this moment.
    pub seen: Moment,
    /// It was certainly repaired at this moment.
    pub repaired: Option<Moment>,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "drift of {} from {:.3?} to {:.3?}", self.sequence, self.since, self.seen)
    }
}

/// Every drift, in the order of their ends.
pub fn drifts(entries: &[Entry]) -> Vec<Drift> {
    let mut drifts = Vec::new();
    let mut open: BTreeMap<&'static str, Drift> = BTreeMap::new();
    for Entry { from, to, event } in entries {
        match event {
            // The next observation shows the effect of the sabotage.
            Event::Sabotage { sequence, .. } => drifts.extend(open.remove(sequence)),
            Event::Sequences(states) => {
                for (sequence, state) in states {
                    if state.behind {
                        let fresh = Drift { sequence, since: *to, seen: *to, repaired: None };
                        // The observation began after the drift was first seen, unless it is that first one.
                        let drift = open.entry(sequence).or_insert(fresh);
                        drift.seen = drift.since.max(*from);
                    } else if let Some(drift) = open.remove(sequence) {
                        drifts.push(Drift { repaired: Some(*to), ..drift });
                    }
                }
            }
            _ => {}
        }
    }
    drifts.extend(open.into_values());
    drifts
}

/// The periods in which an insert may find a value of this sequence taken: from a sabotage until an observation finds
/// the sequence ahead, and, with a cache, until a leap. Such a sequence may be ahead because sessions have drawn values
/// in failing inserts, while other sessions still hold cached values that are taken. What is observed during a fault that loses
/// commits may be lost, a repair too.
pub fn open_to_duplicates(entries: &[Entry], sequence: &str) -> Vec<(Moment, Moment)> {
    let mut open = Vec::new();
    let mut since = None;
    let mut before = None;
    let mut losing = false;
    for Entry { from, to, event } in entries {
        match event {
            Event::FaultBegins(fault) | Event::FaultEnds(fault) if fault.loses_commits() => {
                losing = matches!(event, Event::FaultBegins(_));
                before = None;
            }
            Event::Sabotage { sequence: name, .. } if *name == sequence => {
                since.get_or_insert(*from);
                before = None;
            }
            Event::Sequences(states) if !losing => {
                let Some((_, state)) = states.iter().find(|(name, _)| *name == sequence) else { continue };
                let before = before.get_or_insert(state.file);
                let leapt = state.file.is_none() || state.file != *before;
                if leapt
                    && !state.behind
                    && let Some(since) = since.take()
                {
                    open.push((since, *to));
                }
            }
            _ => {}
        }
    }
    open.extend(since.map(|since| (since, Moment::MAX)));
    open
}
