//! What one pass leaves for the next: why a sequence drifted, and what need not be read again.

use super::activity::{ActivityCounters, StatsSnapshot};
use super::catalog::Catalog;
use super::invalidation::{InvalidatedSequences, Invalidation};
use crate::report::{Cause, SequenceReport, Verdict};
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::sequence::position::Position;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Of one database. [`Memory::default`] is for a single pass, which leaves nothing behind.
#[derive(Debug, Default)]
pub struct SequencePassState {
    lasting: bool,
    /// Quiet passes since the last full one.
    quiet: u32,
    era: String,
    /// As of this count of the catalog; none when it is to be discovered again in any case.
    catalog: Option<(Option<i64>, Catalog)>,
    known: HashMap<u32, CachedFinding>,
}

/// A sequence as the pass before left it.
#[derive(Debug)]
struct CachedFinding {
    finding: Arc<SequenceReport>,
    next_value: Option<i64>,
    /// How much it will have been touched if nobody but us does; none when it is to be looked at in any case.
    touches: Option<ActivityCounters>,
}

impl SequencePassState {
    /// For an agent, which makes many passes.
    pub fn persistent() -> Self {
        Self { lasting: true, ..Self::default() }
    }

    /// The next pass reads what is doubted, whatever the statistics say.
    pub fn invalidate(&mut self, doubt: &Invalidation) {
        match self.discovered().map(|found| doubt.resolve(&found.sequences)) {
            Some(InvalidatedSequences::These(oids)) => {
                for oid in oids {
                    if let Some(known) = self.known.get_mut(&oid) {
                        known.touches = None;
                    }
                }
            }
            Some(InvalidatedSequences::All) | None => {
                self.catalog = None;
                self.known.values_mut().for_each(|known| known.touches = None);
            }
        }
    }

    /// Whether anything is to be remembered.
    pub(super) fn is_lasting(&self) -> bool {
        self.lasting
    }

    /// What was discovered in the pass before, to be counted.
    pub(super) fn discovered(&self) -> Option<&Catalog> {
        self.catalog.as_ref().map(|(_, discovered)| discovered)
    }

    /// Hands out what was discovered, if the catalog has not changed since.
    pub(super) fn take_discovered(&mut self, counts: &StatsSnapshot) -> Option<Catalog> {
        self.catalog.take_if(|(catalog, _)| *catalog == Some(counts.catalog)).map(|(_, discovered)| discovered)
    }

    /// Starts a pass: a full one is owed when the statistics began anew, and every `full_every`th time.
    /// On a replica nothing is counted that comes from the primary, so there every pass is full.
    pub(super) fn start_pass(&mut self, counts: &StatsSnapshot, full_every: u32, replica: bool) {
        self.quiet += 1;
        if replica
            || self.era != counts.stats_epoch
            || counts.stats_epoch.starts_with("off")
            || self.quiet >= full_every
        {
            self.quiet = 0;
            self.era.clone_from(&counts.stats_epoch);
            self.known.values_mut().for_each(|known| known.touches = None);
            // What there is, is discovered again too.
            if let Some((catalog, _)) = &mut self.catalog {
                *catalog = None;
            }
        }
    }

    /// Takes in what was discovered anew: where a sequence or what it feeds is not what it was, its counts say nothing.
    pub(super) fn drop_changed(&mut self, found: &Catalog) {
        let Some((_, before)) = self.catalog.take() else { return };
        let before: HashMap<u32, &Sequence> =
            before.sequences.iter().map(|sequence| (sequence.oid, sequence)).collect();
        for sequence in &found.sequences {
            if before.get(&sequence.oid).is_none_or(|before| *before != sequence)
                && let Some(known) = self.known.get_mut(&sequence.oid)
            {
                known.touches = None;
            }
        }
    }

    /// The finding of the pass before, if nothing has touched the sequence or what it feeds since.
    pub(super) fn cached_finding(&self, sequence: &Sequence, counts: &StatsSnapshot) -> Option<Arc<SequenceReport>> {
        let known = self.known.get(&sequence.oid)?;
        let settled = known.touches.is_some() && known.touches == counts.of(sequence);
        settled.then(|| Arc::clone(&known.finding))
    }

    /// Why a sequence that is behind now came to be.
    pub(super) fn cause(&self, sequence: &Sequence, position: &Position) -> Cause {
        // After a failover an OID may be another sequence's.
        let known = self.known.get(&sequence.oid).filter(|known| known.finding.name == sequence.name);
        match known.and_then(|known| known.next_value) {
            None => Cause::Unknown,
            Some(before) if position.is_before(before) => Cause::Rewound,
            Some(_) => Cause::IdsInserted,
        }
    }

    /// Remembers a finding. `reads` is how often we touched the sequence ourselves after `counts` were read.
    pub(super) fn remember(
        &mut self,
        sequence: &Sequence,
        finding: &Arc<SequenceReport>,
        counts: &StatsSnapshot,
        reads: u32,
    ) {
        if !self.lasting {
            return;
        }
        let repair = finding.repair.as_ref();
        let next_value = repair.and_then(|repair| repair.next_value).or(finding.next_value);
        // What needs somebody's attention is looked at each time: a lock or a privilege leaves no count.
        let settled = matches!(finding.verdict, Verdict::InSync | Verdict::Unsupported | Verdict::Unlinked);
        let touches = counts.of(sequence).filter(|_| settled);
        let touches =
            touches.map(|touches| ActivityCounters { sequence: touches.sequence + i64::from(reads), ..touches });
        self.known.insert(sequence.oid, CachedFinding { finding: Arc::clone(finding), next_value, touches });
    }

    /// Ends a pass: what was discovered, and as of which count of the catalog.
    pub(super) fn finish_pass(&mut self, catalog: i64, discovered: Catalog) {
        if self.lasting {
            let known: HashSet<u32> = discovered.sequences.iter().map(|sequence| sequence.oid).collect();
            self.known.retain(|oid, _| known.contains(oid));
            self.catalog = Some((Some(catalog), discovered));
        }
    }
}
