//! The command line.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use pgmedic_core::{ColumnName, NameError};

const AFTER_HELP: &str = "\
Exit codes of --once:
  0  all sequences healthy, or repaired
  1  the work could not be completed: unreachable database, failed repair or sweep
  2  bad usage or configuration
  3  problems remain: drift seen in a dry run, held, exhausted or unreadable

Reports go to stdout, logs to stderr. Without a configuration file DATABASE_URL names the database.";

/// Finds PostgreSQL sequences that fell behind their tables, and repairs them.
#[derive(Debug, Clone, PartialEq, Eq, Parser)]
#[command(name = "pgmedic", version, after_help = AFTER_HELP)]
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

    /// The configuration file
    #[arg(short, long, value_name = "FILE", env = "PGMEDIC_CONFIG", hide_env_values = true, global = true)]
    pub config: Option<PathBuf>,

    /// Only this database, by its configured name (repeatable)
    #[arg(long, value_name = "NAME")]
    pub database: Vec<String>,

    /// Approve what is held for this sequence or session store, for this run only (repeatable)
    #[arg(long, value_name = "NAME", requires = "once")]
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
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Show failing inserts and their repair on a throwaway PostgreSQL
    #[cfg(feature = "demo")]
    Demo {
        /// Instead, keep it, a sabotaged application and the agent running, and print the status page's address
        #[arg(long)]
        serve: bool,
    },
    /// Print the effective configuration, passwords hidden
    CheckConfig,
    /// Print the SQL for a role that can do the configured work and nothing more
    Grants {
        /// The role's name (default: the user of each database's URL)
        #[arg(long, value_name = "NAME", value_parser = parse_role)]
        role: Option<String>,
    },
    /// List the session stores that are known by name: tables, columns and what they mean
    Presets {
        /// How to print the list
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Print the SQL that lets applications in any language repair a sequence themselves
    Sql {
        #[command(subcommand)]
        script: SqlCommand,
    },
    /// Check that the agent on this machine is alive: exit code 0 or 1
    Healthcheck,
    /// Print the completion script for a shell
    Completions {
        /// The shell to complete for
        shell: Shell,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum SqlCommand {
    /// The schema pgmedic with the function pgmedic.repair(table, column)
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
    Uninstall,
    /// A trigger that takes a column's sequence along when an id is inserted that is ahead of it: forward only
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
        /// Remove what follow created, and nothing else
        #[arg(long)]
        remove: bool,
    },
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
        if arguments.iter().any(|argument| argument.to_string_lossy().contains("://")) {
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

/// Writes the completion script for the shell.
pub fn completions(shell: Shell, out: &mut impl Write) {
    clap_complete::generate(shell, &mut Cli::command(), "pgmedic", out);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(arguments: &str) -> Result<Cli, clap::Error> {
        Cli::read(std::iter::once("pgmedic").chain(arguments.split_whitespace()))
    }

    fn refused(arguments: &str) -> clap::Error {
        let error = read(arguments).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{error}");
        error
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn one_pass_takes_every_option() {
        let cli = read(
            "--once --dry-run --format json -c a.toml --database app --database shop \
             --approve public.a --approve public.b --headroom 1000 --verbose",
        )
        .unwrap();
        assert!(cli.once && cli.dry_run && cli.verbose);
        assert_eq!(cli.format, Format::Json);
        assert_eq!(cli.config.as_deref(), Some(Path::new("a.toml")));
        assert_eq!(cli.database, ["app", "shop"]);
        assert_eq!(cli.approve, ["public.a", "public.b"]);
        assert_eq!(cli.headroom, 1000);
    }

    #[test]
    fn without_arguments_the_agent_runs() {
        let cli = read("").unwrap();
        assert!(!cli.once && !cli.dry_run && cli.command.is_none());
        assert_eq!(cli.format, Format::Table);
    }

    #[test]
    fn a_dry_run_is_valid_without_once() {
        assert!(read("--dry-run").unwrap().dry_run);
    }

    #[test]
    fn what_concerns_one_report_needs_once() {
        for arguments in ["--approve public.a", "--headroom 1000", "--verbose", "--format json"] {
            assert!(refused(arguments).to_string().contains("--once"), "{arguments}");
        }
    }

    #[test]
    fn the_demo_is_told_or_served() {
        #[cfg(feature = "demo")]
        assert_eq!(read("demo").unwrap().command, Some(Command::Demo { serve: false }));
        #[cfg(feature = "demo")]
        assert_eq!(read("demo --serve").unwrap().command, Some(Command::Demo { serve: true }));
    }

    #[test]
    fn the_configuration_file_is_named_before_or_after_a_subcommand() {
        for arguments in ["-c a.toml check-config", "check-config -c a.toml"] {
            let cli = read(arguments).unwrap();
            assert_eq!(cli.command, Some(Command::CheckConfig));
            assert_eq!(cli.config.as_deref(), Some(Path::new("a.toml")));
        }
    }

    #[test]
    fn a_health_check_asks_where_the_configuration_says() {
        assert_eq!(read("-c a.toml healthcheck").unwrap().command, Some(Command::Healthcheck));
    }

    #[test]
    fn presets_are_listed_in_either_format() {
        let format = |arguments| match read(arguments).unwrap().command {
            Some(Command::Presets { format }) => format,
            other => panic!("{other:?}"),
        };
        assert_eq!(format("presets"), Format::Table);
        assert_eq!(format("presets --format json"), Format::Json);
    }

    #[test]
    fn a_subcommand_refuses_flags_that_it_would_ignore() {
        for arguments in ["--once demo", "--dry-run demo", "--database app check-config", "--once healthcheck"] {
            assert!(refused(arguments).to_string().contains("--config"), "{arguments}");
        }
    }

    #[test]
    fn grants_are_for_a_role_and_never_for_everybody() {
        let command = |arguments| read(arguments).unwrap().command;
        assert_eq!(command("grants"), Some(Command::Grants { role: None }));
        assert_eq!(command("grants --role medic"), Some(Command::Grants { role: Some("medic".to_owned()) }));
        for arguments in ["grants --role public", "grants --role none", "grants --role=", "--role medic grants"] {
            refused(arguments);
        }
    }

    #[test]
    fn sql_is_for_named_roles_and_never_for_everybody() {
        let script = |owner: Option<&str>, grant: &[&str]| {
            let grant = grant.iter().map(ToString::to_string).collect();
            Some(Command::Sql {
                script: SqlCommand::Install { owner: owner.map(ToOwned::to_owned), grant, agent: None },
            })
        };
        assert_eq!(read("sql install").unwrap().command, script(None, &[]));
        let named = read("sql install --owner shop --grant app --grant api").unwrap().command;
        assert_eq!(named, script(Some("shop"), &["app", "api"]));
        assert_eq!(read("sql uninstall").unwrap().command, Some(Command::Sql { script: SqlCommand::Uninstall }));
        for arguments in [
            "sql",
            "sql install --grant public",
            "sql install --owner none",
            "sql install --agent public",
            "--dry-run sql install",
            "sql follow",
            "sql follow id",
            "sql follow a.b.c.d",
            "sql follow --all t.id",
            "sql follow t.id --always --remove",
        ] {
            refused(arguments);
        }
    }

    #[test]
    fn a_connection_url_is_refused_without_being_repeated() {
        for arguments in ["postgres://u:hunter2@h/d", "--once --database=postgres://u:hunter2@h/d"] {
            let error = refused(arguments).to_string();
            assert!(error.contains("DATABASE_URL") && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn unknown_words_are_bad_usage() {
        refused("--onec");
        refused("--once --format yaml");
        refused("completions tcsh");
    }

    #[test]
    fn help_names_the_exit_codes_and_the_variable() {
        let help = read("--help").unwrap_err();
        assert_eq!(help.exit_code(), 0);
        let help = help.to_string();
        for word in ["Exit codes", "  3  problems remain", "PGMEDIC_CONFIG", "DATABASE_URL"] {
            assert!(help.contains(word), "{word} is missing:\n{help}");
        }
    }

    #[test]
    fn completions_are_written_for_each_shell() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut script = Vec::new();
            completions(shell, &mut script);
            assert!(String::from_utf8(script).unwrap().contains("check-config"));
        }
    }
}
