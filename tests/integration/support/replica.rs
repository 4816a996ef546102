//! A streaming replica of a test's own server.

use super::eventually;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pgmedic_testserver::{ServerOptions, TestServer};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::process::Command;

/// Asks the server to end, by a signal of its own: SIGTERM waits for its clients, SIGINT throws them out.
pub fn shut_down(server: &TestServer, signal: Signal) {
    let pid = server.pid().expect("a running server");
    // Our own child, which has not been waited for: its id is no other's.
    kill(Pid::from_raw(pid.cast_signed()), signal).expect("a signal");
}

/// Waits for the end of a server that was asked to.
#[track_caller]
pub fn until_ended(server: &TestServer) {
    let file = server.data_dir().join("postmaster.pid");
    eventually("the server's end", || (!file.exists()).then_some(()));
}

/// A hot standby on a socket of its own, which streams from `primary` and starts as a copy of it. For the copy the
/// primary is restarted, which ends its sessions.
pub fn replica_of(primary: &mut TestServer) -> TestServer {
    replica_with(primary, &ServerOptions::default())
}

/// The same, with options.
pub fn replica_with(primary: &mut TestServer, options: &ServerOptions) -> TestServer {
    let mut replica = TestServer::start(options).expect("a PostgreSQL server");
    replica.stop_hard();
    let data = replica.data_dir();
    let mut settings = fs::read_to_string(data.join("postgresql.conf")).expect("its configuration");
    fs::remove_dir_all(&data).expect("its cluster");

    shut_down(primary, Signal::SIGINT);
    until_ended(primary);
    // With owners and modes. Not by pg_basebackup, which does not come with every server.
    let copy = Command::new("cp").arg("-a").args([primary.data_dir(), data.clone()]).status();
    assert!(copy.expect("cp starts").success());
    primary.restart().expect("the primary");

    settings += &format!("primary_conninfo = '{}'\n", primary.url("postgres"));
    // Written into the copy's own files, whose owner stays.
    let mut file = OpenOptions::new().write(true).truncate(true).open(data.join("postgresql.conf")).expect("a copy");
    file.write_all(settings.as_bytes()).expect("a configuration");
    fs::write(data.join("standby.signal"), "").expect("a standby's mark");
    replica.restart().expect("the replica");
    replica
}
