//! The one-shot run: the passes that the agent makes, once for each database, then a report.

use crate::config::{ConfigError, Database, SessionStoreConfig, Settings};
use crate::progress::Progress;
use crate::report::{DatabaseReport, Report};
use crate::sequences::{PassOptions, SequencePassState, pass};
use crate::servers::{Discovered, discover};
use crate::sessions;
use futures_util::StreamExt;
use futures_util::stream;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

/// Databases at the same time, so that one that does not respond delays few.
const MAX_CONCURRENT_DATABASES: usize = 4;

/// A shorter run shows no progress bar.
const SHOW_PROGRESS_AFTER: Duration = Duration::from_millis(700);

/// Makes a pass over each database, with these options. The report has them in the configured order, and those of servers by
/// name after them.
///
/// # Errors
///
/// When the databases of a server show that the configuration is wrong.
pub async fn run(settings: &Settings, options: &PassOptions, progress: &Progress) -> Result<Report, ConfigError> {
    let Discovered { databases, unreadable, failed } = discover(settings).await?;
    let passes = databases.iter().map(async |database| pass_database(database, settings, options, progress).await);
    let mut reports: Vec<DatabaseReport> = stream::iter(passes).buffered(MAX_CONCURRENT_DATABASES).collect().await;
    allow_databases_without_sequences(&mut reports);
    reports.extend(unreadable.into_iter().chain(failed).map(|(database, reason)| DatabaseReport {
        name: database.name,
        error: Some(reason),
        ..DatabaseReport::default()
    }));
    Ok(Report::new(options.dry_run, reports))
}

/// A server has databases without a sequence, such as `postgres`: they are no sign of a mistake unless all of its are so.
fn allow_databases_without_sequences(reports: &mut [DatabaseReport]) {
    let has_any = |report: &&DatabaseReport| !report.sequences.is_empty() || report.error.is_some();
    let servers: BTreeSet<String> =
        reports.iter().filter(has_any).filter_map(|report| report.name.server().map(str::to_owned)).collect();
    for report in reports {
        if report.name.server().is_some_and(|server| servers.contains(server)) {
            report.no_sequence = None;
        }
    }
}

/// The sequences, and then the session stores.
async fn pass_database(
    database: &Database,
    settings: &Settings,
    options: &PassOptions,
    progress: &Progress,
) -> DatabaseReport {
    let stores: Vec<&SessionStoreConfig> =
        SessionStoreConfig::for_database(&settings.sessions, &database.name).collect();
    let session_tables = stores.iter().map(|store| store.table.clone()).collect();
    let options = &PassOptions { session_tables, ..options.clone() };
    let mut report = pass(database, &settings.sequences, options, &mut SequencePassState::default(), progress).await;
    report.sessions = match (&report.server_version, &report.error) {
        // Unreachable: do not wait for a second timeout.
        (None, Some(error)) => sessions::unreachable_reports(&stores, error),
        _ => {
            let sequences = &settings.sequences;
            let bounds = sequences.bounds();
            sessions::pass(database, &stores, bounds, options, &mut sessions::SessionPassState::default()).await
        }
    };
    report
}

/// Awaits `work`, with a bar on stderr while it runs long and stderr is a terminal.
pub async fn with_progress_bar<T>(work: impl Future<Output = T>, progress: &Progress) -> T {
    let watch = async {
        tokio::time::sleep(SHOW_PROGRESS_AFTER).await;
        // Draws nothing where stderr is not a terminal.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} sequences, {eta} left") {
            bar.set_style(style);
        }
        let clear = ClearOnDrop(bar);
        loop {
            let (done, total) = progress.state();
            clear.0.set_length(total);
            clear.0.set_position(done);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        result = work => result,
        never = watch => never,
    }
}

/// Removes the bar when the work ends or is dropped.
struct ClearOnDrop(ProgressBar);

impl Drop for ClearOnDrop {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
