//! A small disk for a server's cluster, which can be filled: a tmpfs that only this thread and its children see.

use crate::support::{shut_down, wait_until_ended};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::Signal;
use pgmedic_testserver::TestServer;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A cluster takes 40 MB, and its WAL as much as 150 MB.
const SIZE: &str = "size=320m";

/// Gives this thread separate mounts: only it and the processes that it starts see what it mounts. That needs root, and
/// is not allowed everywhere. The error is the reason.
pub fn private_mounts() -> Result<(), String> {
    unshare(CloneFlags::CLONE_NEWNS).map_err(|error| format!("no private mounts: {error}"))?;
    run("mount", &["--make-rprivate", "/"])
}

/// A mounted tmpfs. Dropping it unmounts it, so the server must end soon after.
pub struct Disk {
    at: PathBuf,
}

impl Disk {
    /// Moves the server's cluster to a new tmpfs. The server is restarted.
    pub fn under(server: &mut TestServer) -> Result<Self, String> {
        let at = server.data_dir();
        let aside = at.with_extension("disk");
        shut_down(server, Signal::SIGINT);
        wait_until_ended(server);
        let mounted = fs::create_dir(&aside).map_err(|error| error.to_string()).and_then(|()| {
            run(
                "mount",
                &["-t".as_ref(), "tmpfs".as_ref(), "-o".as_ref(), SIZE.as_ref(), "tmpfs".as_ref(), aside.as_os_str()],
            )
        });
        let moved = mounted.and_then(|()| {
            // Keeps owners and modes, also those of the folder.
            run("cp", &["-a".as_ref(), at.join(".").as_os_str(), aside.as_os_str()])?;
            run("mount", &["--move".as_ref(), aside.as_os_str(), at.as_os_str()])
        });
        server.restart().expect("the server restarts");
        moved.map(|()| Self { at })
    }

    fn filler(&self) -> PathBuf {
        self.at.join("filler")
    }

    /// Fills the disk completely.
    pub fn fill(&self) {
        let Ok(mut file) = File::create(self.filler()) else { return };
        for step in [1 << 20, 1 << 12, 1] {
            while file.write_all(&vec![0; step]).is_ok() {}
        }
    }

    pub fn make_room(&self) {
        let _ = fs::remove_file(self.filler());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = run("umount", &["-l".as_ref(), self.at.as_os_str()]);
    }
}

fn run<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> Result<(), String> {
    let mut command = Command::new(program);
    let output =
        command.args(arguments).stdin(Stdio::null()).output().map_err(|error| format!("{program}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{program}: {}", said.trim())) }
}
