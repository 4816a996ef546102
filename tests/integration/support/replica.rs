//! A streaming replica of a test's server.

use super::wait_for;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pgmedic_testserver::{ServerOptions, TestServer};
use sqlx::postgres::PgConnection;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Asks the server to end, by a signal: SIGTERM waits for its clients, SIGINT disconnects them.
pub fn shut_down(server: &TestServer, signal: Signal) {
    let pid = server.pid().expect("a running server");
    // The child was not waited for yet, so the process id is still the server's.
    kill(Pid::from_raw(pid.cast_signed()), signal).expect("a signal");
}

/// Waits until a server that was asked to end has ended.
#[track_caller]
pub fn wait_until_ended(server: &TestServer) {
    let file = server.data_dir().join("postmaster.pid");
    wait_for("the server's end", || (!file.exists()).then_some(()));
}

/// A hot standby on a separate socket, which starts as a copy of `primary` and streams from it. The primary is
/// restarted for the copy, which ends its sessions.
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
    wait_until_ended(primary);
    // `cp -a` keeps owners and modes. pg_basebackup is not installed with every server.
    let copy = Command::new("cp").arg("-a").args([primary.data_dir(), data.clone()]).status();
    assert!(copy.expect("cp starts").success());
    primary.restart().expect("the primary");

    settings += &format!("primary_conninfo = '{}'\n", primary.url("postgres"));
    // Written into the existing files, so that their owner stays.
    let mut file = OpenOptions::new().write(true).truncate(true).open(data.join("postgresql.conf")).expect("a copy");
    file.write_all(settings.as_bytes()).expect("a configuration");
    fs::write(data.join("standby.signal"), "").expect("a standby's mark");
    replica.restart().expect("the replica");
    replica
}

/// Stops the process of a replica that receives from the primary. Returns its id.
pub async fn pause_receiver(replica: &mut PgConnection) -> Pid {
    let query = "SELECT pid FROM pg_stat_wal_receiver";
    let pid: i32 = sqlx::query_scalar(query).fetch_one(replica).await.expect("a receiver");
    kill(Pid::from_raw(pid), Signal::SIGSTOP).expect("a receiver");
    Pid::from_raw(pid)
}

/// Ends it, before it reads what the primary had sent meanwhile.
pub fn end_receiver(receiver: Pid) {
    for signal in [Signal::SIGTERM, Signal::SIGCONT] {
        kill(receiver, signal).expect("a receiver");
    }
}

/// Makes a server that has ended follow another one, which was promoted after it had received everything, and starts it.
pub fn follow(old: &mut TestServer, primary: &TestServer) {
    let data = old.data_dir();
    let mut settings = OpenOptions::new().append(true).open(data.join("postgresql.conf")).expect("its settings");
    writeln!(settings, "primary_conninfo = '{}'", primary.url("postgres")).expect("a setting");
    fs::write(data.join("standby.signal"), "").expect("a standby's mark");
    old.restart().expect("the old primary follows");
}

/// The same for a server that was killed with what the other one has not received, which is taken back.
pub fn rewind(old: &mut TestServer, primary: &TestServer) {
    let data = old.data_dir();
    // It takes the configuration of the other server with everything else.
    let settings = fs::read(data.join("postgresql.conf")).expect("its settings");
    let mut command = Command::new(old.bin_dir().join("pg_rewind"));
    if nix::unistd::geteuid().is_root() {
        let (user, group) = super::owner(old);
        command.uid(user).gid(group);
    }
    command.current_dir("/").arg("-D").arg(&data).args(["--source-server", &primary.url("postgres")]);
    let output = command.output().expect("pg_rewind");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::write(data.join("postgresql.conf"), settings).expect("its settings");
    follow(old, primary);
}
