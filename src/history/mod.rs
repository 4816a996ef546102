//! `pgmedic history`: what happened to sequences, from `pgmedic.repair_log`.
//!
//! | file | does |
//! |---|---|
//! | `mod.rs` | asks each database |
//! | `filter.rs` | which sequences are meant |
//! | `read.rs`, `entries.sql` | checks the log and reads its newest entries |
//! | `report.rs`, `table.rs` | the entries, as JSON and as text |

mod filter;
mod read;
mod report;
mod table;

pub use filter::{SequenceFilter, UnusableName};
pub use report::{DatabaseHistory, HistoryReport};
pub use table::render;

use crate::config::{ConfigError, Settings};
use crate::servers::discover;

/// The newest entries of each database, at most `limit` of each.
///
/// # Errors
///
/// When the databases of a server show that the configuration is wrong.
pub async fn history(settings: &Settings, filter: &SequenceFilter, limit: u32) -> Result<HistoryReport, ConfigError> {
    let discovered = discover(settings).await?;
    let mut databases = Vec::new();
    for database in &discovered.databases {
        let read = read::read(database, settings.sequences.bounds(), filter, limit).await;
        let name = database.name.clone();
        databases.push(match read {
            Ok((entries, more)) => DatabaseHistory { name, error: None, entries, more },
            Err(reason) => DatabaseHistory { name, error: Some(reason), entries: Vec::new(), more: false },
        });
    }
    let failed = discovered.unreadable.into_iter().chain(discovered.failed);
    databases.extend(failed.map(|(database, reason)| DatabaseHistory {
        name: database.name,
        error: Some(reason),
        entries: Vec::new(),
        more: false,
    }));
    Ok(HistoryReport::new(databases))
}
