//! One run: look at both databases, bring NEW ahead, look at what has arrived there, and say whether writers may move.

use super::arrival::arrival;
use super::drawing::compare_drawing;
use super::ids::check_ids;
use super::pairs::{Pair, Standing, compare_classes, pair, read_standings, reports, shared};
use super::replication::{slots, subscriptions};
use super::report::{CutoverReport, SideReport};
use super::request::Request;
use super::round::carry_round;
use super::sides::{Side, Unusable, check, connect};
use super::swapped::{Direction, swapped};
use crate::db::BoundedConnection;
use crate::progress::Progress;
use pgmedic_core::{Reason, ReasonKind};
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// Rounds in which NEW may catch up with writers that go on.
const ROUNDS: u32 = 3;

/// What is known before a run.
#[derive(Debug, Clone, Copy)]
pub struct Before {
    /// The direction was checked by an earlier run, which brought NEW ahead.
    pub direction_known: bool,
    /// NEW hands out values itself: its own ids leave no headroom behind its next values.
    pub new_draws: bool,
}

/// Carries every sequence over. It always returns a report; what went wrong is in it.
pub async fn carry_over(
    request: &Request,
    before: Before,
    cancel: &CancellationToken,
    progress: &Progress,
) -> CutoverReport {
    let started = Instant::now();
    let side =
        |database: &crate::config::Database| SideReport { database: database.name.to_string(), server_version: None };
    let mut report = CutoverReport::new(side(&request.from), side(&request.to), request.headroom);
    match work(request, before, cancel, progress, &mut report).await {
        Ok(()) => report.conclude(),
        Err(Unusable::Refused(reason)) => report.refuse(reason),
        Err(Unusable::Failed(reason)) => report.stop(reason),
    }
    report.duration_seconds = started.elapsed().as_secs_f64();
    report
}

async fn work(
    request: &Request,
    before: Before,
    cancel: &CancellationToken,
    progress: &Progress,
    report: &mut CutoverReport,
) -> Result<(), Unusable> {
    let timeouts = request.settings.bounds();
    let (mut old, mut new) = connect(request, cancel).await.map_err(Unusable::Failed)?;
    report.from.server_version = Some(old.server().version.clone());
    report.to.server_version = Some(new.server().version.clone());
    report.reasons = check(&mut old, &mut new, timeouts).await?;
    let backward = if before.direction_known { None } else { receives(&mut old, &mut new, request).await };
    let arrived = arrival(&mut old, &mut new, timeouts).await;
    let forward = arrived.receives();
    let (old, new) = tokio::join!(Side::open("OLD", old, request), Side::open("NEW", new, request));
    let (mut old, mut new) = (old.map_err(Unusable::Failed)?, new.map_err(Unusable::Failed)?);

    let (from, to) = (std::mem::take(&mut old.sequences), std::mem::take(&mut new.sequences));
    if let Some(schema) = request.map.schemas().find(|schema| !from.iter().any(|one| one.name_parts().0 == **schema)) {
        let text = format!("--map {schema}=…: OLD has no sequence in a schema of this name; nothing was done");
        return Err(Unusable::Refused(Reason::new(ReasonKind::Configuration, text)));
    }
    let pairs = pair(&from, &to, request);
    if let Some(reason) = shared(&pairs) {
        return Err(Unusable::Refused(reason));
    }
    if pairs.is_empty() {
        let text = "OLD has no sequence; is this the database?";
        report.reasons.push(Reason::new(ReasonKind::MissingSequence, text));
    }
    let first = read_standings(&mut old, &mut new, timeouts, &pairs).await;
    let direction = Direction { forward, backward: backward.as_deref(), ..direction(&pairs, &first) };
    if let Some(reason) = swapped(direction).filter(|_| !before.direction_known) {
        if !request.confirmed {
            return Err(Unusable::Refused(reason));
        }
        report.notes.push(reason);
    }
    report.sequences = reports(&pairs, &to, request);
    compare_classes(&pairs, &first, request, &mut report.sequences);
    if let Err(reason) = compare_drawing(&mut old, &mut new, &pairs, &to, request, &mut report.sequences).await {
        report.reasons.push(reason);
    }
    report.subscriptions = arrived.subscriptions;
    report.reasons.extend(arrived.reasons);
    if request.confirmed { &mut report.notes } else { &mut report.reasons }.extend(arrived.differences);
    report.notes.extend(arrived.notes);

    let mut last = first.clone();
    for round in 1..=ROUNDS {
        let headroom = |_| request.headroom;
        carry_round(&mut new, &pairs, &last, headroom, request, &mut report.sequences).await;
        if round == 1 {
            check_ids(request, before.new_draws, &pairs, &last, cancel, progress, report).await;
        }
        last = read_standings(&mut old, &mut new, timeouts, &pairs).await;
        if !pairs.iter().zip(&last).any(|(pair, standing)| is_short(pair, standing, request.headroom)) {
            break;
        }
    }
    finish(request, &pairs, &first, &last, report);
    let lost = old.connections.iter().chain(&new.connections).find_map(BoundedConnection::lost).map(Reason::from);
    old.close().await;
    new.close().await;
    lost.map_or(Ok(()), |reason| Err(Unusable::Failed(reason)))
}

/// How many sequences of NEW are further than those of OLD, and how many are not as far.
fn direction(pairs: &[Pair<'_>], standings: &[Standing]) -> Direction<'static> {
    let comparable = pairs.iter().zip(standings).filter(|(pair, _)| pair.same_direction());
    let leads = comparable.filter_map(|(pair, standing)| pair.lead(standing));
    leads.fold(Direction::default(), |mut direction, lead| {
        direction.ahead += usize::from(lead > 0);
        direction.behind += usize::from(lead < 0);
        direction
    })
}

/// The name of a subscription with which OLD receives from NEW.
async fn receives(old: &mut BoundedConnection, new: &mut BoundedConnection, request: &Request) -> Option<String> {
    let timeouts = request.settings.bounds();
    let found = subscriptions(old, "OLD", timeouts).await.found;
    if found.is_empty() {
        return None;
    }
    // What cannot be read proves nothing.
    let slots = slots(new, "0/0", timeouts).await.unwrap_or_default();
    let fed = |slot: &Option<String>| slots.iter().any(|one| slot.as_ref() == Some(&one.name));
    found.into_iter().find(|subscription| fed(&subscription.slot)).map(|subscription| subscription.name)
}

/// Whether less than half of the headroom is left that the pair is to have.
pub(super) fn is_short(pair: &Pair<'_>, standing: &Standing, headroom: u32) -> bool {
    pair.lead(standing).is_some_and(|lead| lead < i128::from(pair.headroom(headroom, standing) / 2))
}

/// Says where both stand in the end, and whether values were handed out meanwhile.
fn finish(request: &Request, pairs: &[Pair<'_>], first: &[Standing], last: &[Standing], report: &mut CutoverReport) {
    let mut drawn: u128 = 0;
    for (index, pair) in pairs.iter().enumerate() {
        let sequence = &mut report.sequences[index];
        pair.record(&last[index], sequence);
        pair.record_unreadable(&last[index], sequence);
        if let Some(failure) = sequence.failure.take() {
            sequence.add_reason(failure);
        }
        if let (Ok(before), Ok(now)) = (&first[index].old, &last[index].old) {
            drawn +=
                (now.next() - before.next()).unsigned_abs() / u128::from(pair.old.parameters.increment.unsigned_abs());
        }
        if sequence.reasons.is_empty() && is_short(pair, &last[index], request.headroom) {
            let headroom = request.headroom;
            let text = match pair.lead(&last[index]) {
                Some(lead) if lead < 0 => {
                    "OLD has handed out values beyond the next value of NEW meanwhile; stop its writers, or use a larger \
                     --headroom"
                        .to_owned()
                }
                lead => format!(
                    "OLD hands out values so quickly that {} of the {headroom} values of the headroom are left; use a \
                     larger --headroom",
                    lead.unwrap_or_default()
                ),
            };
            sequence.reasons.push(Reason::new(ReasonKind::WritersActive, text));
        }
    }
    if drawn > 0 {
        let text = format!(
            "OLD handed out {drawn} values during the run: its writers are active, so run again when they have stopped"
        );
        report.notes.push(Reason::new(ReasonKind::WritersActive, text));
    }
}
