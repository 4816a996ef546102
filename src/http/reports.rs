//! `/api/v1/reports`: the state and the last report of each database as JSON.

use super::response_limit::ResponseLimiter;
use crate::report::DatabaseReport;
use crate::state::{AgentState, DatabaseState};
use axum::body::Bytes;
use serde::Serialize;

/// Responses in memory at once, some megabytes each with ten thousand sequences.
const MAX_RESPONSES: usize = 4;

/// Renders the reports, a few responses at a time.
#[derive(Debug, Clone)]
pub struct Reports {
    limiter: ResponseLimiter,
}

#[derive(Serialize)]
struct ReportsPage<'a> {
    schema: u32,
    version: &'static str,
    databases: Vec<DatabaseEntry<'a>>,
}

#[derive(Serialize)]
struct DatabaseEntry<'a> {
    name: &'a str,
    up: Option<bool>,
    leader: bool,
    last_success_timestamp_seconds: Option<f64>,
    pass_interval_seconds: f64,
    report: Option<DatabaseReport>,
}

impl Default for Reports {
    fn default() -> Self {
        Self { limiter: ResponseLimiter::new(MAX_RESPONSES) }
    }
}

impl Reports {
    /// Each report is as in `--once --format json`.
    ///
    /// # Errors
    ///
    /// When something in a report is no JSON: never.
    pub async fn render(&self, state: &AgentState) -> serde_json::Result<Bytes> {
        let permit = self.limiter.acquire().await;
        let databases = state.databases();
        let entries = databases.iter().map(|(name, database)| DatabaseEntry {
            name,
            up: database.up,
            leader: database.leader,
            last_success_timestamp_seconds: database.last_success,
            pass_interval_seconds: database.interval,
            report: report(database),
        });
        let page = ReportsPage { schema: 2, version: env!("CARGO_PKG_VERSION"), databases: entries.collect() };
        Ok(permit.attach(serde_json::to_vec(&page)?))
    }
}

/// The last report, with the last sweep of each store added, as `--once` reports both.
fn report(database: &DatabaseState) -> Option<DatabaseReport> {
    let sequences = database.report.as_deref()?;
    Some(DatabaseReport { sessions: database.sweeps.stores.values().cloned().collect(), ..sequences.clone() })
}
