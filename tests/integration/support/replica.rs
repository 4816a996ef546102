//! A streaming replica of a test's own server.

use super::owner;
use pgmedic::demo::{Server, ServerOptions};
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// A hot standby that streams from `primary`, on a socket of its own.
pub fn replica_of(primary: &Server) -> Server {
    let mut replica = Server::start(&ServerOptions::default()).expect("a PostgreSQL server");
    replica.stop_hard();
    let data = replica.data_dir();
    let own = fs::read(data.join("postgresql.conf")).expect("its configuration");
    fs::remove_dir_all(&data).expect("its cluster");
    let (user, group) = owner(primary);
    let backup = Command::new(primary.bin_dir().join("pg_basebackup"))
        .args(["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"])
        .args(["--dbname", &primary.url("postgres"), "--pgdata"])
        .arg(&data)
        .uid(user)
        .gid(group)
        .current_dir("/")
        .stdin(Stdio::null())
        .output()
        .expect("pg_basebackup starts");
    assert!(backup.status.success(), "{}", String::from_utf8_lossy(&backup.stderr));
    // Where to listen; whom to follow is in another file.
    fs::write(data.join("postgresql.conf"), own).expect("a configuration");
    replica.restart().expect("the replica");
    replica
}
