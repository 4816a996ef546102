//! The tools, each used as its documentation says.

use super::Result;
use super::site::Site;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    Pgmedic,
    Wiki,
    Django,
    Rails,
    Pgloader,
    Pgcopydb,
    MaxPlusOne,
}

/// In the order of the columns.
pub const PEERS: [Peer; 7] =
    [Peer::Pgmedic, Peer::Wiki, Peer::Django, Peer::Rails, Peer::Pgloader, Peer::Pgcopydb, Peer::MaxPlusOne];

/// The procedure of the wiki's page: write the statements into a file, then run the file.
const WIKI: &str = r#"psql -X -A -t -q -f "$1" -o reset.sql && psql -X -A -t -q -f reset.sql"#;
const DJANGO: &str = r#"set -o pipefail; "$1" -m django sqlsequencereset shop | psql -X -A -t -q"#;
const RAILS_VERSION: &str = "require 'active_record'; print ActiveRecord::VERSION::STRING";

/// The result of a tool's run.
pub struct RunOutput {
    pub success: bool,
    /// The first line of its output that reports an error.
    pub error: Option<String>,
}

impl RunOutput {
    /// Whether the tool reported a problem, by its exit code or its output.
    pub fn reported_error(&self) -> bool {
        !self.success || self.error.is_some()
    }
}

impl Peer {
    pub fn name(self) -> &'static str {
        match self {
            Self::Pgmedic => "pgmedic",
            Self::Wiki => "wiki script",
            Self::Django => "Django",
            Self::Rails => "Rails",
            Self::Pgloader => "pgloader",
            Self::Pgcopydb => "pgcopydb",
            Self::MaxPlusOne => "MAX + 1",
        }
    }

    /// A part of a database's name.
    pub fn identifier(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    /// What is run, as a cell of a table.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Pgmedic => "`pgmedic --once`",
            Self::Wiki => "the PostgreSQL wiki's *Fixing Sequences*, by psql",
            Self::Django => "`django sqlsequencereset`, by psql",
            Self::Rails => "ActiveRecord's `reset_pk_sequence!` for every table",
            Self::Pgloader => "`pgloader` with `reset sequences`, from empty SQLite tables of the same names",
            Self::Pgcopydb => "`pgcopydb copy sequences`, from a source whose sequences are in order",
            Self::MaxPlusOne => "by hand for each table: state, `MAX`, `setval(MAX + 1)`, by psql",
        }
    }

    /// The version that the tool prints. For scripts that psql runs, it is psql's.
    pub fn version(self, site: &Site) -> Result<String> {
        let mut command = match self {
            Self::Pgmedic => program(env!("CARGO_BIN_EXE_pgmedic"), &["--version".into()]),
            Self::Wiki | Self::MaxPlusOne => program("psql", &["--version".into()]),
            Self::Django => program(python(), &["-m".into(), "django".into(), "--version".into()]),
            Self::Rails => program("/usr/bin/ruby", &["-e".into(), RAILS_VERSION.into()]),
            Self::Pgloader => program("pgloader", &["--version".into()]),
            Self::Pgcopydb => program("pgcopydb", &["--version".into()]),
        };
        let output = command.envs(site.variables()).output().map_err(|error| self.missing(&error))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = text
            .split(|c: char| c.is_whitespace() || c == '"')
            .find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        version.map(str::to_owned).ok_or_else(|| format!("{}: no version in {text:?}", self.name()).into())
    }

    fn missing(self, error: &std::io::Error) -> String {
        format!("{}: {error}: scripts/setup peers installs it", self.name())
    }

    pub fn command(self, site: &Site) -> Command {
        let mut command = match self {
            Self::Pgmedic => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_pgmedic"));
                command.env_clear().env("DATABASE_URL", site.url()).arg("--once");
                command
            }
            Self::Wiki => bash(WIKI, &tool("wiki.sql")),
            Self::Django => bash(DJANGO, &python()),
            Self::Rails => program("/usr/bin/ruby", &[tool("reset.rb")]),
            Self::Pgloader => {
                program("pgloader", &["--root-dir".into(), site.file("pgloader"), site.file("tables.load")])
            }
            Self::Pgcopydb => {
                let mut command = Command::new("pgcopydb");
                command.args(["copy", "sequences", "--dir"]).arg(site.file("pgcopydb"));
                command.args(["--source", site.source(), "--target", site.url()]);
                command
            }
            Self::MaxPlusOne => program("psql", &["-XAtqf".into(), site.file("by-hand.sql")]),
        };
        if self != Self::Pgmedic {
            command.envs(site.variables());
        }
        command.current_dir(site.folder()).stdin(Stdio::null());
        command
    }

    /// Runs the tool and waits for its end.
    pub fn run(self, site: &Site) -> Result<RunOutput> {
        let mut command = self.command(site);
        let output = command.output().map_err(|error| self.missing(&error))?;
        let text = [output.stderr, output.stdout].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        Ok(RunOutput { success: output.status.success(), error: first_error(&text) })
    }
}

/// The line that reports an error, without a file name or a time before the error.
fn first_error(text: &str) -> Option<String> {
    let words = ["ERROR", "FATAL", "Error: ", "(PG::"];
    let line = text.lines().find(|line| words.iter().any(|word| line.contains(word)))?;
    let from = words.iter().filter_map(|word| line.find(word)).min().unwrap_or(0);
    Some(line[from..].trim().to_owned())
}

fn bash(script: &str, argument: &Path) -> Command {
    let mut command = Command::new("bash");
    command.args(["-c", script, "bash"]).arg(argument);
    command
}

fn program(name: impl AsRef<OsStr>, arguments: &[PathBuf]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments);
    command
}

fn tool(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/tools").join(name)
}

/// The Python of the virtual environment that `scripts/setup peers` creates.
pub fn python() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    Path::new(env!("CARGO_MANIFEST_DIR")).join(target).join("tools/peers/bin/python")
}
