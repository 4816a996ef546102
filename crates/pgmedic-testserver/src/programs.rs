//! Runs PostgreSQL's programs as the chosen account. The reaper ends them if this process dies.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use std::os::unix::process::CommandExt;

use crate::ServerError;
use crate::account::Account;
use crate::reaper::ProcessReaper;

#[derive(Debug)]
pub(super) struct Programs {
    pub(super) folder: PathBuf,
    pub(super) account: Account,
    pub(super) reaper: ProcessReaper,
}

impl Programs {
    /// A command with empty input, English messages and UTC, in its own process group, so Ctrl-C does not reach it.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = self.account.command(&self.folder.join(program));
        command.current_dir("/").stdin(Stdio::null()).env("LC_ALL", "C").env("TZ", "UTC").process_group(0);
        command
    }

    /// Starts a program; the reaper ends it if this process dies.
    pub(super) fn start(&mut self, command: &mut Command) -> Result<Child, ServerError> {
        let child = command.spawn().map_err(|source| ServerError::Spawn {
            program: command.get_program().into(),
            account: self.account.describe(),
            source,
        })?;
        self.reaper.watch_process(&child);
        Ok(child)
    }

    /// Runs a program to its end and returns what it printed.
    pub(super) fn run(&mut self, command: &mut Command) -> Result<String, ServerError> {
        let child = self.start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        let program = Path::new(command.get_program());
        let output = child.wait_with_output();
        self.reaper.release();
        let output = output.map_err(|source| ServerError::Io { what: "wait for", path: program.into(), source })?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        let output_text = text(&[&*output.stdout, b"\n", &*output.stderr].concat());
        Err(ServerError::Program { program: program.into(), status: output.status, output: output_text })
    }

    /// The exit status of a program that has ended. The reaper forgets its process id, which another process may get.
    pub(super) fn ended(&mut self, child: &mut Child) -> Option<ExitStatus> {
        // `try_wait` fails only for a process that is not a child of this one.
        let status = child.try_wait().ok().flatten()?;
        self.reaper.release();
        Some(status)
    }
}
