//! The subcommands and their options.

use super::cutover::CutoverArguments;
use super::history::HistoryArguments;
use super::{ListFormat, help};
use clap::Subcommand;
use clap_complete::Shell;
use pgmedic_core::{ColumnName, NameError};
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Show failing inserts and their repair on a throwaway PostgreSQL
    #[cfg(feature = "demo")]
    #[command(after_help = help::DEMO)]
    Demo {
        /// Instead, keep it, a sabotaged application and the agent running, and print the status page's address
        #[arg(long)]
        serve: bool,
    },
    /// Carry every sequence of the database in use to the one that takes over, forward only, and say whether writers may
    /// move
    #[command(after_help = help::CUTOVER)]
    Cutover(CutoverArguments),
    /// Print what happened to sequences, and who was behind it, from pgmedic.repair_log
    #[command(after_help = help::HISTORY)]
    History(HistoryArguments),
    /// Print the effective configuration, passwords hidden
    #[command(after_help = help::CHECK_CONFIG)]
    CheckConfig,
    /// Print the SQL for a role that can do the configured work and nothing more
    #[command(after_help = help::GRANTS)]
    Grants {
        /// The role's name (default: the user of each database's URL)
        #[arg(long, value_name = "NAME", value_parser = parse_role)]
        role: Option<String>,
        /// Only this database, by its configured name (repeatable)
        #[arg(long = "database", id = "of_grants", value_name = "NAME")]
        database: Vec<String>,
    },
    /// List the session stores that are known by name: tables, columns and what they mean
    #[command(after_help = help::PRESETS)]
    Presets {
        /// How to print the list
        #[arg(long, value_enum, default_value = "table")]
        format: ListFormat,
    },
    /// Print the SQL that lets applications in any language repair a sequence themselves
    #[command(after_help = help::SQL)]
    Sql {
        #[command(subcommand)]
        script: SqlCommand,
    },
    /// Check that the agent on this machine is alive: exit code 0 or 1
    #[command(after_help = help::HEALTHCHECK)]
    Healthcheck,
    /// Print the completion script for a shell
    #[command(after_help = help::COMPLETIONS)]
    Completions {
        /// The shell to complete for
        shell: Shell,
    },
    /// Print the manual page
    #[command(after_help = help::MAN)]
    Man {
        /// Instead, write the page of pgmedic and of every command into this folder, which must exist
        #[arg(long, value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum SqlCommand {
    /// The schema pgmedic with the function pgmedic.repair(table, column)
    #[command(after_help = help::SQL_INSTALL)]
    Install {
        /// The owner of the function: the owner of the tables that it is to repair (default: the role that runs the SQL)
        #[arg(long, value_name = "NAME", value_parser = parse_role)]
        owner: Option<String>,
        /// Let this role call it (repeatable)
        #[arg(long, value_name = "NAME", value_parser = parse_role)]
        grant: Vec<String>,
        /// Let this role, the agent's, log its repairs in pgmedic.repair_log and remove old rows
        #[arg(long, value_name = "NAME", value_parser = parse_role)]
        agent: Option<String>,
    },
    /// Remove what install created, and nothing else
    #[command(after_help = help::SQL_UNINSTALL)]
    Uninstall,
    /// A trigger that takes a column's sequence along when an id is inserted that is ahead of it: forward only
    #[command(after_help = help::SQL_FOLLOW)]
    Follow {
        /// The columns, as TABLE.COLUMN in schema public, or SCHEMA.TABLE.COLUMN
        #[arg(value_name = "TABLE.COLUMN", value_parser = parse_column, required_unless_present = "all")]
        columns: Vec<ColumnName>,
        /// Every column that a sequence feeds
        #[arg(long, conflicts_with = "columns")]
        all: bool,
        /// Also follow the ids that logical replication brings
        #[arg(long, conflicts_with = "remove")]
        always: bool,
        /// The furthest id that is the sequence's, as in `[[sequences.rules]]`: ids beyond are left alone (default: as before)
        #[arg(long, value_name = "N", conflicts_with_all = ["remove", "all"], allow_negative_numbers = true)]
        max_id: Option<i64>,
        /// Remove what follow created, and nothing else
        #[arg(long)]
        remove: bool,
    },
}

/// The name of a role. `public` would grant to every role (PostgreSQL manual, GRANT).
fn parse_role(name: &str) -> Result<String, &'static str> {
    match name {
        "" | "public" | "none" => Err("expected a role's name; SQL gives this one another meaning"),
        name => Ok(name.to_owned()),
    }
}

/// `TABLE.COLUMN` or `SCHEMA.TABLE.COLUMN`, each part quoted as in SQL where needed.
fn parse_column(name: &str) -> Result<ColumnName, NameError> {
    match name.parse() {
        Err(NameError::Parts { found: 2, .. }) => format!("public.{name}").parse(),
        column => column,
    }
}
