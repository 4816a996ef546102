//! A PgBouncer between a test and a server.

use super::{owner, wait_for};
use pgmedic_testserver::TestServer;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A PgBouncer for one test, on a private socket. It is killed when it is dropped.
pub struct Pooler {
    child: Child,
    home: TempDir,
    /// User and group that it runs as, if not those of this process.
    account: Option<(u32, u32)>,
}

impl Pooler {
    /// Starts one for all databases of `server`, with `pool_mode` `session`, `transaction` or `statement`.
    pub fn start(server: &TestServer, pool_mode: &str) -> Self {
        Self::start_with(server, pool_mode, "")
    }

    /// The same, with more lines of its `[pgbouncer]` section.
    pub fn start_with(server: &TestServer, pool_mode: &str, settings: &str) -> Self {
        let url = server.url("postgres");
        let parameter = |name: &str| {
            let (_, rest) = url.split_once(&format!("{name}=")).expect("a socket's URL");
            rest.split('&').next().unwrap_or_default().to_owned()
        };
        let target = format!("host={} port={}", parameter("host"), parameter("port"));
        Self::before(&target, owner(server), &["postgres"], &format!("pool_mode = {pool_mode}\n{settings}"))
    }

    /// Starts one for the server at `target` (`host=… port=…`), for these users. It runs as the server's user and
    /// group.
    pub fn before(target: &str, (user, group): (u32, u32), users: &[&str], settings: &str) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().display();
        let text = format!(
            "[databases]\n* = {target}\n[pgbouncer]\nunix_socket_dir = {folder}\n\
             auth_type = trust\nauth_file = {folder}/users\n{settings}\n",
        );
        fs::write(home.path().join("pgbouncer.ini"), text).expect("a configuration");
        let users: String = users.iter().map(|user| format!("\"{user}\" \"\"\n")).collect();
        fs::write(home.path().join("users"), users).expect("users");
        // PgBouncer refuses to run as root, and only the server's user can reach the server's socket.
        let mut account = None;
        if fs::metadata(home.path()).expect("our folder").uid() != user {
            fs::set_permissions(home.path(), Permissions::from_mode(0o755)).expect("reachable");
            chown(home.path(), Some(user), Some(group)).expect("its folder");
            account = Some((user, group));
        }
        Self { child: launch(&home, account), home, account }
    }

    /// Kills it with SIGKILL, as in a crash.
    pub fn stop_hard(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Kills it if it runs, and starts it again on the same socket.
    pub fn restart(&mut self) {
        self.stop_hard();
        self.child = launch(&self.home, self.account);
    }

    /// The URL of a database through it.
    pub fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&port=6432&user=postgres", self.home.path().display())
    }
}

/// Starts the process, and returns when its socket accepts connections.
fn launch(home: &TempDir, account: Option<(u32, u32)>) -> Child {
    let mut command = Command::new(program());
    if let Some((user, group)) = account {
        command.uid(user).gid(group);
    }
    command.arg(home.path().join("pgbouncer.ini"));
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let child = child.expect("pgbouncer starts");
    wait_for("PgBouncer's socket", || UnixStream::connect(home.path().join(".s.PGSQL.6432")).ok());
    child
}

/// The path of the program. On Debian it is in a folder that only root has in its PATH.
fn program() -> &'static str {
    let found = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer"];
    found.into_iter().find(|path| fs::metadata(path).is_ok()).unwrap_or("pgbouncer")
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.stop_hard();
    }
}
