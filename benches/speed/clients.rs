//! The programs that take turns.

use super::Result;
use pgmedic_testserver::TestServer;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Statements that psql sends as one string.
const IN_A_STRING: u32 = 200;

/// A whole run of `pgmedic` on one database, with nothing but the URL set.
pub fn pgmedic(url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgmedic"));
    command.env_clear().env("DATABASE_URL", url).args(arguments).stdin(Stdio::null());
    command
}

/// The same on what a configuration file names.
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

/// Runs a program to its end, and throws away what it prints.
pub fn run(mut command: Command) -> Result<()> {
    let status = command.stdout(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(format!("{} {status}", command.get_program().display()).into()) }
}

/// The server's own psql, or the one on `PATH`.
pub fn psql(server: &TestServer) -> Option<PathBuf> {
    let own = server.bin_dir().join("psql");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let others = std::env::split_paths(&path).map(|folder| folder.join("psql"));
    std::iter::once(own).chain(others).find(|program| program.is_file())
}

/// psql, unaligned and quiet, so that it does not spend its time on drawing tables.
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

/// The floor on one connection: exactly the reads, in strings that psql sends as one message each (as `-c` does, and
/// `-f` does not).
pub fn in_strings(psql: &Path, url: &str, tables: u32) -> Command {
    let mut command = quiet(psql, url);
    let statements: Vec<String> = (1..=tables).flat_map(|table| [state(table), maximum(table)]).collect();
    for string in statements.chunks(IN_A_STRING as usize) {
        command.arg("-c").arg(string.join(";"));
    }
    command
}

/// The naive way: three questions about each table, one round trip each. Returns psql's script.
pub fn one_by_one(tables: u32) -> String {
    let questions = |table| {
        format!("SELECT pg_get_serial_sequence('table_{table}', 'id');\n{};\n{};\n", state(table), maximum(table))
    };
    (1..=tables).map(questions).collect()
}

/// psql on a script.
pub fn script(psql: &Path, url: &str, file: &Path) -> Command {
    let mut command = quiet(psql, url);
    command.arg("-f").arg(file);
    command
}
