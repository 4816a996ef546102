//! The pass: discover, observe, judge, repair, report.

use super::activity::{StatsSnapshot, read_stats};
use super::batch;
use super::catalog::{Catalog, discover};
use super::findings::{finding, missing_sequence};
use super::observe::observe;
use super::pass_state::SequencePassState;
use super::repair::{RepairTask, repair};
use crate::config::{Database, Sequences};
use crate::db::BoundedConnection;
use crate::pass_options::PassOptions;
use crate::progress::Progress;
use crate::report::DatabaseReport;
use futures_util::FutureExt;
use pgmedic_core::Timeouts;
use pgmedic_core::sequence::model::Sequence;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

/// Transactions from which a second connection pays for its own opening.
const SECOND_CONNECTION_FROM: u64 = 4;

/// One pass over one database. What went wrong is in the report: a pass always has one. `memory` is what the pass
/// before left, and is left for the next.
pub async fn pass(
    database: &Database,
    settings: &Sequences,
    orders: &PassOptions,
    memory: &mut SequencePassState,
    progress: &Progress,
) -> DatabaseReport {
    let started = Instant::now();
    let mut report = DatabaseReport { name: database.name.clone(), ..DatabaseReport::default() };
    // A server may send what makes the driver panic; that must cost no other database its pass.
    let work = AssertUnwindSafe(run_pass(database, settings, orders, memory, progress, &mut report));
    report.error = match work.catch_unwind().await {
        Ok(result) => result.err(),
        Err(_) => Some("the pass panicked, most likely on what the server sent: please report this".to_owned()),
    };
    report.duration_seconds = started.elapsed().as_secs_f64();
    report
}

async fn run_pass(
    database: &Database,
    settings: &Sequences,
    orders: &PassOptions,
    memory: &mut SequencePassState,
    progress: &Progress,
    report: &mut DatabaseReport,
) -> Result<(), String> {
    let bounds = settings.bounds();
    let options = database.connect_options().map_err(|error| error.to_string())?;
    let mut session =
        BoundedConnection::connect(&options, bounds, &orders.cancel).await.map_err(|error| error.to_string())?;
    report.server_version = Some(session.server().version.clone());
    let (found, counts) = load_catalog(&mut session, database, settings, memory, bounds).await?;
    report.sequences.extend(found.missing.iter().map(|feed| Arc::new(missing_sequence(feed, &database.name))));

    if found.sequences.is_empty() && found.excluded > 0 {
        // A misspelled pattern must not read as good health.
        let left_out = found.excluded;
        return Err(format!("sequences.include and exclude leave nothing of {left_out} sequences to look at"));
    }
    let mut changed: Vec<&Sequence> = Vec::new();
    for sequence in &found.sequences {
        match memory.cached_finding(sequence, &counts) {
            Some(finding) => report.sequences.push(finding),
            None => changed.push(sequence),
        }
    }
    let mut sessions = vec![session];
    if batch::estimate_transactions(&changed) >= SECOND_CONNECTION_FROM {
        // One more makes it quicker; without it the first does all.
        match BoundedConnection::connect(&options, bounds, &orders.cancel).await {
            Ok(second) => sessions.push(second),
            Err(error) => tracing::debug!(database = database.name, %error, "no second connection"),
        }
    }
    let seen = observe(&mut sessions, &changed, orders.headroom, bounds, progress).await;
    tracing::debug!(database = database.name, changed = changed.len(), connections = sessions.len(), "observed");
    let (first, mut cases, mut behind) = (report.sequences.len(), Vec::new(), Vec::new());
    for (index, (sequence, seen)) in changed.iter().zip(&seen).enumerate() {
        let (mut finding, drift) = finding(sequence, seen.as_ref());
        if let Some((observation, max_id)) = drift {
            finding.cause = Some(memory.cause(sequence, &observation.position));
            cases.push(RepairTask::new(sequence, observation, max_id, orders.approves(sequence)));
            behind.push(first + index);
        }
        report.sequences.push(Arc::new(finding));
    }
    let repairs = repair(&mut sessions, cases, &orders.repair_context(settings, bounds), progress).await;
    for (index, repair) in behind.into_iter().zip(repairs) {
        // Nobody else has it yet, so nothing is copied.
        Arc::make_mut(&mut report.sequences[index]).repair = Some(repair);
    }
    for ((sequence, seen), finding) in changed.into_iter().zip(&seen).zip(&report.sequences[first..]) {
        let reads = seen.as_ref().and_then(|seen| seen.as_ref().ok()).map_or(0, |observation| observation.reads);
        memory.remember(sequence, finding, &counts, reads);
    }
    let lost = sessions.iter().find_map(BoundedConnection::lost).map(ToString::to_string);
    for session in sessions.into_iter().filter(|session| session.lost().is_none()) {
        session.close().await;
    }
    memory.finish_pass(counts.catalog, found);
    lost.map_or(Ok(()), Err)
}

/// What there is, from memory when the catalog has not changed; and what the server had counted before any look.
async fn load_catalog(
    session: &mut BoundedConnection,
    database: &Database,
    settings: &Sequences,
    memory: &mut SequencePassState,
    bounds: Timeouts,
) -> Result<(Catalog, StatsSnapshot), String> {
    if !memory.is_lasting() {
        return Ok((discover_catalog(session, database, settings, bounds).await?, StatsSnapshot::default()));
    }
    let counting = |failure| format!("reading the server's statistics failed: {failure}");
    let known = memory.discovered().map_or(&[][..], |known| &known.sequences);
    let counts = read_stats(session, known, bounds).await.map_err(counting)?;
    memory.start_pass(&counts, settings.full_pass_every, session.server().read_only.is_some());
    if let Some(found) = memory.take_discovered(&counts) {
        return Ok((found, counts));
    }
    let found = discover_catalog(session, database, settings, bounds).await?;
    memory.drop_changed(&found);
    let mut now = read_stats(session, &found.sequences, bounds).await.map_err(counting)?;
    // A change of the catalog between the two counts is found the next time.
    now.catalog = counts.catalog;
    Ok((found, now))
}

async fn discover_catalog(
    session: &mut BoundedConnection,
    database: &Database,
    settings: &Sequences,
    bounds: Timeouts,
) -> Result<Catalog, String> {
    let found = discover(session, &database.name, settings, bounds).await;
    let found = found.map_err(|failure| format!("reading the catalog failed: {failure}"))?;
    // The catalog's entries of all of them have stayed in the server process.
    session.reserve_relations(found.sequences.len() as u64, batch::MAX_CACHED_RELATIONS, bounds).await;
    tracing::debug!(database = database.name, sequences = found.sequences.len(), "discovered");
    Ok(found)
}
