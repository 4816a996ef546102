//! Keeps NEW ahead of writers that go on, until it is stopped.

use super::ids::pass_over_new;
use super::pairs::{Pair, Standing, pair, read_standings, reports};
use super::report::{CutoverReport, Verdict, WatchReport};
use super::request::Request;
use super::round::carry_round;
use super::run::{Before, carry_over, is_short};
use super::sides::{Side, Unusable, check, connect};
use crate::db::BoundedConnection;
use crate::progress::Progress;
use crate::report::Outcome;
use pgmedic_core::Reason;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Between two looks, at least; and so many times as long as a look took, so that a watch costs a fifth of one connection.
const LEAST_PAUSE: Duration = Duration::from_millis(100);
const MOST_PAUSE: Duration = Duration::from_secs(2);
const PAUSE_PER_LOOK: u32 = 4;

/// Between two comparisons with the ids in NEW, at least; and so many times as long as one took.
const LEAST_PAUSE_BETWEEN_PASSES: Duration = Duration::from_secs(2);
const PAUSE_PER_PASS: u32 = 10;

/// Before the next try where a database cannot be reached.
const RETRY: Duration = Duration::from_secs(1);

/// After so long both catalogs are read again, over new connections.
const REOPEN_AFTER: Duration = Duration::from_secs(60);

/// Carries everything over, keeps NEW ahead until `stop`, and then carries everything over once more: its report tells
/// whether writers may move.
pub async fn watch(
    request: &Request,
    stop: &CancellationToken,
    cancel: &CancellationToken,
    progress: &Progress,
) -> CutoverReport {
    let before = Before { direction_known: false, new_draws: false };
    let first = carry_over(request, before, cancel, progress).await;
    if matches!(first.verdict, Verdict::Refused) || first.to.server_version.is_none() {
        return first;
    }
    let against = first.reasons.iter().chain(first.sequences.iter().flat_map(|sequence| &sequence.reasons));
    against.for_each(|reason| tracing::warn!("{reason}"));
    tracing::info!(
        sequences = first.summary.sequences,
        carried = first.summary.carried,
        headroom = request.headroom,
        verdict = first.verdict.word(),
        "carried over; NEW is kept ahead until SIGINT or SIGTERM"
    );
    let mut watch = Watch::default();
    for sequence in &first.sequences {
        let memory = Memory { new_next: sequence.next_value.map(i128::from), ..Memory::default() };
        watch.memories.insert(sequence.name.clone(), memory);
    }
    while !stop.is_cancelled() && !cancel.is_cancelled() {
        if let Err(reason) = watch.while_connected(request, stop, cancel, progress).await {
            tracing::warn!("{reason}");
            stop.run_until_cancelled(tokio::time::sleep(RETRY)).await;
        }
    }
    let before = Before { direction_known: true, new_draws: watch.new_draws };
    let mut last = carry_over(request, before, cancel, progress).await;
    last.watch = Some(watch.report);
    last
}

#[derive(Debug, Default)]
struct Watch {
    report: WatchReport,
    /// NEW has handed out values that this watch did not take.
    new_draws: bool,
    /// By the name in NEW, from one connection to the next.
    memories: HashMap<String, Memory>,
}

/// What the watch remembers of one sequence.
#[derive(Debug, Clone, Copy, Default)]
struct Memory {
    old_next: Option<i128>,
    /// Where the watch left NEW.
    new_next: Option<i128>,
    /// Values that OLD hands out between two looks, at most.
    pace: u128,
}

impl Watch {
    /// Looks again and again over the same connections, and returns to read the catalogs anew.
    async fn while_connected(
        &mut self,
        request: &Request,
        stop: &CancellationToken,
        cancel: &CancellationToken,
        progress: &Progress,
    ) -> Result<(), Reason> {
        let timeouts = request.settings.bounds();
        let (mut old, mut new) = connect(request, cancel).await?;
        check(&mut old, &mut new, timeouts).await.map_err(|unusable| match unusable {
            Unusable::Refused(reason) | Unusable::Failed(reason) => reason,
        })?;
        let (old, new) = tokio::join!(Side::open("OLD", old, request), Side::open("NEW", new, request));
        let (mut old, mut new) = (old?, new?);
        let (from, to) = (std::mem::take(&mut old.sequences), std::mem::take(&mut new.sequences));
        let pairs = pair(&from, &to, request);
        let mut memories: Vec<Memory> =
            pairs.iter().map(|pair| self.memories.remove(&pair.wanted.to_string()).unwrap_or_default()).collect();
        let (opened, mut pass_due) = (Instant::now(), Instant::now() + LEAST_PAUSE_BETWEEN_PASSES);
        let result = loop {
            let started = Instant::now();
            let standings = read_standings(&mut old, &mut new, timeouts, &pairs).await;
            self.look(request, &mut new, &pairs, &standings, &mut memories).await;
            if started >= pass_due {
                self.compare_ids(request, &pairs, &standings, &mut memories, cancel, progress).await;
                pass_due = Instant::now() + LEAST_PAUSE_BETWEEN_PASSES.max(started.elapsed() * PAUSE_PER_PASS);
            }
            let mut connections = old.connections.iter().chain(&new.connections);
            if let Some(lost) = connections.find_map(BoundedConnection::lost) {
                break Err(Reason::from(lost).while_doing("NEW is not kept ahead at the moment"));
            }
            let pause = (started.elapsed() * PAUSE_PER_LOOK).clamp(LEAST_PAUSE, MOST_PAUSE);
            if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() || opened.elapsed() > REOPEN_AFTER {
                break Ok(());
            }
        };
        self.memories = pairs.iter().map(|pair| pair.wanted.to_string()).zip(memories).collect();
        old.close().await;
        new.close().await;
        result
    }

    /// Brings NEW ahead where OLD has come close.
    async fn look(
        &mut self,
        request: &Request,
        new: &mut Side,
        pairs: &[Pair<'_>],
        standings: &[Standing],
        memories: &mut [Memory],
    ) {
        self.report.looks += 1;
        for ((pair, standing), memory) in pairs.iter().zip(standings).zip(memories.iter_mut()) {
            self.remember(pair, standing, memory);
        }
        let is_low = pairs.iter().zip(standings).any(|(pair, standing)| is_short(pair, standing, request.headroom));
        self.report.below_half += u64::from(is_low);
        let enough = |index: usize| {
            let spared = |wanted| pairs[index].headroom(wanted, &standings[index]);
            // A sequence that cannot spare what the pace asks for may spare what was asked for.
            spared(enough(request.headroom, memories[index].pace)).max(spared(request.headroom))
        };
        let mut scratch = reports(pairs, &[], request);
        let due: Vec<bool> = pairs
            .iter()
            .zip(standings)
            .zip(memories.iter())
            .map(|((pair, standing), memory)| {
                let lead = pair.lead(standing);
                lead.is_some_and(|lead| {
                    lead < i128::from(refill_below(pair.headroom(request.headroom, standing), memory.pace))
                })
            })
            .collect();
        // A pair that is not due asks for nothing beyond what OLD handed out, which it has.
        let headroom = |index: usize| if due[index] { enough(index) } else { 0 };
        let moves = carry_round(new, pairs, standings, headroom, request, &mut scratch).await;
        self.report.moves += moves as u64;
        for ((report, memory), due) in scratch.iter().zip(memories).zip(due) {
            if due {
                // Known again at the next look.
                memory.new_next = None;
                tracing::debug!(sequence = report.name, outcome = report.outcome.word(), "brought ahead");
            }
        }
    }

    fn remember(&mut self, pair: &Pair<'_>, standing: &Standing, memory: &mut Memory) {
        let Some((old, new)) = standing.both() else { return };
        let increment = u128::from(pair.old.parameters.increment.unsigned_abs());
        let drawn = memory.old_next.map_or(0, |before| (old.next() - before).unsigned_abs() / increment);
        memory.pace = drawn.max(memory.pace - memory.pace / 8);
        memory.old_next = Some(old.next());
        self.new_draws |= memory.new_next.is_some_and(|left| left != new.next());
        memory.new_next = Some(new.next());
        let Some(lead) = pair.lead(standing) else { return };
        let lead = i64::try_from(lead).unwrap_or(i64::MAX);
        self.report.lowest_headroom = Some(self.report.lowest_headroom.map_or(lead, |lowest| lowest.min(lead)));
    }

    /// Brings NEW ahead of ids that arrived beyond its next values.
    async fn compare_ids(
        &mut self,
        request: &Request,
        pairs: &[Pair<'_>],
        standings: &[Standing],
        memories: &mut [Memory],
        cancel: &CancellationToken,
        progress: &Progress,
    ) {
        let passed = pass_over_new(request, self.new_draws, pairs, standings, cancel, progress).await;
        let Some(passed) = passed else { return };
        if let Some(error) = passed.error {
            tracing::warn!("{}", error.while_doing("the ids in NEW could not be compared"));
        }
        tracing::debug!(new_draws = self.new_draws, "compared the ids in NEW");
        let moved = passed.sequences.iter().filter(|sequence| sequence.repair.is_some());
        for sequence in moved {
            self.report.moves += u64::from(sequence.outcome() == Some(Outcome::Repaired));
            let same = |pair: &Pair<'_>| pair.new.is_some_and(|new| new.name == sequence.name);
            if let Some(index) = pairs.iter().position(same) {
                let repaired = sequence.repair.as_ref().and_then(|repair| repair.next_value);
                memories[index].new_next = repaired.map(i128::from);
            }
        }
    }
}

/// The headroom that a move makes: what was asked for, and what OLD may hand out until the look after the next.
fn enough(headroom: u32, pace: u128) -> u32 {
    u32::try_from(u128::from(headroom) + 2 * pace).unwrap_or(u32::MAX)
}

/// Below so many values left a sequence is moved: so that half of the headroom is left when the next look comes.
fn refill_below(headroom: u32, pace: u128) -> u32 {
    let half = headroom.div_ceil(2);
    let quarter = u128::from(headroom / 4);
    u32::try_from(u128::from(half) + quarter.max(2 * pace)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_is_moved_before_half_of_its_headroom_is_gone() {
        assert_eq!(refill_below(1000, 0), 750);
        assert_eq!(refill_below(1000, 400), 1300, "two looks of this pace would take 800");
        assert!(enough(1000, 400) > refill_below(1000, 400), "a move lasts");
        assert_eq!((refill_below(0, 0), enough(0, 0)), (0, 0));
    }
}
