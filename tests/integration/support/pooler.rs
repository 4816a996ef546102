//! PgBouncer between the tests and a server.

use super::{eventually, owner};
use pgmedic::demo::Server;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A PgBouncer of a test's own, on a private socket. Dropping it kills it.
pub struct Pooler {
    child: Child,
    home: TempDir,
}

impl Pooler {
    /// In front of all databases of `server`, with `pool_mode` `session`, `transaction` or `statement`.
    pub fn start(server: &Server, pool_mode: &str) -> Self {
        Self::start_with(server, pool_mode, "")
    }

    /// The same, with more lines of its `[pgbouncer]` section.
    pub fn start_with(server: &Server, pool_mode: &str, settings: &str) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().display();
        let url = server.url("postgres");
        let parameter = |name: &str| {
            let (_, rest) = url.split_once(&format!("{name}=")).expect("a socket's URL");
            rest.split('&').next().unwrap_or_default().to_owned()
        };
        let config = home.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = host={} port={}\n[pgbouncer]\npool_mode = {pool_mode}\nunix_socket_dir = {folder}\n\
             auth_type = trust\nauth_file = {folder}/users\n{settings}\n",
            parameter("host"),
            parameter("port")
        );
        fs::write(&config, text).expect("a configuration");
        fs::write(home.path().join("users"), "\"postgres\" \"\"\n").expect("users");
        // It refuses root too, and only the server's account reaches the server's socket.
        let (user, group) = owner(server);
        let mut command = Command::new(program());
        if fs::metadata(home.path()).expect("our folder").uid() != user {
            fs::set_permissions(home.path(), Permissions::from_mode(0o755)).expect("reachable");
            chown(home.path(), Some(user), Some(group)).expect("its folder");
            command.uid(user).gid(group);
        }
        let child = command.arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let pooler = Self { child: child.expect("pgbouncer starts"), home };
        eventually("PgBouncer's socket", || UnixStream::connect(pooler.home.path().join(".s.PGSQL.6432")).ok());
        pooler
    }

    /// A database's URL, through it.
    pub fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&port=6432&user=postgres", self.home.path().display())
    }
}

/// Debian has it in a folder that is on root's path only.
fn program() -> &'static str {
    let found = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer"];
    found.into_iter().find(|path| fs::metadata(path).is_ok()).unwrap_or("pgbouncer")
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
