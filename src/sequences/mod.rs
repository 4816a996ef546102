//! First line of defence: every sequence is compared with the ids it feeds, and mended.
//!
//! A pass is: [`discover`] (one catalog query), [`observe`] (bounded batches), judge (pure), repair, report. It takes
//! no decision about when to run or what its report means: `once` and the agent do.

mod batch;
mod catalog;
mod default_expression;
mod finding;
mod members;
mod memory;
mod moves;
mod observe;
mod plan;
mod probe;
mod repair;
mod verdict;

use crate::config::{Database, Sequences, TableName};
use crate::db::{Bounds, Session};
use crate::report::{DatabaseReport, Progress};
use catalog::{Sequence, discover};
use finding::{finding, not_there};
pub use memory::Memory;
use observe::observe;
use plan::Policy;
use repair::{Terms, repair};
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// What a run asks of its passes.
#[derive(Debug, Clone, Default)]
pub struct Orders {
    /// Look only.
    pub dry_run: bool,
    /// Sequences, by their reported names, whose held leap is let through this once.
    pub approved: Vec<String>,
    /// Cancelled when the pass is to end at once, with nothing left running.
    pub stop: CancellationToken,
}

impl Orders {
    /// However the name was spelled: as reported, or any way SQL would read the same.
    fn approve(&self, sequence: &Sequence) -> bool {
        let (schema, name) = &sequence.raw_name;
        self.approved.iter().any(|approved| {
            *approved == sequence.name
                || approved.parse::<TableName>().is_ok_and(|parsed| parsed.schema == *schema && parsed.name == *name)
        })
    }
}

/// Transactions from which a second connection pays for its own opening.
const WORTH_A_SECOND: u64 = 4;

/// One pass over one database. What went wrong is in the report: a pass always has one. `memory` is what the pass
/// before left, and is left for the next.
pub async fn pass(
    database: &Database,
    settings: &Sequences,
    orders: &Orders,
    memory: &mut Memory,
    progress: &Progress,
) -> DatabaseReport {
    let started = Instant::now();
    let mut report = DatabaseReport { name: database.name.clone(), ..DatabaseReport::default() };
    if let Err(error) = look_and_mend(database, settings, orders, memory, progress, &mut report).await {
        report.error = Some(error);
    }
    report.duration_seconds = started.elapsed().as_secs_f64();
    report
}

async fn look_and_mend(
    database: &Database,
    settings: &Sequences,
    orders: &Orders,
    memory: &mut Memory,
    progress: &Progress,
    report: &mut DatabaseReport,
) -> Result<(), String> {
    let bounds = Bounds { lock: settings.lock_timeout, statement: settings.statement_timeout };
    let options = database.connect_options().map_err(|error| error.to_string())?;
    let mut session = Session::connect(&options, bounds, &orders.stop).await.map_err(|error| error.to_string())?;
    report.server_version = Some(session.server().version.clone());
    let found = discover(&mut session, &database.name, settings, bounds)
        .await
        .map_err(|failure| format!("reading the catalog failed: {failure}"))?;
    tracing::debug!(database = database.name, sequences = found.sequences.len(), "discovered");
    report.sequences.extend(found.missing.iter().map(|feed| not_there(feed, &database.name)));

    let sequences: Vec<&Sequence> = found.sequences.iter().collect();
    let mut sessions = vec![session];
    if batch::transactions(&sequences) >= WORTH_A_SECOND {
        // One more makes it quicker; without it the first does all.
        match Session::connect(&options, bounds, &orders.stop).await {
            Ok(second) => sessions.push(second),
            Err(error) => tracing::debug!(database = database.name, %error, "no second connection"),
        }
    }
    let seen = observe(&mut sessions, &sequences, bounds, progress).await;
    tracing::debug!(database = database.name, connections = sessions.len(), "observed");
    for (sequence, seen) in sequences.iter().zip(&seen) {
        let (mut finding, behind) = finding(sequence, seen.as_ref());
        if let (Some((observation, frontier)), [session, ..]) = (behind, sessions.as_mut_slice()) {
            let terms = terms(sequence, settings, orders, bounds);
            finding.cause = Some(memory.cause(sequence, &observation.position));
            finding.repair = Some(repair(session, sequence, observation, frontier, &terms).await);
        }
        memory.note(sequence.oid, &finding);
        report.sequences.push(finding);
    }
    let lost = sessions.iter().find_map(Session::lost).map(ToString::to_string);
    for session in sessions.into_iter().filter(|session| session.lost().is_none()) {
        session.close().await;
    }
    lost.map_or(Ok(()), Err)
}

fn terms(sequence: &Sequence, settings: &Sequences, orders: &Orders, bounds: Bounds) -> Terms {
    let policy = Policy {
        headroom: settings.headroom,
        advance_limit: settings.advance_limit,
        max_leap_ratio: settings.max_leap_ratio,
    };
    let look_only = match (orders.dry_run, settings.repair) {
        (true, _) => Some("dry run"),
        (false, false) => Some("sequences.repair is false"),
        (false, true) => None,
    };
    Terms { policy, bounds, look_only, approved: orders.approve(sequence) }
}
