//! The programs that are compared.

use super::Result;
use pgmedic_testserver::TestServer;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The number of statements that psql sends in one message.
const IN_A_STRING: u32 = 200;

/// A command that runs `pgmedic` on one database, with only the URL set.
pub fn pgmedic(url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgmedic"));
    command.env_clear().env("DATABASE_URL", url).args(arguments).stdin(Stdio::null());
    command
}

/// The same with a configuration file.
pub fn configured(config: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgmedic"));
    command.env_clear().arg("--config").arg(config).args(arguments).stdin(Stdio::null());
    command
}

/// Runs `pgmedic` with a JSON report.
pub fn report(url: &str, arguments: &[&str]) -> Result<Value> {
    report_of(pgmedic(url, arguments))
}

/// Runs `pgmedic --once` with a JSON report.
pub fn report_of(mut command: Command) -> Result<Value> {
    let output = command.args(["--format", "json"]).stderr(Stdio::inherit()).output()?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Runs a program and waits for its end. Its output is discarded.
pub fn run(mut command: Command) -> Result<()> {
    let status = command.stdout(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(format!("{} {status}", command.get_program().display()).into()) }
}

/// The psql of the server's installation, or the one in `PATH`.
pub fn psql(server: &TestServer) -> Option<PathBuf> {
    let own = server.bin_dir().join("psql");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let others = std::env::split_paths(&path).map(|folder| folder.join("psql"));
    std::iter::once(own).chain(others).find(|program| program.is_file())
}

/// psql without alignment and messages, so that it spends no time on drawing tables.
fn quiet(psql: &Path, url: &str) -> Command {
    let mut command = Command::new(psql);
    command.args(["-X", "-q", "-A", "-t", "-d", url]).env("PGOPTIONS", "").stdin(Stdio::null());
    command
}

fn state(table: u32) -> String {
    format!("SELECT last_value, is_called FROM table_{table}_id_seq")
}

fn maximum(table: u32) -> String {
    format!("SELECT max(id) FROM table_{table}")
}

/// The minimum on one connection: only the reads, in strings that psql sends as one message each (as with `-c`, and not
/// with `-f`).
pub fn in_strings(psql: &Path, url: &str, tables: u32) -> Command {
    let mut command = quiet(psql, url);
    let statements: Vec<String> = (1..=tables).flat_map(|table| [state(table), maximum(table)]).collect();
    for string in statements.chunks(IN_A_STRING as usize) {
        command.arg("-c").arg(string.join(";"));
    }
    command
}

/// The simple way: three queries for each table, one round trip each. Returns the script for psql.
pub fn one_by_one(tables: u32) -> String {
    let questions = |table| {
        format!("SELECT pg_get_serial_sequence('table_{table}', 'id');\n{};\n{};\n", state(table), maximum(table))
    };
    (1..=tables).map(questions).collect()
}

/// Runs psql with a script.
pub fn script(psql: &Path, url: &str, file: &Path) -> Command {
    let mut command = quiet(psql, url);
    command.arg("-f").arg(file);
    command
}
