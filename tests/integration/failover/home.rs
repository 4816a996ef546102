//! A folder and the programs that run in it, all of which end with the test, also when it is killed.

use crate::support::{owner, server, wait_for};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

/// Reads process ids until its input ends, ends the groups of these processes and the servers in the folder, and deletes it.
const GUARD: &str = r#"
echo
pids=
while read -r pid; do pids="$pids $pid"; done
for pid in $pids; do kill -KILL "-$pid"; done
servers=
for file in "$1"/*/data/postmaster.pid; do
    [ -e "$file" ] && read -r pid <"$file" && kill -QUIT "$pid" && servers="$servers $pid"
done
tries=100
for pid in $servers; do
    while kill -0 "$pid" && [ "$tries" -gt 0 ]; do sleep 0.1; tries=$((tries - 1)); done
done
rm -rf "$1" || { sleep 1; rm -rf "$1"; }
"#;

/// The folder. Its programs run as the account of the tests' servers, because PostgreSQL, Patroni's servers too, refuse root.
pub struct Home {
    path: PathBuf,
    account: (u32, u32),
    guard: Child,
    pids: Option<ChildStdin>,
    /// Not waited for before the guard has ended, so that their ids stay theirs.
    children: Vec<Child>,
}

impl Home {
    pub fn new() -> Self {
        let path = tempfile::Builder::new().prefix("pgmedic-").tempdir_in("/tmp").expect("a folder").keep();
        let guard = Command::new("/bin/sh")
            .args(["-c", GUARD, "pgmedic-guard"])
            .arg(&path)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut guard = guard.expect("a shell");
        guard.stdout.take().expect("its output").read_exact(&mut [0]).expect("it runs");
        let pids = guard.stdin.take();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("its folder");
        let home = Self { path, account: owner(server()), guard, pids, children: Vec::new() };
        home.hand_over(Path::new(""));
        home
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A folder in it.
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.path.join(name);
        fs::create_dir(&path).expect("a folder");
        fs::set_permissions(&path, Permissions::from_mode(0o700)).expect("its folder");
        self.hand_over(&path);
        path
    }

    /// Writes a file in it.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path.join(name);
        fs::write(&path, text).expect("a file");
        self.hand_over(&path);
        path
    }

    fn hand_over(&self, path: &Path) {
        let path = self.path.join(path);
        if fs::metadata(&path).expect("a path").uid() != self.account.0 {
            chown(&path, Some(self.account.0), Some(self.account.1)).expect("the account's");
        }
    }

    /// A command that runs as the account. Debian installs some programs into a folder that only root has in its PATH.
    pub fn command(&self, program: &str) -> Command {
        let installed = Path::new("/usr/sbin").join(program);
        let mut command = Command::new(if installed.exists() { installed } else { program.into() });
        // Patroni is written for the Python of Debian.
        let path = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";
        command.current_dir("/").env_clear().env("PATH", path).env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
        if nix::unistd::geteuid().is_root() {
            command.uid(self.account.0).gid(self.account.1);
        }
        command
    }

    /// Starts a program, whose output goes to the file of this name.
    pub fn start(&mut self, log: &str, command: &mut Command) -> Pid {
        let output = File::create(self.path.join(log)).expect("a log");
        let errors = output.try_clone().expect("the same log");
        let child = command.stdout(output).stderr(errors).process_group(0).spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}; scripts/setup failover installs it"));
        writeln!(self.pids.as_mut().expect("a guard"), "{}", child.id()).expect("the guard runs");
        let pid = Pid::from_raw(child.id().cast_signed());
        self.children.push(child);
        pid
    }

    /// Kills a program that was started here (SIGKILL).
    pub fn kill(&self, pid: Pid) {
        // It is not waited for, so the id is still its.
        kill(pid, Signal::SIGKILL).expect("a process");
    }

    /// What is in the log of this name.
    pub fn log(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.path.join(name)).expect("a log")).into_owned()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        drop(self.pids.take());
        let _ = self.guard.wait();
        for child in &mut self.children {
            let _ = child.wait();
        }
    }
}

/// Ports of 127.0.0.1 that no program has now.
pub fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port"));
    listeners.map(|listener| listener.local_addr().expect("an address").port())
}

/// Waits until a program listens on this port.
pub fn wait_for_port(what: &str, port: u16) {
    wait_for(what, || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok());
}
