//! What one pass leaves for the next: next values, to attribute a drift's cause, and findings that need not be read again.

use super::activity::{ActivityCounters, StatsSnapshot};
use super::catalog::Catalog;
use super::invalidation::{InvalidatedSequences, Invalidation};
use super::known::{KnownSequence, LastFinding, fingerprint};
use super::memory::{SequenceMemory, WRITTEN_AHEAD};
use super::standing::StandingState;
use crate::report::{Cause, Evidence, Outcome, SequenceReport, Verdict};
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::sequence::position::Position;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Instant;

/// The state between the passes over one database. The default is for a single pass, and keeps nothing.
#[derive(Debug)]
pub struct SequencePassState {
    lasting: bool,
    /// For the values that walks draw: it is not guessable, and stays the same for as long as what is remembered.
    seed: u64,
    log: RepairLogReading,
    /// Quiet passes since the last full one.
    quiet: u32,
    epoch: String,
    /// The server that the last pass reached, and whether it is a replica.
    server: (String, bool),
    /// The discovered catalog and the catalog's counter then; without a counter it is discovered again.
    catalog: Option<(Option<i64>, Catalog)>,
    /// By OID. Boxed, because a map has up to twice as many places as entries.
    known: HashMap<u32, Box<KnownSequence>>,
    /// Of the connection that stands for the lease: whether the next pass has to open another.
    pub(super) standing: StandingState,
}

/// What was read of the repair log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum RepairLogReading {
    #[default]
    Unread,
    Read,
    /// It was read, and others have added to it since.
    Grown,
}

impl Default for SequencePassState {
    fn default() -> Self {
        Self {
            lasting: false,
            seed: RandomState::new().build_hasher().finish(),
            log: RepairLogReading::default(),
            quiet: 0,
            epoch: String::new(),
            server: <(String, bool)>::default(),
            catalog: None,
            known: HashMap::new(),
            standing: StandingState::default(),
        }
    }
}

impl SequencePassState {
    /// For an agent, which makes many passes.
    pub fn persistent() -> Self {
        Self { lasting: true, ..Self::default() }
    }

    /// Makes the next pass read what `invalidation` names, also where the counters have not changed.
    pub fn invalidate(&mut self, invalidation: &Invalidation) {
        match self.discovered().map(|found| invalidation.resolve(&found.sequences)) {
            Some(InvalidatedSequences::These(oids)) => {
                for oid in oids {
                    if let Some(known) = self.known.get_mut(&oid) {
                        known.expire();
                    }
                }
            }
            Some(InvalidatedSequences::All) | None => {
                self.catalog = None;
                self.known.values_mut().for_each(|known| known.expire());
            }
        }
    }

    /// Whether it holds no more sequences than that.
    pub fn is_small(&self, most: usize) -> bool {
        self.known.len() <= most
    }

    /// Whether a next pass will use this state.
    pub(super) fn is_lasting(&self) -> bool {
        self.lasting
    }

    /// The catalog of the previous pass.
    pub(super) fn discovered(&self) -> Option<&Catalog> {
        self.catalog.as_ref().map(|(_, discovered)| discovered)
    }

    /// Takes the catalog of the previous pass, if it has not changed since. Otherwise forgets it, so that there are never two.
    pub(super) fn take_discovered(&mut self, counters: &StatsSnapshot) -> Option<Catalog> {
        let (catalog, discovered) = self.catalog.take()?;
        (catalog == Some(counters.catalog)).then_some(discovered)
    }

    /// The findings of the previous pass, where a pass that reads nothing would have them all; it counts as one.
    pub(super) fn unchanged(&mut self, counters: &StatsSnapshot, full_every: u32) -> Option<Vec<Arc<SequenceReport>>> {
        let (catalog, found) = self.catalog.as_ref()?;
        let comparable = self.epoch == counters.stats_epoch && !counters.stats_epoch.starts_with("off");
        if !comparable || self.quiet + 1 >= full_every || *catalog != Some(counters.catalog) {
            return None;
        }
        let findings = found.sequences.iter().map(|sequence| self.cached_finding(sequence, counters));
        let findings: Vec<_> = findings.collect::<Option<_>>()?;
        self.quiet += 1;
        Some(findings)
    }

    /// The server that a pass reaches. An unknown one, whose name is empty, may be another each time.
    pub(super) fn reaches(&mut self, server: &str, replica: bool) {
        if server.is_empty() || self.server.0 != server {
            self.known.values_mut().for_each(|known| known.moves_elsewhere());
        }
        self.server = (server.to_owned(), replica);
    }

    /// The server that the last pass reached, where it is known and no replica.
    pub fn primary(&self) -> Option<&str> {
        let (server, replica) = &self.server;
        (!server.is_empty() && !replica).then_some(server)
    }

    /// Starts a pass. It reads everything when the counters began anew, every `full_every`th time, and always on a replica,
    /// whose counters do not include changes that come from the primary.
    pub(super) fn start_pass(&mut self, counters: &StatsSnapshot, full_every: u32, replica: bool) {
        self.quiet += 1;
        if replica
            || self.epoch != counters.stats_epoch
            || counters.stats_epoch.starts_with("off")
            || self.quiet >= full_every
        {
            self.quiet = 0;
            self.epoch.clone_from(&counters.stats_epoch);
            self.known.values_mut().for_each(|known| known.expire());
            // The catalog is discovered again too.
            if let Some((catalog, _)) = &mut self.catalog {
                *catalog = None;
            }
        }
    }

    /// Compares the sequences that were discovered anew with what they were, as [`KnownSequence::rediscovered`] does.
    pub(super) fn rediscovered(&mut self, found: &mut Catalog) {
        for sequence in &mut found.sequences {
            if let Some(known) = self.known.get_mut(&sequence.oid) {
                known.rediscovered(sequence);
            }
        }
    }

    fn last(&self, sequence: &Sequence) -> Option<&LastFinding> {
        self.known.get(&sequence.oid)?.last.as_ref()
    }

    /// The finding of the previous pass, if no counter of the sequence or of the tables it feeds has changed since.
    pub(super) fn cached_finding(&self, sequence: &Sequence, counters: &StatsSnapshot) -> Option<Arc<SequenceReport>> {
        let known = self.last(sequence)?;
        let settled = known.expected.is_some() && known.expected == counters.of(sequence);
        settled.then(|| Arc::clone(&known.finding))
    }

    /// The finding of the previous pass, where `finding` is the same: of many thousands, most are, and none is kept twice.
    pub(super) fn same_finding(&self, sequence: &Sequence, finding: &SequenceReport) -> Option<Arc<SequenceReport>> {
        let known = &self.last(sequence)?.finding;
        (**known == *finding).then(|| Arc::clone(known))
    }

    /// The seed of the values that walks draw over what `sequence` feeds.
    pub(super) fn seed(&self, sequence: &Sequence) -> u64 {
        self.seed ^ u64::from(sequence.oid).rotate_left(32)
    }

    /// Whether the repair log is to be read: at first, and after others have added to it.
    pub(super) fn log(&self) -> RepairLogReading {
        self.log
    }

    /// Whether the repairs of this pass are to be written to the repair log: of a single run that has read it.
    pub(super) fn writes_log(&self) -> bool {
        !self.lasting && !self.known.is_empty()
    }

    /// Takes over what the repair log tells; none where there is no log.
    pub(super) fn remember_log(&mut self, sequences: &[Sequence], mut log: Option<HashMap<String, SequenceMemory>>) {
        self.log = RepairLogReading::Read;
        let Some(log) = &mut log else { return };
        for sequence in sequences {
            let logged = log.remove(&*sequence.name).unwrap_or_default();
            let is_known = self.memory(sequence).is_some();
            let memory = self.known_mut(sequence).memory_mut(sequence);
            if is_known {
                memory.merge_log(&logged, sequence.parameters.increment > 0);
            } else {
                *memory = logged;
            }
        }
    }

    /// Others have added repairs to the log: the next pass reads it again.
    pub fn log_has_grown(&mut self) {
        if self.log == RepairLogReading::Read {
            self.log = RepairLogReading::Grown;
        }
    }

    /// What is remembered of `sequence`, if anything can be.
    pub(super) fn memory(&self, sequence: &Sequence) -> Option<&SequenceMemory> {
        self.known.get(&sequence.oid)?.memory(sequence)
    }

    /// The furthest next value that is known of `sequence`. None on a replica, which may lag behind the server that had it.
    pub(super) fn known_next(&self, sequence: &Sequence) -> Option<i64> {
        self.memory(sequence).filter(|_| !self.server.1).and_then(SequenceMemory::known_next)
    }

    /// The same, to be changed.
    pub(super) fn memory_mut(&mut self, sequence: &Sequence) -> Option<&mut SequenceMemory> {
        if !self.lasting && self.memory(sequence).is_none() {
            return None;
        }
        Some(self.known_mut(sequence).memory_mut(sequence))
    }

    fn known_mut(&mut self, sequence: &Sequence) -> &mut KnownSequence {
        self.known.entry(sequence.oid).or_insert_with(|| Box::new(KnownSequence::of(sequence)))
    }

    /// Why a sequence that is behind drifted.
    pub(super) fn cause(&self, sequence: &Sequence, position: &Position) -> Cause {
        let known = self.last(sequence).and_then(|last| last.if_of(sequence));
        let before = known.and_then(|known| Some((known.finding.next_value_after_pass()?, known.elsewhere)));
        let Some((before, elsewhere)) = before else { return Cause::Unknown };
        let back = position.values_until(before);
        // A drift that lasts keeps the cause that it was first found with.
        let lasting = known.filter(|known| {
            known.finding.verdict == Verdict::Behind && known.finding.outcome() != Some(Outcome::Repaired)
        });
        if let (0, Some(cause)) = (back, lasting.and_then(|known| known.finding.cause)) {
            return cause;
        }
        match (back, elsewhere) {
            // A replica may stand where another server stood a while ago.
            (1.., true) if self.server.1 => Cause::Unknown,
            (1..=WRITTEN_AHEAD, true) | (0, _) => Cause::IdsInserted,
            _ => Cause::Rewound,
        }
    }

    /// When the last pass began that read the sequence. Later ones took it for unchanged, which a statement may have ended
    /// before: the server's statistics tell of it up to ten seconds later.
    pub(super) fn last_read(&self, sequence: &Sequence) -> Option<Instant> {
        self.last(sequence)?.if_of(sequence).map(|known| known.read)
    }

    /// What was told of a drift that an earlier pass has seen, and that is there still.
    pub(super) fn evidence(&self, sequence: &Sequence) -> Option<Box<Evidence>> {
        let known = self.last(sequence)?.if_of(sequence)?;
        known.finding.evidence.clone().filter(|_| known.finding.outcome() != Some(Outcome::Repaired))
    }

    /// Keeps a finding of the pass that began at `began`. `reads` is how often it read the sequence after `counters` were
    /// read.
    pub(super) fn remember(
        &mut self,
        sequence: &Sequence,
        finding: &Arc<SequenceReport>,
        counters: &StatsSnapshot,
        (began, reads): (Instant, u32),
    ) {
        if !self.lasting {
            return;
        }
        let expected = match (finding.is_settled(), counters.of(sequence)) {
            (true, Some(now)) => Some(ActivityCounters { sequence: now.sequence + i64::from(reads), ..now }),
            _ => None,
        };
        self.known_mut(sequence).last = Some(LastFinding {
            finding: Arc::clone(finding),
            read: began,
            fingerprint: fingerprint(sequence),
            elsewhere: false,
            expected,
        });
    }

    /// Ends a pass: keeps the catalog and its counter.
    pub(super) fn finish_pass(&mut self, catalog: i64, discovered: Catalog) {
        if self.lasting {
            let known: HashSet<u32> = discovered.sequences.iter().map(|sequence| sequence.oid).collect();
            self.known.retain(|oid, _| known.contains(oid));
            self.catalog = Some((Some(catalog), discovered));
        }
    }
}
