//! The pass: discover, observe, judge, repair, report.

use super::batch;
use super::blocks::look_for_blocks;
use super::catalog::Catalog;
use super::computed::look_at_computed;
use super::examine::{ExamineContext, GROUP, examine};
use super::findings::missing_sequence;
use super::load::load_catalog;
use super::pass_state::{RepairLogReading, SequencePassState};
use super::quiet::nothing_changed;
use super::repair_log::{RepairLogEntry, read_log, write_log};
use super::shared_columns::{SharedContext, look_at_shared, shared_columns};
use crate::config::{Database, Sequences};
use crate::db::BoundedConnection;
use crate::pass_options::PassOptions;
use crate::progress::Progress;
use crate::report::DatabaseReport;
use futures_util::FutureExt;
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::{Reason, ReasonKind, Timeouts};
use std::ops::RangeInclusive;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

/// From so many transactions on, a second connection saves more time than opening it takes.
const SECOND_CONNECTION_FROM: u64 = 4;
/// And for so many a third one, where the server is far away: most of the time is spent on waiting for it. For more the place
/// is needed to replace server processes that have read many relations.
const THIRD_CONNECTION_FOR: RangeInclusive<u64> = 16..=80;

/// One pass over one database. It always returns a report, and errors are in it. `state` is what the previous pass left,
/// and is updated for the next.
pub async fn pass(
    database: &Database,
    settings: &Sequences,
    options: &PassOptions,
    state: &mut SequencePassState,
    progress: &Progress,
) -> DatabaseReport {
    let started = Instant::now();
    let mut report = DatabaseReport { name: database.name.clone(), ..DatabaseReport::default() };
    // A server may send what makes the driver panic; the passes over other databases go on.
    let work = AssertUnwindSafe(run_pass(database, settings, options, state, progress, &mut report));
    report.error = match work.catch_unwind().await {
        Ok(result) => result.err(),
        Err(_) => {
            let text = "the pass panicked, most likely on what the server sent: please report this";
            Some(Reason::new(ReasonKind::Internal, text))
        }
    };
    report.duration_seconds = started.elapsed().as_secs_f64();
    report
}

async fn run_pass(
    database: &Database,
    settings: &Sequences,
    options: &PassOptions,
    state: &mut SequencePassState,
    progress: &Progress,
    report: &mut DatabaseReport,
) -> Result<(), Reason> {
    let counters = state.standing.counters.take();
    if let Some(counters) = &counters
        && nothing_changed(database, settings, options, counters, state, report)
    {
        return Ok(());
    }
    let (began, timeouts) = (Instant::now(), settings.bounds());
    let address = database.connect_options()?;
    let mut connection = BoundedConnection::connect(&address, timeouts, &options.cancel).await?;
    report.server_version = Some(connection.server().version.clone());
    let server = connection.server();
    state.standing.connected = (!server.is_audited).then(|| (began, server.version.clone()));
    let keep_bare = options.only.is_some();
    let (mut found, counters) = load_catalog(&mut connection, database, settings, state, counters, keep_bare).await?;
    if let Some(only) = &options.only {
        found.sequences.retain(|sequence| only.contains(&sequence.name_parts()));
        found.missing.clear();
        found.shared = shared_columns(&found.sequences);
    }
    if state.log() != RepairLogReading::Read {
        match (read_log(&mut connection, &found.sequences, timeouts).await, state.log()) {
            (Ok(log), _) => state.remember_log(&found.sequences, log),
            // What it told before still holds; the next pass tries again.
            (Err(error), RepairLogReading::Grown) => {
                tracing::warn!(database = database.name.as_str(), %error, "pgmedic.repair_log was not read again");
            }
            (Err(error), _) => return Err(Reason::from(error).while_doing("reading the repair log failed")),
        }
    }
    report.sequences.extend(found.missing.iter().map(|feed| Arc::new(missing_sequence(feed, &database.name))));

    match no_sequence(&found).filter(|_| options.only.is_none()) {
        // An agent would show the database as healthy.
        Some(reason) if state.is_lasting() && found.excluded > 0 => return Err(reason),
        reason => report.no_sequence = reason,
    }
    report.unlisted = found.unlisted;
    let mut changed: Vec<&Sequence> = Vec::new();
    for sequence in &found.sequences {
        match state.cached_finding(sequence, &counters) {
            Some(finding) => report.sequences.push(finding),
            None => changed.push(sequence),
        }
    }
    let mut connections = vec![connection];
    add_connections(&mut connections, batch::estimate_transactions(&changed), timeouts).await;
    let repair = options.repair_context(settings, timeouts);
    let context = ExamineContext { settings, options, repair: &repair, progress };
    let (first, mut reads) = (report.sequences.len(), Vec::with_capacity(changed.len()));
    for group in changed.chunks(GROUP) {
        // What is read on one connection alone is read on the first.
        if let Some(alive) = connections.iter().position(|connection| connection.lost().is_none()) {
            connections.swap(0, alive);
        }
        reads.extend(examine(&mut connections, group, &context, state, &mut report.sequences).await);
    }
    tracing::debug!(
        database = database.name.as_str(),
        changed = changed.len(),
        connections = connections.len(),
        "observed"
    );
    let now = Instant::now();
    let subject = |sequence| context.subject(sequence, state, now);
    let shared = SharedContext { sequences: &found.sequences, repair: &repair };
    look_at_shared(&mut connections, &found.shared, &mut report.sequences, shared, subject).await;
    look_for_blocks(&mut connections, &changed, &mut report.sequences[first..], timeouts).await;
    let computed_reads = look_at_computed(&mut connections, &changed, &mut report.sequences[first..], timeouts).await;
    if database.among_several {
        let with_reasons = report.sequences[first..].iter_mut().filter(|finding| finding.reasons().next().is_some());
        with_reasons.for_each(|finding| Arc::make_mut(finding).name_database(database.name.as_str()));
    }
    let reads = reads.into_iter().zip(computed_reads).map(|(reads, more)| reads + more);
    for ((sequence, reads), finding) in changed.into_iter().zip(reads).zip(&report.sequences[first..]) {
        state.remember(sequence, finding, &counters, (began, reads));
    }
    let repaired: Vec<RepairLogEntry> =
        report.sequences.iter().filter_map(|sequence| RepairLogEntry::of(sequence)).collect();
    if let (true, Some(connection)) = (state.writes_log(), connections.first_mut())
        && let Err(error) = write_log(connection, &repaired, timeouts).await
    {
        tracing::warn!(database = database.name.as_str(), %error, "the repairs are not in pgmedic.repair_log");
    }
    let lost = connections.iter().find_map(BoundedConnection::lost).map(Reason::from);
    for connection in connections.into_iter().filter(|connection| connection.lost().is_none()) {
        connection.close().await;
    }
    state.finish_pass(counters.catalog, found);
    lost.map_or(Ok(()), Err)
}

/// Opens more connections for so many transactions, as far as the budget has room for them now.
async fn add_connections(connections: &mut Vec<BoundedConnection>, transactions: u64, timeouts: Timeouts) {
    let is_far = connections[0].is_far();
    let wanted = if THIRD_CONNECTION_FOR.contains(&transactions) && is_far {
        3
    } else if transactions >= SECOND_CONNECTION_FROM {
        2
    } else {
        1
    };
    while connections.len() < wanted {
        // They only make it quicker.
        match connections[0].another(timeouts).await {
            Ok(Some(another)) => connections.push(another),
            Ok(None) => break,
            Err(error) => {
                tracing::debug!(%error, connections = connections.len(), "no further connection");
                break;
            }
        }
    }
}

/// That nothing was looked at, if so: a misspelled pattern or a wrong database must not be reported as healthy.
fn no_sequence(found: &Catalog) -> Option<Reason> {
    if !found.sequences.is_empty() || !found.missing.is_empty() {
        return None;
    }
    let text = match found.excluded {
        0 => "there is no sequence in it: is this the right database?".to_owned(),
        all => format!(
            "sequences.include and exclude leave nothing of {all} sequences to look at: is this the right database?"
        ),
    };
    Some(Reason::new(ReasonKind::NoSequence, text))
}
