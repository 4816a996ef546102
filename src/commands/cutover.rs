//! `pgmedic cutover`: reads its arguments, runs it, and renders its report.

use crate::agent::StopSignals;
use crate::cli::{Cli, CutoverArguments, ListFormat};
use crate::clock;
use crate::config::{ConfigError, Environment, Log, Sequences};
use crate::cutover::{self, Before, CutoverReport, Request, SchemaMap, UnusableConnection};
use crate::logging::Logging;
use crate::once::with_progress_bar;
use crate::progress::Progress;
use crate::report::TableOptions;
use std::io;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

/// Why it has no report.
#[derive(Debug, thiserror::Error)]
pub enum CutoverError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Connection(#[from] UnusableConnection),
    #[error("the operating system gives no signal handler: {0}")]
    Signals(io::Error),
    #[error("the report could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Headroom of `--watch` where the command line does not say: half of nothing could not be kept.
const WATCH_HEADROOM: u32 = 1000;

/// The report as it is to be printed, and the exit code; none for a pair of databases that was refused.
pub(super) async fn cutover(
    cli: &Cli,
    arguments: &CutoverArguments,
) -> Result<(String, Option<ExitCode>), CutoverError> {
    let (file, environment) = (cli.config.as_deref(), Environment::from_process());
    let settings = Sequences::load(file, &environment, clock::now())?.for_all();
    Logging::install(&Log::load(file, &environment)?);
    let (from, of_old) = cutover::database("--from", &arguments.from)?;
    let (to, of_new) = cutover::database("--to", &arguments.to)?;
    of_old.iter().chain(&of_new).for_each(|warning| tracing::warn!("{warning}"));
    let request = Request {
        from,
        to,
        headroom: arguments.headroom.unwrap_or(if arguments.watch { WATCH_HEADROOM } else { 0 }),
        map: SchemaMap::new(arguments.map.clone()),
        confirmed: arguments.yes,
        settings,
    };
    let (progress, cancel) = (Progress::default(), CancellationToken::new());
    let report = if arguments.watch {
        watch(&request, &cancel, &progress).await?
    } else {
        let before = Before { direction_known: false, new_draws: false };
        with_progress_bar(cutover::carry_over(&request, before, &cancel, &progress), &progress).await
    };
    let text = match arguments.format {
        ListFormat::Table => cutover::render(&report, TableOptions::for_stdout(arguments.verbose)),
        ListFormat::Json => serde_json::to_string(&report)? + "\n",
    };
    Ok((text, report.verdict.exit_code().map(ExitCode::from)))
}

/// Watches until the first signal; a second one cancels what is in progress.
async fn watch(
    request: &Request,
    cancel: &CancellationToken,
    progress: &Progress,
) -> Result<CutoverReport, CutoverError> {
    let stop = CancellationToken::new();
    let mut signals = StopSignals::install().map_err(CutoverError::Signals)?;
    let mut work = std::pin::pin!(cutover::watch(request, &stop, cancel, progress));
    for token in [&stop, cancel] {
        tokio::select! {
            report = &mut work => return Ok(report),
            _ = signals.next() => token.cancel(),
        }
    }
    Ok(work.await)
}
