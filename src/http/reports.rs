//! `/api/v1/reports`: the state and the last report of each database as JSON.

use super::response_limit::ResponseLimiter;
use crate::build_info;
use crate::report::{DatabaseLabel, DatabaseReport, SCHEMA};
use crate::state::{AgentState, DatabaseState};
use axum::body::{Body, Bytes};
use futures_util::stream;
use serde::Serialize;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use tokio::sync::mpsc::{self, Sender};
use tokio::task::spawn_blocking;

/// Responses at once; each has a thread while its client reads it.
const MAX_RESPONSES: usize = 4;
/// Bytes that are rendered ahead of the client, twice.
const CHUNK: usize = 64 * 1024;

/// Renders the reports, a few responses at a time, and each piece by piece: the whole text is never in memory.
#[derive(Debug, Clone)]
pub struct Reports {
    limiter: ResponseLimiter,
}

#[derive(Serialize)]
struct ReportsPage {
    schema: u32,
    version: &'static str,
    databases: Vec<DatabaseEntry>,
}

#[derive(Serialize)]
struct DatabaseEntry {
    #[serde(flatten)]
    name: DatabaseLabel,
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
    pub async fn stream(&self, state: Arc<AgentState>) -> Body {
        let permit = self.limiter.acquire().await;
        let (sender, receiver) = mpsc::channel::<Bytes>(1);
        spawn_blocking(move || {
            let _permit = permit;
            let mut out = BufWriter::with_capacity(CHUNK, ChunkWriter(sender));
            // Fails only when the client has gone.
            let _ = write(&state, &mut out).and_then(|()| out.flush());
        });
        Body::from_stream(stream::unfold(receiver, async |mut receiver| {
            let chunk = receiver.recv().await?;
            Some((Ok::<_, io::Error>(chunk), receiver))
        }))
    }
}

/// Hands each chunk to the response, and waits while the client has not taken the last one.
struct ChunkWriter(Sender<Bytes>);

impl Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Bytes::copy_from_slice(bytes));
        sent.map(|()| bytes.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write(state: &AgentState, out: &mut impl Write) -> io::Result<()> {
    let databases = state.databases();
    let entries = databases.iter().map(|(name, database)| DatabaseEntry {
        name: database.discovered.clone().unwrap_or_else(|| name.as_str().into()),
        up: database.up,
        leader: database.leader,
        last_success_timestamp_seconds: database.last_success,
        pass_interval_seconds: database.interval,
        report: report(database),
    });
    let page = ReportsPage { schema: SCHEMA, version: build_info::VERSION, databases: entries.collect() };
    Ok(serde_json::to_writer(out, &page)?)
}

/// The last report, with the last sweep of each store added, as `--once` reports both.
fn report(database: &DatabaseState) -> Option<DatabaseReport> {
    let sequences = database.report.as_deref()?;
    Some(DatabaseReport { sessions: database.sweeps.stores.values().cloned().collect(), ..sequences.clone() })
}
