//! Makes sure that nothing outlives us, however we die.
//!
//! A small shell waits on a pipe that only we hold the other end of. The pipe closes when we close it and when
//! we die, even of SIGKILL; then the shell ends the process it was last told of, and deletes the directory.
//! Linux alone could signal the server directly (`PR_SET_PDEATHSIG`), but that needs `unsafe`, a thread that lives as
//! long as the server, and would leave the directory behind.

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// SIGQUIT makes `postgres` stop at once and take its children along; whoever is still there after 10 s is
/// killed. A process that was just killed may still write, so the deletion is tried again. `PATH` may be anything.
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
    /// Guards `directory` from now on.
    pub(super) fn watch(directory: &Path) -> io::Result<Self> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "pgmedic-guard"])
            .arg(directory)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C on a terminal goes to our whole process group; the guard must live through it.
            .process_group(0)
            .spawn()?;
        let pipe = shell.stdin.take();
        let said = shell.stdout.take().map_or(Ok(0), |mut stdout| stdout.read(&mut [0]));
        let guard = Self { shell, pipe };
        // A Ctrl-C in the moment before it had its own group has killed it; only a guard that spoke is one.
        if said? == 0 {
            return Err(io::Error::other("its shell ended at once"));
        }
        Ok(guard)
    }

    /// From now on this process must not outlive us either.
    pub(super) fn watch_process(&mut self, process: &Child) {
        self.tell(&process.id().to_string());
    }

    /// The process has been reaped: its number may go to another one from now on.
    pub(super) fn release(&mut self) {
        self.tell("");
    }

    fn tell(&mut self, line: &str) {
        if let Some(pipe) = &mut self.pipe {
            // Fails only when the guard was killed, and then nobody is left to tell.
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
