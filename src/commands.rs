//! One function for each command. Only this file prints reports and chooses exit codes.

mod cutover;
mod history;
mod presets;
mod unmatched;

use crate::agent::{self, AgentError};
use crate::cli::{Cli, Command, Format, SqlCommand, completions, man_pages};
use crate::config::{ConfigError, Environment, Http, Settings};
#[cfg(feature = "demo")]
use crate::demo::{self, DemoError};
use crate::grants::{GrantsError, grants};
use crate::http::{HealthcheckError, healthcheck};
use crate::logging::Logging;
use crate::metrics;
use crate::once;
use crate::pass_options::PassOptions;
use crate::progress::Progress;
use crate::report::{ExitCode as Outcome, Report, TableOptions, render_nagios, render_nagios_error, render_table};
use clap_complete::Shell;
use cutover::{CutoverError, cutover};
use history::{HistoryError, print_history};
use pgmedic_login::sql_function::{self, FollowedColumns};
use std::io::{self, StdoutLock, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use unmatched::{unmatched_approvals, unmatched_rules};

/// Why a command failed, as opposed to a report that has bad news.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Agent(#[from] AgentError),
    #[cfg(feature = "demo")]
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error(transparent)]
    Grants(#[from] GrantsError),
    #[error(transparent)]
    Unhealthy(#[from] HealthcheckError),
    #[error(transparent)]
    Cutover(#[from] CutoverError),
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error("the output could not be written: {0}")]
    Output(#[from] io::Error),
    #[error("the metrics contradict each other: {0}")]
    Metrics(#[from] prometheus::Error),
    #[error("{}: {cause}", .path.display())]
    File { path: PathBuf, cause: io::Error },
}

/// The work could not be completed.
const NOT_COMPLETED: u8 = 1;
/// Bad usage or configuration.
const BAD_USAGE: u8 = 2;

impl RunError {
    /// The exit code of `pgmedic`.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Cutover(CutoverError::Config(_) | CutoverError::Connection(_)) => BAD_USAGE,
            Self::History(HistoryError::Name(_)) => BAD_USAGE,
            Self::Cutover(CutoverError::Signals(_) | CutoverError::Json(_)) | Self::History(HistoryError::Json(_)) => {
                NOT_COMPLETED
            }
            // The port is in use, or the system refuses signal handlers.
            Self::Agent(_) => NOT_COMPLETED,
            #[cfg(feature = "demo")]
            Self::Demo(_) => NOT_COMPLETED,
            Self::Grants(GrantsError::Config(_)) | Self::History(HistoryError::Config(_)) => BAD_USAGE,
            Self::Grants(_) => NOT_COMPLETED,
            // Also for a bad configuration: Docker reserves 2 for health checks.
            Self::Unhealthy(_) => NOT_COMPLETED,
            Self::Output(_) | Self::Metrics(_) | Self::File { .. } => NOT_COMPLETED,
        }
    }
}

/// Runs the command that `cli` names.
///
/// # Errors
///
/// When it could not be completed. A report with bad news is no error, but an exit code.
pub async fn run(cli: Cli) -> Result<ExitCode, RunError> {
    let nagios = cli.once && cli.format == Format::Nagios;
    match run_command(&cli).await {
        // A plugin answers in Nagios's terms in any case.
        Err(error) if nagios => print_nagios_error(&error.to_string()),
        result => result,
    }
}

/// For a run that cannot be made: UNKNOWN, on stdout.
///
/// # Errors
///
/// When it could not be printed.
pub fn print_nagios_error(error: &str) -> Result<ExitCode, RunError> {
    let (line, state) = render_nagios_error(error);
    print(&line)?;
    Ok(ExitCode::from(state.exit_code()))
}

async fn run_command(cli: &Cli) -> Result<ExitCode, RunError> {
    match &cli.command {
        #[cfg(feature = "demo")]
        Some(Command::Demo { serve }) => demo(*serve).await,
        Some(Command::Completions { shell }) => completion_script(*shell),
        Some(Command::Man { folder }) => man(folder.as_deref()),
        Some(Command::Presets { format }) => print(&presets::render_presets(*format)),
        Some(Command::Sql { script }) => sql(script),
        Some(Command::Healthcheck) => check_health(cli).await,
        Some(Command::Cutover(arguments)) => {
            let (text, code) = cutover(cli, arguments).await?;
            print(&text)?;
            Ok(code.unwrap_or(ExitCode::from(BAD_USAGE)))
        }
        Some(Command::History(arguments)) => {
            let settings = load_with_warnings(cli)?.select_databases(&arguments.database)?;
            let (text, complete) = print_history(&settings, arguments).await?;
            print(&text)?;
            Ok(if complete { ExitCode::SUCCESS } else { ExitCode::from(NOT_COMPLETED) })
        }
        Some(Command::CheckConfig) => check_config(cli),
        Some(Command::Grants { role, database }) => print_grants(cli, role.as_deref(), database).await,
        None if cli.once => run_once(cli).await,
        None => run_agent(cli).await,
    }
}

#[cfg(feature = "demo")]
async fn demo(serve: bool) -> Result<ExitCode, RunError> {
    Ok(if serve { demo::serve().await? } else { demo::run().await? })
}

fn completion_script(shell: Shell) -> Result<ExitCode, RunError> {
    print_with(|stdout| stdout.write_all(&completions(shell)))
}

/// Prints the page of pgmedic, or writes every page into the folder.
fn man(folder: Option<&Path>) -> Result<ExitCode, RunError> {
    let pages = man_pages()?;
    let Some(folder) = folder else {
        return print_with(|stdout| pages.first().map_or(Ok(()), |page| stdout.write_all(&page.text)));
    };
    for page in pages {
        let path = folder.join(&page.file);
        std::fs::write(&path, &page.text).map_err(|cause| RunError::File { path, cause })?;
    }
    Ok(ExitCode::SUCCESS)
}

fn sql(script: &SqlCommand) -> Result<ExitCode, RunError> {
    let text = match script {
        SqlCommand::Install { owner, grant, agent } => sql_function::install(owner.as_deref(), grant, agent.as_deref()),
        SqlCommand::Uninstall => sql_function::uninstall(),
        SqlCommand::Follow { columns, all, always, max_id, remove } => {
            let columns = if *all { FollowedColumns::All } else { FollowedColumns::Named(columns) };
            if *remove { sql_function::unfollow(columns) } else { sql_function::follow(columns, *always, *max_id) }
        }
    };
    print(&text)
}

async fn check_health(cli: &Cli) -> Result<ExitCode, RunError> {
    let http = Http::load(cli.config.as_deref(), &Environment::from_process());
    healthcheck(http.map_err(HealthcheckError::from)?).await?;
    Ok(ExitCode::SUCCESS)
}

fn check_config(cli: &Cli) -> Result<ExitCode, RunError> {
    print(&load_with_warnings(cli)?.redacted_toml())
}

async fn print_grants(cli: &Cli, role: Option<&str>, databases: &[String]) -> Result<ExitCode, RunError> {
    let settings = load_with_warnings(cli)?.select_databases(databases)?;
    print(&grants(&settings, role).await?)
}

async fn run_agent(cli: &Cli) -> Result<ExitCode, RunError> {
    let settings = load(cli)?;
    let logging = Logging::install(&settings.log);
    log_warnings(&settings);
    let reload = || load(cli).inspect(log_warnings);
    agent::run(settings, cli.dry_run, &logging, reload, |_| {}).await?;
    Ok(ExitCode::SUCCESS)
}

async fn run_once(cli: &Cli) -> Result<ExitCode, RunError> {
    let settings = load(cli)?;
    settings.check_approvals(&cli.approve, &cli.database)?;
    Logging::install(&settings.log);
    log_warnings(&settings);
    let options = PassOptions {
        dry_run: cli.dry_run,
        headroom: cli.headroom,
        approvals: cli.approve.clone(),
        ..PassOptions::default()
    };
    let progress = Progress::default();
    let report = once::with_progress_bar(once::run(&settings, &options, &progress), &progress).await?;
    for name in unmatched_approvals(&cli.approve, &report) {
        tracing::warn!(
            "--approve {name}: no sequence of this name was behind, and no session store of this name was held; names \
             are as in the report"
        );
    }
    if let Some(path) = &cli.textfile {
        let text = metrics::textfile(&report)?;
        let failed = |cause| RunError::File { path: path.clone(), cause };
        metrics::replace_textfile(path, &text).map_err(failed)?;
    }
    for rule in unmatched_rules(&settings, &report) {
        tracing::warn!("{}", rule.unused());
    }
    print_with(|stdout| write_report(stdout, &report, cli))?;
    Ok(match cli.format {
        Format::Nagios => render_nagios(&report).1.exit_code().into(),
        Format::Table | Format::Json => Outcome::of(&report).into(),
    })
}

fn load(cli: &Cli) -> Result<Settings, ConfigError> {
    Settings::load(cli.config.as_deref(), &Environment::from_process())?.select_databases(&cli.database)
}

/// For commands without a log.
fn load_with_warnings(cli: &Cli) -> Result<Settings, ConfigError> {
    let settings = load(cli)?;
    settings.warnings.iter().for_each(|warning| eprintln!("pgmedic: {warning}"));
    Ok(settings)
}

fn log_warnings(settings: &Settings) {
    settings.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
}

fn print(text: &str) -> Result<ExitCode, RunError> {
    print_with(|stdout| stdout.write_all(text.as_bytes()))
}

/// Prints to standard output. A broken pipe, as of `| head`, is not an error.
fn print_with(write: impl FnOnce(&mut StdoutLock<'_>) -> io::Result<()>) -> Result<ExitCode, RunError> {
    let mut stdout = io::stdout().lock();
    match write(&mut stdout).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn write_report(stdout: &mut StdoutLock<'_>, report: &Report, cli: &Cli) -> io::Result<()> {
    match cli.format {
        Format::Table => stdout.write_all(render_table(report, TableOptions::for_stdout(cli.verbose)).as_bytes()),
        Format::Json => {
            serde_json::to_writer(&mut *stdout, report)?;
            writeln!(stdout)
        }
        Format::Nagios => stdout.write_all(render_nagios(report).0.as_bytes()),
    }
}
