//! Ends the server and deletes its directory when this process ends, in any way.
//!
//! A shell process reads from a pipe whose other end only this process holds. The pipe closes when this process closes it
//! or ends, even by SIGKILL. Then the shell ends the process whose id it read last, and deletes the directory.
//! Linux alone could signal the server directly (`PR_SET_PDEATHSIG`), but that needs `unsafe`, a thread that lives as
//! long as the server, and would leave the directory behind.

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// SIGQUIT makes `postgres` and its children stop at once; SIGKILL follows after 10 s. A process that was just killed may
/// still write, so the deletion is tried again. `PATH` may lack the usual folders.
const SCRIPT: &str = r#"
echo
PATH=$PATH:/usr/bin:/bin
pid=
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then
    kill -QUIT "$pid"
    tries=100
    while kill -0 "$pid" && [ "$tries" -gt 0 ]; do sleep 0.1; tries=$((tries - 1)); done
    kill -KILL "$pid"
fi
rm -rf "$1" || { sleep 1; rm -rf "$1"; }
"#;

#[derive(Debug)]
pub(super) struct ProcessReaper {
    shell: Child,
    pipe: Option<ChildStdin>,
}

impl ProcessReaper {
    /// Starts the shell, which deletes `directory` when this process ends.
    pub(super) fn watch(directory: &Path) -> io::Result<Self> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "pgmedic-guard"])
            .arg(directory)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C on a terminal goes to the whole process group; the shell must survive it.
            .process_group(0)
            .spawn()?;
        let pipe = shell.stdin.take();
        let said = shell.stdout.take().map_or(Ok(0), |mut stdout| stdout.read(&mut [0]));
        let reaper = Self { shell, pipe };
        // Ctrl-C before the shell had its own process group has killed it: only a shell that wrote is running.
        if said? == 0 {
            return Err(io::Error::other("its shell ended at once"));
        }
        Ok(reaper)
    }

    /// From now on the shell ends this process too.
    pub(super) fn watch_process(&mut self, process: &Child) {
        self.tell(&process.id().to_string());
    }

    /// The process has ended and been waited for: its id may now belong to another process.
    pub(super) fn release(&mut self) {
        self.tell("");
    }

    fn tell(&mut self, line: &str) {
        if let Some(pipe) = &mut self.pipe {
            // Fails only if the shell was killed.
            let _ = writeln!(pipe, "{line}");
        }
    }
}

/// Waits until the directory is gone.
impl Drop for ProcessReaper {
    fn drop(&mut self) {
        drop(self.pipe.take());
        let _ = self.shell.wait();
    }
}
