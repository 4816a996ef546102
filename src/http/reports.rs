//! The last report of each database as JSON, with what is known besides.

use super::response_limit::ResponseLimiter;
use crate::report::DatabaseReport;
use crate::state::{AgentState, DatabaseState};
use axum::body::Bytes;
use serde::Serialize;

/// Answers that are in memory at once, some megabytes each with ten thousand sequences.
const ANSWERS: usize = 4;

/// Renders the reports, for few readers at a time.
#[derive(Debug, Clone)]
pub struct Reports {
    places: ResponseLimiter,
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
        Self { places: ResponseLimiter::new(ANSWERS) }
    }
}

impl Reports {
    /// As in `--once --format json`, a database each.
    ///
    /// # Errors
    ///
    /// When something in a report is no JSON: never.
    pub async fn render(&self, board: &AgentState) -> serde_json::Result<Bytes> {
        let place = self.places.acquire().await;
        let stations = board.databases();
        let databases = stations.iter().map(|(name, station)| DatabaseEntry {
            name,
            up: station.up,
            leader: station.leader,
            last_success_timestamp_seconds: station.last_success,
            pass_interval_seconds: station.interval,
            report: report(station),
        });
        let page = ReportsPage { schema: 2, version: env!("CARGO_PKG_VERSION"), databases: databases.collect() };
        Ok(place.attach(serde_json::to_vec(&page)?))
    }
}

/// The last pass's report, with the last sweep of each store, as a run of both would have them.
fn report(station: &DatabaseState) -> Option<DatabaseReport> {
    let sequences = station.report.as_deref()?;
    Some(DatabaseReport { sessions: station.sweeps.stores.values().cloned().collect(), ..sequences.clone() })
}
