//! Keeps `pgmedic.repair_log` where `pgmedic sql install` has made it: our repairs are added, inline ones counted.

mod sync;

use crate::agent::repair_log::sync::{InlineRepairCounter, OUTCOMES, RepairLogEntry, RepairLogSync, sync_repair_log};
use crate::config::Database;
use crate::db::BoundedConnection;
use crate::metrics::Metrics;
use crate::report::{DatabaseReport, Outcome};
use pgmedic_core::Timeouts;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Looks without a reason are rare: each is a connection of its own.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// What is handed from turn to turn.
#[derive(Debug, Default)]
pub struct RepairLogWriter {
    tally: InlineRepairCounter,
    looked: Option<Instant>,
    /// What was said last of why it cannot be kept.
    told: Option<String>,
}

/// Where a scribe writes.
#[derive(Debug, Clone, Copy)]
pub struct RepairLogContext<'a> {
    pub database: &'a Database,
    pub bounds: Timeouts,
    pub look_only: bool,
    pub metrics: &'a Metrics,
    pub stop: &'a CancellationToken,
}

impl RepairLogWriter {
    /// After a pass: writes down what it repaired, and counts what was repaired inline. `woken` says that somebody
    /// asked for the pass, as an inline repair does.
    pub async fn sync_after_pass(&mut self, report: &DatabaseReport, woken: bool, desk: RepairLogContext<'_>) {
        let own: Vec<RepairLogEntry> = report
            .sequences
            .iter()
            .filter_map(|sequence| {
                let repair = sequence.repair.as_ref().filter(|repair| repair.outcome == Outcome::Repaired)?;
                Some(RepairLogEntry {
                    sequence: sequence.name.clone(),
                    from: sequence.next_value?,
                    to: repair.next_value?,
                })
            })
            .collect();
        let due = self.looked.is_none_or(|looked| looked.elapsed() >= LOOK_EVERY);
        if own.is_empty() && !woken && !due {
            return;
        }
        self.looked = Some(Instant::now());
        let name = &desk.database.name;
        let kept = self.sync(&own, desk).await;
        if desk.stop.is_cancelled() {
            return;
        }
        let problem = match kept {
            Ok(RepairLogSync::Missing) => None,
            Ok(RepairLogSync::Inline(counts)) => {
                for (outcome, count) in OUTCOMES.iter().zip(counts) {
                    desk.metrics.count_inline(name, outcome, count);
                }
                None
            }
            Ok(RepairLogSync::Unusable(why)) => Some(why),
            Err(failure) => Some(format!("pgmedic.repair_log could not be kept: {failure}")),
        };
        if let Some(problem) = &problem
            && self.told.as_ref() != Some(problem)
        {
            tracing::warn!(database = name, "{name}: {problem}");
        }
        self.told = problem;
    }

    async fn sync(&mut self, own: &[RepairLogEntry], desk: RepairLogContext<'_>) -> Result<RepairLogSync, String> {
        let options = desk.database.connect_options().map_err(|error| error.to_string())?;
        let mut session =
            BoundedConnection::connect(&options, desk.bounds, desk.stop).await.map_err(|error| error.to_string())?;
        let kept = sync_repair_log(&mut session, desk.bounds, own, desk.look_only, &mut self.tally).await;
        if session.lost().is_none() {
            session.close().await;
        }
        kept.map_err(|failure| failure.to_string())
    }
}
