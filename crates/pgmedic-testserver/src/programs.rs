//! Running PostgreSQL's programs: as the right account, under guard.

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
    pub(super) guard: ProcessReaper,
}

impl Programs {
    /// A program that reads nothing, speaks English, keeps UTC and hears no Ctrl-C that is meant for us.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = self.account.command(&self.folder.join(program));
        command.current_dir("/").stdin(Stdio::null()).env("LC_ALL", "C").env("TZ", "UTC").process_group(0);
        command
    }

    /// Starts a program that must not outlive us.
    pub(super) fn start(&mut self, command: &mut Command) -> Result<Child, ServerError> {
        let child = command.spawn().map_err(|source| ServerError::Spawn {
            program: command.get_program().into(),
            account: self.account.describe(),
            source,
        })?;
        self.guard.watch_process(&child);
        Ok(child)
    }

    /// Runs a program to its end and returns what it printed.
    pub(super) fn run(&mut self, command: &mut Command) -> Result<String, ServerError> {
        let child = self.start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        let program = Path::new(command.get_program());
        let output = child.wait_with_output();
        self.guard.release();
        let output = output.map_err(|source| ServerError::Io { what: "wait for", path: program.into(), source })?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        let output_text = text(&[&*output.stdout, b"\n", &*output.stderr].concat());
        Err(ServerError::Program { program: program.into(), status: output.status, output: output_text })
    }

    /// The status of a program that has ended. It is no longer guarded then, because its number may go to another.
    pub(super) fn ended(&mut self, child: &mut Child) -> Option<ExitStatus> {
        // `try_wait` fails only for a process that is not our child.
        let status = child.try_wait().ok().flatten()?;
        self.guard.release();
        Some(status)
    }
}
