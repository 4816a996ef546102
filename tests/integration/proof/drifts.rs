//! The times in which a sequence was behind.

use super::history::{Entry, Event, Moment};
use std::collections::BTreeMap;
use std::fmt;

/// A sequence that was behind, from one sabotage until it was repaired or sabotaged again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    pub sequence: &'static str,
    /// Surely behind since.
    pub since: Moment,
    /// Surely still behind then.
    pub seen: Moment,
    /// Surely repaired by then.
    pub repaired: Option<Moment>,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "drift of {} from {:.3?} to {:.3?}", self.sequence, self.since, self.seen)
    }
}

/// Every drift, in the order in which they were over.
pub fn drifts(entries: &[Entry]) -> Vec<Drift> {
    let mut drifts = Vec::new();
    let mut open: BTreeMap<&'static str, Drift> = BTreeMap::new();
    for Entry { from, to, event } in entries {
        match event {
            // What comes of it is seen by the next look.
            Event::Sabotage { sequence, .. } => drifts.extend(open.remove(sequence)),
            Event::Sequences(stands) => {
                for (sequence, stand) in stands {
                    if stand.behind {
                        let fresh = Drift { sequence, since: *to, seen: *to, repaired: None };
                        // Asked for after it was seen for the first time, unless this is that time.
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

/// When an insert may find a value of this sequence's taken: from a sabotage until a look finds the sequence ahead, and
/// until a leap where it has a cache. Such a sequence may be ahead because sessions have drawn values by failing; what
/// others hold in their caches is behind still.
pub fn open_to_duplicates(entries: &[Entry], sequence: &str) -> Vec<(Moment, Moment)> {
    let mut open = Vec::new();
    let mut since = None;
    let mut before = None;
    for Entry { from, to, event } in entries {
        match event {
            Event::Sabotage { sequence: name, .. } if *name == sequence => {
                since.get_or_insert(*from);
                before = None;
            }
            Event::Sequences(stands) => {
                let Some((_, stand)) = stands.iter().find(|(name, _)| *name == sequence) else { continue };
                let before = before.get_or_insert(stand.file);
                let leapt = stand.file.is_none() || stand.file != *before;
                if leapt
                    && !stand.behind
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
