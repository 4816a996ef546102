//! What the command line asks for, done: the only place that prints reports and chooses exit codes.

use crate::agent::{self, AgentError};
use crate::cli::{Cli, Command, Format, SqlCommand, completions};
use crate::config::{ConfigError, Environment, Http, Preset, Settings};
#[cfg(feature = "demo")]
use crate::demo;
use crate::grants::{GrantsError, grants};
use crate::http::{HealthcheckError, healthcheck};
use crate::logging::Logging;
use crate::once;
use crate::progress::Progress;
use crate::report::{ExitCode as Outcome, Report, render_table};
use crate::sequences::PassOptions;
use pgmedic_login::sql_function;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;

/// Why there is nothing to report.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Agent(#[from] AgentError),
    #[cfg(feature = "demo")]
    #[error(transparent)]
    Demo(#[from] demo::DemoError),
    #[error(transparent)]
    Grants(#[from] GrantsError),
    #[error(transparent)]
    Unwell(#[from] HealthcheckError),
    #[error("the report could not be written: {0}")]
    Output(#[from] io::Error),
}

impl RunError {
    /// 2: bad usage or configuration; 1: the work could not be completed.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) => 2,
            _ => 1,
        }
    }
}

/// Does what `cli` asks for.
///
/// # Errors
///
/// When it could not be done, as opposed to done with a report that bears bad news.
pub async fn run(cli: Cli) -> Result<ExitCode, RunError> {
    match cli.command {
        #[cfg(feature = "demo")]
        Some(Command::Demo { serve: false }) => return Ok(demo::run().await?),
        #[cfg(feature = "demo")]
        Some(Command::Demo { serve: true }) => return Ok(demo::serve().await?),
        Some(Command::Completions { shell }) => {
            completions(shell, &mut io::stdout());
            return Ok(ExitCode::SUCCESS);
        }
        Some(Command::Presets { format }) => {
            io::stdout().write_all(render_presets(format).as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(Command::Sql { script }) => {
            let text = match script {
                SqlCommand::Install { owner, grant, agent } => {
                    sql_function::install(owner.as_deref(), &grant, agent.as_deref())
                }
                SqlCommand::Uninstall => sql_function::uninstall(),
            };
            io::stdout().write_all(text.as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(Command::Healthcheck) => {
            let http = Http::load(cli.config.as_deref(), &Environment::from_process());
            healthcheck(http.map_err(HealthcheckError::from)?).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(Command::CheckConfig | Command::Grants { .. }) | None => {}
    }
    let load = || Settings::load(cli.config.as_deref(), &Environment::from_process())?.select_databases(&cli.database);
    let settings = load()?;
    if cli.command.is_some() {
        settings.warnings.iter().for_each(|warning| eprintln!("pgmedic: {warning}"));
    }
    let text = match &cli.command {
        Some(Command::Grants { role }) => Some(grants(&settings, role.as_deref()).await?),
        Some(_) => Some(settings.redacted_toml()),
        None => None,
    };
    if let Some(text) = text {
        io::stdout().write_all(text.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let telemetry = Logging::install(&settings.log);
    let warn = |settings: &Settings| settings.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    warn(&settings);
    if !cli.once {
        agent::run(settings, cli.dry_run, &telemetry, || load().inspect(warn), |_| {}).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let orders = PassOptions {
        dry_run: cli.dry_run,
        headroom: cli.headroom,
        approvals: cli.approve.clone(),
        ..PassOptions::default()
    };
    let progress = Progress::default();
    let report = once::with_progress_bar(once::run(&settings, &orders, &progress), &progress).await;
    for name in unmatched_approvals(&cli.approve, &report) {
        tracing::warn!(
            "--approve {name}: nothing of that name was behind, and no session store held; names are as in the report"
        );
    }
    match print(&report, &cli) {
        // Whoever reads only the beginning has what they wanted.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        result => result?,
    }
    Ok(Outcome::of(&report).into())
}

/// Approvals that changed nothing, most likely misspelled.
fn unmatched_approvals<'a>(approved: &'a [String], report: &Report) -> impl Iterator<Item = &'a String> {
    let behind: Vec<String> = report
        .databases
        .iter()
        .flat_map(|database| &database.sequences)
        .filter(|sequence| sequence.repair.is_some())
        .map(|sequence| sequence.name.replace('"', ""))
        .collect();
    let stores: Vec<&str> = report
        .databases
        .iter()
        .flat_map(|database| &database.sessions)
        .filter(|store| store.approved)
        .map(|store| store.name.as_str())
        .collect();
    let approved = approved.iter().filter(move |name| !stores.contains(&name.as_str()));
    approved.filter(move |name| !behind.iter().any(|known| known.eq_ignore_ascii_case(&name.replace('"', ""))))
}

/// The list of presets, as `[[sessions]]` would have them.
fn render_presets(format: Format) -> String {
    let presets = Preset::all();
    match format {
        Format::Json => {
            let listed = presets.iter().map(|preset| {
                let about = [("name", preset.name), ("client", &preset.client), ("meaning", &preset.meaning)];
                about.into_iter().chain(preset.keys()).collect::<BTreeMap<_, _>>()
            });
            format!("{}\n", serde_json::json!(listed.collect::<Vec<_>>()))
        }
        Format::Table => presets.iter().map(|preset| preset.to_toml_lines() + "\n").collect(),
    }
}

fn print(report: &Report, cli: &Cli) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match cli.format {
        Format::Table => out.write_all(render_table(report, crate::terminal::table_options(cli.verbose)).as_bytes()),
        Format::Json => {
            serde_json::to_writer(&mut out, report)?;
            writeln!(out)
        }
    }
}
