//! The last report of each database as JSON, with what is known besides.

use crate::metrics::Board;
use crate::report::DatabaseReport;
use axum::body::Bytes;
use serde::Serialize;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Answers that are in memory at once, some megabytes each with ten thousand sequences. Who asks for another waits
/// until one has been read, or its reader is given up.
const ANSWERS: usize = 4;

/// Renders the reports, for few readers at a time.
#[derive(Debug, Clone)]
pub struct Reports {
    places: Arc<Semaphore>,
}

#[derive(Serialize)]
struct Page<'a> {
    schema: u32,
    version: &'static str,
    databases: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    up: Option<bool>,
    leader: bool,
    last_success_timestamp_seconds: Option<f64>,
    pass_interval_seconds: f64,
    report: Option<&'a DatabaseReport>,
}

/// An answer, and the place that it holds until it is sent or given up.
struct Held {
    text: Vec<u8>,
    _place: Option<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

impl Default for Reports {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(ANSWERS)) }
    }
}

impl Reports {
    /// As in `--once --format json`, a database each.
    ///
    /// # Errors
    ///
    /// When something in a report is no JSON: never.
    pub async fn render(&self, board: &Board) -> serde_json::Result<Bytes> {
        // Nobody closes it.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let stations = board.stations();
        let databases = stations.iter().map(|(name, station)| Entry {
            name,
            up: station.up,
            leader: station.leader,
            last_success_timestamp_seconds: station.last_success,
            pass_interval_seconds: station.interval,
            report: station.report.as_deref(),
        });
        let page = Page { schema: 1, version: env!("CARGO_PKG_VERSION"), databases: databases.collect() };
        Ok(Bytes::from_owner(Held { text: serde_json::to_vec(&page)?, _place: place }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn an_answer_holds_its_place_until_it_is_let_go() {
        let (reports, board) = (Reports::default(), Board::default());
        let mut held = Vec::new();
        for _ in 0..ANSWERS {
            held.push(reports.render(&board).await.unwrap());
        }
        // A part of an answer is memory too.
        held[0] = held[0].slice(1..);
        assert!(reports.render(&board).now_or_never().is_none());
        held.remove(0);
        assert_eq!(reports.render(&board).await.unwrap(), held[0]);
    }
}
