//! The command line.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | the options of a run; which arguments are refused |
//! | `command.rs`, `cutover.rs`, `history.rs` | the subcommands; the options of `cutover` and of `history` |
//! | `help.rs` | usage, examples and exit codes, as each help page ends |
//! | `generate.rs` | completion scripts, man pages |

mod command;
mod cutover;
mod generate;
mod help;
mod history;

pub use command::{Command, SqlCommand};
pub use cutover::CutoverArguments;
pub use generate::{ManPage, completions, man_pages};
pub use history::HistoryArguments;

use crate::build_info;
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// Runs until it is stopped, and repairs PostgreSQL sequences that fell behind their tables
#[derive(Debug, Clone, PartialEq, Eq, Parser)]
#[command(
    name = "pgmedic",
    version = build_info::SHORT,
    long_version = build_info::LONG,
    override_usage = help::USAGE,
    after_help = help::PGMEDIC
)]
pub struct Cli {
    /// Make one pass over everything, print the report and exit
    #[arg(long)]
    pub once: bool,

    /// Change nothing, only report
    #[arg(long)]
    pub dry_run: bool,

    /// How to print the report
    #[arg(long, value_enum, default_value = "table", requires = "once")]
    pub format: Format,

    /// Also write the run's metrics to this file, for the textfile collector of node_exporter
    #[arg(long, value_name = "FILE", requires = "once")]
    pub textfile: Option<PathBuf>,

    /// The configuration file
    #[arg(short, long, value_name = "FILE", env = "PGMEDIC_CONFIG", hide_env_values = true, global = true)]
    pub config: Option<PathBuf>,

    /// Only this database, by its configured name (repeatable)
    #[arg(long, value_name = "NAME")]
    pub database: Vec<String>,

    /// Approve what is held for this session store, or for the sequences that match, for this run only (repeatable; of
    /// several databases, name the one that is meant by `--database`)
    #[arg(long, value_name = "PATTERN", requires = "once")]
    pub approve: Vec<String>,

    /// Leave at least this many values unused beyond the ids of every sequence, also of one that is not behind: the gate
    /// before writers move to this database
    #[arg(long, value_name = "VALUES", requires = "once", default_value_t = 0, hide_default_value = true)]
    pub headroom: u32,

    /// List the healthy sequences too
    #[arg(long, requires = "once")]
    pub verbose: bool,

    #[command(subcommand)]
    pub command: Option<Command>,
}

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, worst first
    Table,
    /// One JSON object
    Json,
    /// One line with performance data, and the exit codes of Nagios plugins
    Nagios,
}

/// How a list, or the report of a cutover, is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people
    Table,
    /// For programs
    Json,
}

/// Whether a Nagios plugin is asked for, also by arguments that are refused: it must answer in Nagios's terms.
pub fn is_for_nagios(arguments: impl IntoIterator<Item = OsString>) -> bool {
    let mut before = OsString::new();
    arguments.into_iter().any(|argument| {
        let asked = argument == "--format=nagios" || (before == "--format" && argument == "nagios");
        before = argument;
        asked
    })
}

impl Cli {
    /// Reads the arguments, the first of which is the program's name.
    ///
    /// # Errors
    ///
    /// Bad usage, and also `--help` and `--version`: `clap::Error::exit` prints any of them and
    /// ends with the right code, 2 for bad usage.
    pub fn read(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        // Refused first, because an error of clap would repeat the password.
        if cutover::without_connections(&arguments).any(|argument| argument.to_string_lossy().contains("://")) {
            let message = "a connection URL on the command line shows its password to every user of this machine; \
                           set DATABASE_URL, or name a configuration file with --config";
            return Err(command.error(ErrorKind::ValueValidation, message));
        }
        let matches = command.try_get_matches_from_mut(arguments)?;
        let cli = Self::from_arg_matches(&matches)?;
        // Reject options that the subcommand would ignore: only --config has an effect there.
        let idle = cli.once || cli.dry_run || !cli.database.is_empty();
        if cli.command.is_some() && idle {
            let message = "no option but --config goes before a subcommand";
            return Err(command.error(ErrorKind::ArgumentConflict, message));
        }
        Ok(cli)
    }
}

#[cfg(test)]
mod tests;
