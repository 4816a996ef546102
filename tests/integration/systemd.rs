//! What systemd is told, by a socket of the test's own (sd_notify(3)).

use crate::support::{Agent, Database};
use nix::sys::signal::Signal;
use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;
use tempfile::TempDir;

/// Far beyond anything that happens every second.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

const BEAT: &str = "WATCHDOG=1";

/// The receiving end.
struct Systemd {
    socket: UnixDatagram,
    home: TempDir,
}

impl Systemd {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let socket = UnixDatagram::bind(home.path().join("notify")).expect("a socket");
        socket.set_read_timeout(Some(DEFAULT_TIMEOUT)).expect("a time-out");
        Self { socket, home }
    }

    /// An agent that it starts, as by `WatchdogSec=30`.
    fn starts(&self, database: &Database) -> Agent {
        let config = database.config("[http]\nlisten = \"127.0.0.1:0\"\n");
        let path = self.home.path().join("notify");
        let path = path.to_str().expect("a UTF-8 path");
        Agent::run_with(config, &[], &[("NOTIFY_SOCKET", path), ("WATCHDOG_USEC", "30000000")])
    }

    /// The next message.
    #[track_caller]
    fn hears(&self) -> String {
        let mut message = [0; 1000];
        // A wait with a time-out is cut short by any signal: another test's child has ended.
        let length = loop {
            match self.socket.recv(&mut message) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                received => break received.expect("a message"),
            }
        };
        String::from_utf8_lossy(&message[..length]).trim_end().to_owned()
    }

    /// Waits for this message; returns how many beats came before it.
    #[track_caller]
    fn waits_for(&self, wanted: &str) -> usize {
        let mut beats = 0;
        loop {
            match self.hears() {
                message if message == wanted => return beats,
                message if message == BEAT => beats += 1,
                other => panic!("{other:?} came before {wanted:?}"),
            }
        }
    }

    /// How many messages are there already.
    fn heard(&self) -> usize {
        self.socket.set_nonblocking(true).expect("a mode");
        let mut messages = 0;
        let error = loop {
            match self.socket.recv(&mut [0; 1000]) {
                Ok(_) => messages += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
        self.socket.set_nonblocking(false).expect("a mode");
        messages
    }
}

#[tokio::test]
async fn systemd_is_told_of_the_start_the_beats_and_the_end() {
    let database = Database::new().await;
    let systemd = Systemd::new();
    let agent = systemd.starts(&database);
    systemd.waits_for("READY=1");
    assert_eq!(agent.get("/livez").0, 200);
    for _ in 0..3 {
        assert_eq!(systemd.hears(), BEAT);
    }
    agent.stop();
    systemd.waits_for("STOPPING=1");
    assert_eq!(systemd.heard(), 0, "nothing comes after the end");
}

#[tokio::test]
async fn readiness_does_not_wait_for_the_database() {
    let database = Database::new().await;
    let systemd = Systemd::new();
    let config = database.config("[http]\nlisten = \"127.0.0.1:0\"\n");
    let text =
        std::fs::read_to_string(config.path()).unwrap().replace(database.url(), "postgres://u@127.0.0.1:1/nowhere");
    std::fs::write(config.path(), text).unwrap();
    let path = systemd.home.path().join("notify");
    let agent = Agent::run_with(config, &[], &[("NOTIFY_SOCKET", path.to_str().unwrap())]);
    systemd.waits_for("READY=1");
    agent.logs("cannot be monitored");
    systemd.waits_for(BEAT);
    agent.stop();
}

#[tokio::test]
async fn an_agent_that_hangs_feeds_no_watchdog() {
    let database = Database::new().await;
    let (one, other) = (Systemd::new(), Systemd::new());
    let (hanging, clock) = (one.starts(&database), other.starts(&database));
    one.waits_for("READY=1");
    one.waits_for(BEAT);
    other.waits_for("READY=1");
    hanging.signal(Signal::SIGSTOP);
    // What it had said before is here by the other's next beat; from then on the other's beats are our clock.
    other.heard();
    other.waits_for(BEAT);
    one.heard();
    for _ in 0..5 {
        other.waits_for(BEAT);
    }
    assert_eq!(one.heard(), 0);
    hanging.signal(Signal::SIGCONT);
    one.waits_for(BEAT);
    hanging.stop();
    clock.stop();
}
