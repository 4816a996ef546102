//! Keeps `pgmedic.repair_log`, where `pgmedic sql install` has created it: adds the agent's repairs, and counts those
//! that login paths made inline.
//!
//! | file | what is in it |
//! |---|---|
//! | `sync.rs` | the statements: check the table, count, remove old rows, insert |
//! | `earlier.rs` | what earlier runs repaired, for the page |
//! | `count.sql`, `remove_old.sql`, `earlier.sql` | those of them that are long |

mod earlier;
mod sync;

use crate::config::Database;
use crate::db::BoundedConnection;
use crate::report::DatabaseReport;
use crate::sequences::RepairLogEntry;
use crate::state::EarlierRepair;
use pgmedic_core::{Reason, Timeouts};
use std::time::{Duration, Instant};
use sync::{InlineRepairCounter, OUTCOMES, RepairLogSync, sync_repair_log};
use tokio_util::sync::CancellationToken;

/// How often the table is read without a reason: each time needs another connection.
const SYNC_EVERY: Duration = Duration::from_secs(60);

/// What the log newly tells.
#[derive(Debug, Default)]
pub struct LogNews {
    /// Inline repairs since the last time, by outcome.
    pub inline: Vec<(&'static str, u64)>,
    /// What agents repaired in the last 24 hours, the newest first; none but when the log is read for the first time.
    pub earlier: Option<Vec<EarlierRepair>>,
}

/// What is kept from one cycle to the next.
#[derive(Debug, Default)]
pub struct RepairLogWriter {
    counter: InlineRepairCounter,
    last_sync: Option<Instant>,
    /// Repairs of passes that could not be completed: written with those of the next one.
    unwritten: Vec<RepairLogEntry>,
}

/// Where the table is, and how it may be used.
#[derive(Debug, Clone, Copy)]
pub struct RepairLogContext<'a> {
    pub database: &'a Database,
    pub timeouts: Timeouts,
    pub read_only: bool,
    pub stop: &'a CancellationToken,
}

impl RepairLogWriter {
    /// After a pass: writes what it repaired, and counts inline repairs since the last time. `notified` says that a
    /// notification started the pass, as an inline repair sends one. Returns what the log tells, or
    /// why the table cannot be used; none when it was not read.
    pub async fn sync_after_pass(
        &mut self,
        report: &DatabaseReport,
        notified: bool,
        context: RepairLogContext<'_>,
    ) -> Option<Result<LogNews, Reason>> {
        self.keep(report);
        let due = self.last_sync.is_none_or(|last| last.elapsed() >= SYNC_EVERY);
        if self.unwritten.is_empty() && !notified && !due {
            return None;
        }
        let own = std::mem::take(&mut self.unwritten);
        let is_first = self.last_sync.is_none();
        self.last_sync = Some(Instant::now());
        let result = self.sync(&own, is_first, context).await;
        if context.stop.is_cancelled() {
            return None;
        }
        Some(match result {
            Ok(RepairLogSync::Missing) => Ok(LogNews { inline: Vec::new(), earlier: is_first.then(Vec::new) }),
            Ok(RepairLogSync::Read { inline, earlier }) => {
                Ok(LogNews { inline: OUTCOMES.into_iter().zip(inline).collect(), earlier })
            }
            Ok(RepairLogSync::Unusable(reason)) => Err(reason),
            Err(reason) => Err(reason.while_doing("pgmedic.repair_log could not be written")),
        })
    }

    /// Keeps what a pass repaired until it can be written.
    pub fn keep(&mut self, report: &DatabaseReport) {
        self.unwritten.extend(report.sequences.iter().filter_map(|sequence| RepairLogEntry::of(sequence)));
    }

    async fn sync(
        &mut self,
        own: &[RepairLogEntry],
        is_first: bool,
        context: RepairLogContext<'_>,
    ) -> Result<RepairLogSync, Reason> {
        let options = context.database.connect_options()?;
        let connected = BoundedConnection::connect(&options, context.timeouts, context.stop).await;
        let mut connection = connected?;
        let result =
            sync_repair_log(&mut connection, context.timeouts, own, context.read_only, is_first, &mut self.counter)
                .await;
        if connection.lost().is_none() {
            connection.close().await;
        }
        result.map_err(Reason::from)
    }
}
