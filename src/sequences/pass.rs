//! The pass: discover, observe, judge, repair, report.

use super::activity::{StatsSnapshot, read_stats};
use super::batch;
use super::blocks::look_for_blocks;
use super::catalog::{Catalog, discover};
use super::computed::look_at_computed;
use super::evidence::{Inquiry, new_drifts};
use super::findings::{Judged, finding, missing_sequence};
use super::invalidation::Invalidation;
use super::look::{Subject, look};
use super::memory::SequenceMemory;
use super::moves::{Headroom, next_move};
use super::observe::observe;
use super::pass_state::SequencePassState;
use super::references::add_reference_limits;
use super::repair::{RepairTask, Repaired, repair};
use super::repair_log::{RepairLogEntry, read_log, write_log};
use super::shared_columns::{SharedContext, look_at_shared, shared_columns};
use super::uncounted::look_at_uncounted;
use crate::config::{Database, Sequences};
use crate::db::BoundedConnection;
use crate::pass_options::PassOptions;
use crate::progress::Progress;
use crate::report::{DatabaseReport, Verdict};
use futures_util::FutureExt;
use pgmedic_core::sequence::ahead::Basis;
use pgmedic_core::sequence::judgement::{Memory, Settings, Wishes};
use pgmedic_core::sequence::model::{Limit, LimitedBy, Sequence};
use pgmedic_core::sequence::position::ColumnRange;
use pgmedic_core::{QueryError, Reason, ReasonKind, Timeouts};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

/// From so many transactions on, a second connection saves more time than opening it takes.
const SECOND_CONNECTION_FROM: u64 = 4;

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
    let (began, timeouts) = (Instant::now(), settings.bounds());
    let address = database.connect_options()?;
    let mut connection = BoundedConnection::connect(&address, timeouts, &options.cancel).await?;
    report.server_version = Some(connection.server().version.clone());
    let (mut found, counters) = load_catalog(&mut connection, database, settings, state, timeouts).await?;
    if let Some(only) = &options.only {
        found.sequences.retain(|sequence| only.contains(&sequence.name_parts));
        found.missing.clear();
        found.shared = shared_columns(&found.sequences);
    }
    if state.wants_log() {
        let remembered = read_log(&mut connection, &found.sequences, timeouts).await;
        let remembered =
            remembered.map_err(|error| Reason::from(error).while_doing("reading the repair log failed"))?;
        state.remember_log(&found.sequences, remembered);
    }
    report.sequences.extend(found.missing.iter().map(|feed| Arc::new(missing_sequence(feed, &database.name))));

    match no_sequence(&found).filter(|_| options.only.is_none()) {
        // An agent would show the database as healthy.
        Some(reason) if state.is_lasting() && found.excluded > 0 => return Err(reason),
        reason => report.no_sequence = reason,
    }
    let mut changed: Vec<&Sequence> = Vec::new();
    for sequence in &found.sequences {
        match state.cached_finding(sequence, &counters) {
            Some(finding) => report.sequences.push(finding),
            None => changed.push(sequence),
        }
    }
    let mut connections = vec![connection];
    if batch::estimate_transactions(&changed) >= SECOND_CONNECTION_FROM {
        // The second connection only makes it quicker.
        match connections[0].another(timeouts).await {
            Ok(second) => connections.extend(second),
            Err(error) => tracing::debug!(database = database.name.as_str(), %error, "no second connection"),
        }
    }
    let seen = observe(&mut connections, &changed, options.headroom, timeouts, progress).await;
    tracing::debug!(
        database = database.name.as_str(),
        changed = changed.len(),
        connections = connections.len(),
        "observed"
    );
    let reads: Vec<u32> = seen
        .iter()
        .map(|seen| seen.as_ref().and_then(|seen| seen.as_ref().ok()).map_or(0, |seen| seen.reads))
        .collect();
    let now = Instant::now();
    let subjects: Vec<Subject<'_>> = changed
        .iter()
        .zip(&seen)
        .map(|(sequence, seen)| {
            if let (Some(Ok(seen)), Some(memory)) = (seen, state.memory_mut(sequence)) {
                memory.observed(&seen.position, now);
            }
            subject(sequence, settings, options, state, now)
        })
        .collect();
    let looked = look(&mut connections, &subjects, seen, timeouts, progress).await;
    let context = options.repair_context(settings, timeouts);
    let (first, mut tasks, mut behind) = (report.sequences.len(), Vec::new(), Vec::new());
    for (index, (subject, looked)) in subjects.iter().zip(looked).enumerate() {
        let sequence = subject.sequence;
        let judged: Judged = looked.map(|looked| {
            looked.map(|looked| {
                let next = next_move(&looked, &subject.basis, headroom(sequence, settings, options));
                (looked, next)
            })
        });
        let mut finding = finding(sequence, &judged, settings);
        if let (Some(Ok((looked, _))), Some(pace)) = (&judged, subject.basis.wishes.pace) {
            finding.days_left = looked.seen.position.days_left(pace);
        }
        if let (Some(Ok((looked, _))), Verdict::Behind) = (judged, finding.verdict) {
            finding.cause = Some(state.cause(sequence, &looked.seen.position));
            let headroom = headroom(sequence, settings, options);
            tasks.push(RepairTask::new(*subject, looked, headroom, finding.observed_only));
            behind.push(index);
        }
        report.sequences.push(Arc::new(finding));
    }
    let (asked, drifted) = new_drifts(&changed, &mut report.sequences[first..], state);
    // Sessions go on, so they are asked before the repair; statistics stay, and the repair does not wait for them.
    let inquiry = Inquiry::begin(&mut connections[0], drifted, timeouts).await;
    let repairs = repair(&mut connections, tasks, &context, progress).await;
    for (index, repaired) in behind.into_iter().zip(repairs) {
        let Repaired { report: repair, position } = repaired;
        if let Some(memory) = state.memory_mut(changed[index]) {
            memory.repaired(&position, repair.next_value, repair.charged, repair.early);
        }
        // The Arc is still unique: make_mut does not clone.
        let finding = Arc::make_mut(&mut report.sequences[first + index]);
        finding.nearly_used_up |=
            !finding.observed_only && repair.used_ratio.is_some_and(|used| used >= settings.fail_used_ratio);
        finding.repair = Some(Box::new(repair));
    }
    for (index, evidence) in asked.into_iter().zip(inquiry.finish(&mut connections[0], timeouts).await) {
        Arc::make_mut(&mut report.sequences[first + index]).evidence = Some(Box::new(evidence));
    }
    let subject = |sequence| subject(sequence, settings, options, state, now);
    let shared = SharedContext { sequences: &found.sequences, repair: &context };
    look_at_shared(&mut connections, &found.shared, &mut report.sequences, shared, subject).await;
    look_for_blocks(&mut connections, &changed, &mut report.sequences[first..], timeouts).await;
    let more_reads = look_at_uncounted(&mut connections, &subjects, &mut report.sequences[first..], timeouts).await;
    let computed_reads = look_at_computed(&mut connections, &changed, &mut report.sequences[first..], timeouts).await;
    let reads = reads.into_iter().zip(more_reads).zip(computed_reads).map(|((reads, more), last)| reads + more + last);
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

/// The headroom of the run replaces the configured one.
fn headroom(sequence: &Sequence, settings: &Sequences, options: &PassOptions) -> Headroom {
    let (schema, name) = &sequence.name_parts;
    let of_rule = settings.rule(schema, name).and_then(|rule| rule.headroom);
    Headroom { configured: of_rule.unwrap_or(settings.headroom), of_run: options.headroom }
}

/// A sequence, and what its judgement goes by.
fn subject<'a>(
    sequence: &'a Sequence,
    settings: &Sequences,
    options: &PassOptions,
    state: &SequencePassState,
    now: Instant,
) -> Subject<'a> {
    let memory = state.memory(sequence);
    let basis = Basis {
        settings: Settings { advance_limit: settings.advance_limit, max_repair_ratio: settings.max_repair_ratio },
        memory: memory.map_or(Memory::RunOnly { charged: 0 }, SequenceMemory::memory),
        wishes: Wishes {
            approved: options.approves(sequence),
            session_store: options.feeds_store(sequence),
            pace: memory.and_then(|memory| memory.pace(now)),
        },
        known_next: state.known_next(sequence),
    };
    Subject { sequence, basis, seed: state.seed(sequence) }
}

/// The catalog, from `state` when it has not changed; and the server's counters as they were before any probe.
async fn load_catalog(
    connection: &mut BoundedConnection,
    database: &Database,
    settings: &Sequences,
    state: &mut SequencePassState,
    timeouts: Timeouts,
) -> Result<(Catalog, StatsSnapshot), Reason> {
    if !state.is_lasting() {
        state.reaches("", connection.server().is_replica);
        return Ok((discover_catalog(connection, database, settings, timeouts).await?, StatsSnapshot::default()));
    }
    let while_counting = |error| Reason::from(&error).while_doing("reading the server's statistics failed");
    let known = state.discovered().map_or(&[][..], |known| &known.sequences);
    let counters = match read_stats(connection, known, timeouts).await {
        // Without the statistics nothing can be left out: each pass is as the first.
        Err(QueryError::PermissionDenied(message)) => {
            tracing::debug!(database = database.name.as_str(), message, "the server's statistics cannot be read");
            state.invalidate(&Invalidation::All);
            state.reaches("", connection.server().is_replica);
            let found = discover_catalog(connection, database, settings, timeouts).await?;
            return Ok((found, StatsSnapshot::default()));
        }
        counters => counters.map_err(while_counting)?,
    };
    state.reaches(&counters.server, connection.server().is_replica);
    state.start_pass(&counters, settings.full_pass_every, connection.server().read_only.is_some());
    if let Some(found) = state.take_discovered(&counters) {
        return Ok((found, counters));
    }
    let found = discover_catalog(connection, database, settings, timeouts).await?;
    state.drop_changed(&found);
    let mut now = read_stats(connection, &found.sequences, timeouts).await.map_err(while_counting)?;
    // A change of the catalog between the two reads is found by the next pass.
    now.catalog = counters.catalog;
    Ok((found, now))
}

async fn discover_catalog(
    connection: &mut BoundedConnection,
    database: &Database,
    settings: &Sequences,
    timeouts: Timeouts,
) -> Result<Catalog, Reason> {
    let found = discover(connection, &database.name, settings, timeouts).await;
    let mut found = found.map_err(|error| Reason::from(error).while_doing("reading the catalog failed"))?;
    let limits = add_reference_limits(connection, &mut found.sequences, timeouts).await;
    limits.map_err(|error| Reason::from(error).while_doing("reading the foreign keys failed"))?;
    state_max_ids(&mut found.sequences, settings);
    // The server process has cached catalog entries of all of them.
    connection.reserve_relations(found.sequences.len() as u64, batch::MAX_CACHED_RELATIONS, timeouts).await;
    tracing::debug!(database = database.name.as_str(), sequences = found.sequences.len(), "discovered");
    Ok(found)
}

/// The limits that the configuration states.
fn state_max_ids(sequences: &mut [Sequence], settings: &Sequences) {
    for sequence in sequences {
        let (schema, name) = &sequence.name_parts;
        let Some(max_id) = settings.rule(schema, name).and_then(|rule| rule.max_id) else { continue };
        let range = if sequence.parameters.increment > 0 {
            ColumnRange { max: max_id, ..ColumnRange::INT8 }
        } else {
            ColumnRange { min: max_id, ..ColumnRange::INT8 }
        };
        sequence.limits.push(Limit { range, by: LimitedBy::StatedMaxId });
    }
}
