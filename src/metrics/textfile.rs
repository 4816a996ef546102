//! The gauges of one run, for the textfile collector of node_exporter.

use super::Metrics;
use crate::report::{ExitCode, Report};
use crate::state::AgentState;
use prometheus::proto::MetricFamily;
use prometheus::{IntGauge, TextEncoder};
use std::collections::HashSet;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

/// What one run knows. Counters would start anew with each run, and a run neither leads nor is reloaded.
const KEPT: [&str; 14] = [
    "pgmedic_build_info",
    "pgmedic_dry_run",
    "pgmedic_database_up",
    "pgmedic_pass_last_success_timestamp_seconds",
    "pgmedic_sequences",
    "pgmedic_sequences_held",
    "pgmedic_sequence_lag_values",
    "pgmedic_sequence_used_ratio",
    "pgmedic_sequence_lag_values_max",
    "pgmedic_sequence_used_ratio_max",
    "pgmedic_detail_series_dropped",
    "pgmedic_sessions_held",
    "pgmedic_sessions_stale",
    "pgmedic_sessions_live",
];

/// The text of the file: the agent's gauges, under the same names, and the run's exit code.
///
/// # Errors
///
/// When a metric is named twice or wrongly: never, or at every run.
pub fn textfile(report: &Report) -> Result<String, prometheus::Error> {
    let state = Arc::new(AgentState::new(report.dry_run));
    let metrics = Metrics::new(&state)?;
    for database in &report.databases {
        metrics.init_database(&database.name);
        match &database.error {
            None => state.record_pass(&database.name, Arc::new(database.clone())),
            Some(_) => state.update(&database.name, |state| state.up = Some(database.server_version.is_some())),
        }
        if !database.sessions.is_empty() {
            state.record_sweep(&database.name, database.sessions.clone());
        }
    }
    let code = IntGauge::new("pgmedic_once_exit_code", "The exit code of the last run of pgmedic --once.")?;
    code.set(i64::from(ExitCode::of(report) as u8));
    let kept: HashSet<&str> = KEPT.into();
    let mut families: Vec<MetricFamily> = metrics.gather();
    families.retain(|family| kept.contains(family.name()));
    families.extend(prometheus::core::Collector::collect(&code));
    TextEncoder::new().encode_to_string(&families)
}

/// Replaces the file at once: the collector may read at any time, as another user.
///
/// # Errors
///
/// When the folder cannot be written to.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_string_lossy();
    // The collector reads files that end in .prom only.
    let new = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = std::fs::File::create(&new).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, path)
    });
    if written.is_err() {
        // What was not renamed is of no use.
        let _ = std::fs::remove_file(&new);
    }
    written
}
