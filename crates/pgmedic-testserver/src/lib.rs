//! Starts a throwaway PostgreSQL server, for pgmedic's demo, tests and benchmarks. It is private to the process, and ends
//! and is deleted with it.
//!
//! | file | contents |
//! |---|---|
//! | `binaries.rs` | finds the programs `initdb` and `postgres` |
//! | `account.rs` | the account that runs the server, and its private directory |
//! | `programs.rs` | starts the programs as that account |
//! | `cluster.rs` | creates the cluster: `initdb`, `postgresql.conf`, `pg_hba.conf` |
//! | `reaper.rs` | a shell process that stops the server and deletes its directory when this process ends |
//! | `error.rs` | why a server cannot be started |

mod account;
mod binaries;
mod cluster;
mod error;
mod programs;
mod reaper;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use account::Account;
pub use error::ServerError;
use programs::Programs;
use reaper::ProcessReaper;

/// A slow, busy machine needs one or two seconds.
const READY_TIMEOUT: Duration = Duration::from_secs(30);
/// A server that is asked to stop ends its sessions after 5 s at the latest.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// The port without TCP, where it is only a part of the socket's name.
const SOCKET_PORT: u16 = 5432;
const LOG_LINES_SHOWN: usize = 20;

/// How to start a [`TestServer`]. The default listens on its private socket only.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// Also listen on a free port of 127.0.0.1. Then every user of this machine can connect as superuser, unless `hba`
    /// refuses it.
    pub tcp: bool,
    /// Names and values for `postgresql.conf`. They override the values that [`TestServer::start`] sets.
    pub settings: Vec<(String, String)>,
    /// The contents of `pg_hba.conf`. Without it, every connection is trusted.
    pub hba: Option<String>,
    /// The folder of the server's programs. Without it, the installed programs are searched for.
    pub programs: Option<PathBuf>,
}

/// A running PostgreSQL server in a private directory, for one process: the server stops and the directory is deleted
/// when this value is dropped, and also when the process ends without dropping it (even by SIGKILL).
///
/// The superuser is `postgres`, without a password. Encoding UTF8, locale C, time zone UTC. Root runs the server as
/// the account `postgres` or `nobody`, because PostgreSQL refuses root.
#[derive(Debug)]
pub struct TestServer {
    programs: Programs,
    version: String,
    /// Holds the socket, the log and the data directory.
    home: PathBuf,
    tcp: bool,
    port: u16,
    process: Option<Child>,
}

impl TestServer {
    /// Finds PostgreSQL, creates a cluster and starts it. Returns when it accepts connections, after about 1 s.
    ///
    /// # Errors
    ///
    /// When no server is installed, or none can be created and started within 30 s. The message contains the output of
    /// the programs.
    pub fn start(options: &ServerOptions) -> Result<Self, ServerError> {
        let folder = match &options.programs {
            Some(folder) => folder.clone(),
            None => binaries::find()?,
        };
        let account = Account::choose()?;
        let directory = account.directory()?;
        let reaper = ProcessReaper::watch(directory.path()).map_err(|source| ServerError::Io {
            what: "guard",
            path: directory.path().into(),
            source,
        })?;
        // From here on the reaper deletes it.
        let home = directory.keep();

        let mut programs = Programs { folder, account, reaper };
        let mut ask_version = programs.command("postgres");
        let version = short_version(&programs.run(ask_version.arg("--version"))?);
        let port = if options.tcp { free_port()? } else { SOCKET_PORT };
        let mut server = Self { programs, version, home, tcp: options.tcp, port, process: None };
        cluster::create(&mut server.programs, &server.home.join("data"), &server.home, options)?;
        server.launch()?;
        Ok(server)
    }

    /// The URL of a database, by the server's socket. The database need not exist.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let host = percent_encoded(&self.home.to_string_lossy()).replace("%2F", "/");
        format!("postgres:///{}?host={host}&port={}&user=postgres", percent_encoded(database), self.port)
    }

    /// The URL of a database by TCP, if the server was asked to listen there.
    #[must_use]
    pub fn tcp_url(&self, database: &str) -> Option<String> {
        self.tcp.then(|| format!("postgres://postgres@127.0.0.1:{}/{}", self.port, percent_encoded(database)))
    }

    /// The data directory of the cluster.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.home.join("data")
    }

    /// The folder of the server's programs.
    #[must_use]
    pub fn bin_dir(&self) -> &Path {
        &self.programs.folder
    }

    /// The server's process id; none while it is stopped.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// The server's version, for example `15.18`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Kills the server (SIGKILL), as a crash would. [`restart`](Self::restart) starts it again, by crash recovery.
    pub fn stop_hard(&mut self) {
        self.stop(Signal::SIGKILL);
    }

    /// Ends all sessions, shuts the server down (if it runs) and starts it again at the same address.
    /// [`tcp_url`](Self::tcp_url) changes only if another program has taken the TCP port meanwhile.
    ///
    /// # Errors
    ///
    /// When it does not start within 30 s. The message contains the end of its log.
    pub fn restart(&mut self) -> Result<(), ServerError> {
        self.stop(Signal::SIGINT);
        self.launch()
    }

    /// Starts the server. Tries again while it fails for a temporary reason: another program took the port, or backends
    /// of a killed server still run.
    fn launch(&mut self) -> Result<(), ServerError> {
        let deadline = Instant::now() + READY_TIMEOUT;
        loop {
            let outcome = self.launch_once(deadline);
            let Err(ServerError::Stopped { log, .. }) = &outcome else { return outcome };
            if log.contains("could not create any TCP/IP sockets") {
                self.port = free_port()?;
            } else if !log.contains("pre-existing shared memory block") {
                return outcome;
            }
            if Instant::now() > deadline {
                return outcome;
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    fn launch_once(&mut self, deadline: Instant) -> Result<(), ServerError> {
        let file = self.log_file();
        let log = File::create(&file).map_err(|source| ServerError::Io { what: "write", path: file, source })?;
        let mut command = self.programs.command("postgres");
        command.arg("-D").arg(self.data_dir()).args(["-p", &self.port.to_string()]);
        let child = self.programs.start(command.stdout(Stdio::null()).stderr(log))?;
        let child = self.process.insert(child);

        let pid_file = self.home.join("data/postmaster.pid");
        let socket = self.home.join(format!(".s.PGSQL.{}", self.port));
        let programs = &mut self.programs;
        let end = poll_until(deadline, || match programs.ended(child) {
            Some(status) => Some(Err(status)),
            None => is_ready(&pid_file, child.id(), &socket).then_some(Ok(())),
        });
        match end {
            Some(Ok(())) => Ok(()),
            Some(Err(status)) => {
                self.process = None;
                Err(ServerError::Stopped { status, log: self.log_tail() })
            }
            None => Err(ServerError::NotReady { seconds: READY_TIMEOUT.as_secs(), log: self.log_tail() }),
        }
    }

    /// Stops the server, if it runs; by SIGKILL if it does not stop in time.
    fn stop(&mut self, signal: Signal) {
        let Some(mut child) = self.process.take() else { return };
        if self.programs.ended(&mut child).is_some() {
            return;
        }
        // The child has not been reaped, so its process id cannot belong to another process.
        let _ = kill(Pid::from_raw(child.id().cast_signed()), signal);
        let deadline = Instant::now() + STOP_TIMEOUT;
        if poll_until(deadline, || self.programs.ended(&mut child)).is_none() {
            let _ = child.kill();
            let _ = child.wait();
            self.programs.reaper.release();
        }
    }

    fn log_file(&self) -> PathBuf {
        self.home.join("server.log")
    }

    fn log_tail(&self) -> String {
        let log = fs::read(self.log_file()).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }
}

/// An immediate shutdown: the reaper deletes the data directory next.
impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop(Signal::SIGQUIT);
    }
}

/// Calls `look` again and again, with short pauses, until it returns a value or the deadline has passed.
fn poll_until<T>(deadline: Instant, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    loop {
        let seen = look();
        if seen.is_some() || Instant::now() > deadline {
            return seen;
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// Whether the server accepts connections. The lock file must be this server's (an older server may have left one), its
/// eighth line must be `ready` (as `pg_ctl --wait` reads it), and a connection to the socket must succeed.
fn is_ready(pid_file: &Path, pid: u32, socket: &Path) -> bool {
    let Ok(lock) = fs::read_to_string(pid_file) else { return false };
    let mut lines = lock.lines().map(str::trim);
    lines.next() == Some(&pid.to_string()) && lines.nth(6) == Some("ready") && UnixStream::connect(socket).is_ok()
}

fn free_port() -> Result<u16, ServerError> {
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    let no_port = |source: io::Error| ServerError::Io { what: "find a free port on", path: "127.0.0.1".into(), source };
    address.map(|address| address.port()).map_err(no_port)
}

/// `15.18` from `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn short_version(line: &str) -> String {
    line.split_whitespace().nth(2).unwrap_or(line).to_owned()
}

/// All but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}
