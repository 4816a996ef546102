//! The gauges of one run, for the textfile collector of node_exporter.

use super::Metrics;
use super::exposition::FamilyText;
use crate::report::{ExitCode, Report};
use crate::state::AgentState;
use prometheus::proto::MetricType;
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
/// When a family has no name: never, or at every run.
pub fn textfile(report: &Report) -> Result<String, prometheus::Error> {
    let state = Arc::new(AgentState::new(report.dry_run));
    for database in &report.databases {
        let name = &database.name;
        state.update(name, |state| state.discovered = name.server().map(|_| name.clone()));
        match &database.error {
            None => drop(state.record_pass(name, Arc::new(database.clone()))),
            Some(_) => state.update(name, |state| state.up = Some(database.server_version.is_some())),
        }
        if !database.sessions.is_empty() {
            state.record_sweep(name, database.sessions.clone());
        }
    }
    let mut code = FamilyText::new(
        "pgmedic_once_exit_code",
        "The exit code of the last run of pgmedic --once.",
        MetricType::GAUGE,
    );
    code.add(&[], f64::from(ExitCode::of(report) as u8));
    Ok(Metrics::new(&state)?.scrape().text_of_gauges(&KEPT)? + &code.into_text()?)
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
