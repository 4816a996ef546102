//! `pgmedic demo`: what it shows, and that it leaves nothing behind.

mod serve;
mod watched;

use crate::support::{Outcome, command, server};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A directory that the account can enter, too, that root lets run the server.
fn directory() -> TempDir {
    tempfile::Builder::new().prefix("demo-").permissions(Permissions::from_mode(0o755)).tempdir_in("/tmp").unwrap()
}

/// The programs of the common server, with more options for `postgres`.
fn programs(options: &str) -> TempDir {
    let folder = directory();
    let real = server().bin_dir().display();
    for (name, script) in [
        ("initdb", format!("exec '{real}/initdb' \"$@\"")),
        (
            "postgres",
            format!("[ \"$1\" = --version ] && exec '{real}/postgres' \"$@\"\nexec '{real}/postgres' \"$@\" {options}"),
        ),
    ] {
        let file = folder.path().join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

/// A running demo, with a separate process group and temporary directory.
struct Demo {
    child: Child,
    stdout: BufReader<ChildStdout>,
    shown: String,
    temporary: TempDir,
}

impl Demo {
    fn start(programs: &Path) -> Self {
        Self::start_as(programs, &["demo"])
    }

    fn start_as(programs: &Path, arguments: &[&str]) -> Self {
        let temporary = directory();
        let mut child = command(&[], arguments)
            .env("TMPDIR", temporary.path())
            .env("PGMEDIC_PG_BIN", programs)
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout, shown: String::new(), temporary }
    }

    fn shows(&mut self, line: &str) {
        let from = self.shown.len();
        while !self.shown[from..].lines().any(|shown| shown.starts_with(line)) {
            let read = self.stdout.read_line(&mut self.shown).unwrap();
            assert!(read > 0, "it ended without {line:?}:\n{}", self.shown);
        }
    }

    /// Waits until the data directory is being made.
    fn waits_for_initdb(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let homes = || fs::read_dir(self.temporary.path()).unwrap().flatten();
        while !homes().any(|home| home.path().join("data").exists()) {
            assert!(Instant::now() < deadline, "initdb makes no directory");
            thread::yield_now();
        }
    }

    /// The server's process, from the file in which it says so itself.
    fn server(&self) -> Pid {
        let mut homes = fs::read_dir(self.temporary.path()).unwrap().flatten();
        let lock = homes.find_map(|home| fs::read_to_string(home.path().join("data/postmaster.pid")).ok());
        let lock = lock.expect("the server's directory");
        Pid::from_raw(lock.lines().next().unwrap().parse().unwrap())
    }

    /// What Ctrl-C on a terminal does: it signals the whole group.
    fn signal(&self, signal: Signal) {
        killpg(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    /// Waits for its end, and makes sure that nothing is left behind.
    fn end(mut self) -> Outcome {
        self.stdout.read_to_string(&mut self.shown).unwrap();
        let mut output = self.child.wait_with_output().unwrap();
        output.stdout = self.shown.into_bytes();
        let left: Vec<_> = fs::read_dir(self.temporary.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "left behind: {left:?}");
        Outcome::of(output)
    }
}

#[track_caller]
fn is_gone(process: Pid) {
    assert_eq!(kill(process, None), Err(Errno::ESRCH), "the server outlived the demo");
}

#[test]
fn it_shows_each_failure_and_each_fix_and_leaves_nothing_behind() {
    let mut demo = Demo::start(server().bin_dir());
    demo.shows("PostgreSQL ");
    let process = demo.server();
    let outcome = demo.end().exits(0);
    is_gone(process);
    assert_eq!(outcome.stderr, "");
    let story = outcome.stdout;
    assert!(!story.contains(|c: char| c.is_control() && c != '\n'), "control characters in a pipe:\n{story}");

    let mut lines = story.lines();
    let mut then = |start: &str, end: &str| {
        let found = lines.any(|line| line.starts_with(start) && line.ends_with(end));
        assert!(found, "no line {start:?} … {end:?} where it belongs in:\n{story}");
    };
    then(&format!("PostgreSQL {} is running", server().version()), "");
    then("    ERROR 23505: duplicate key value violates unique constraint \"user_sessions_pkey\"", "");
    then("    DETAIL: Key (session_id)=(658) already exists.", "");
    then("app (PostgreSQL ", " ms");
    then(" repaired  public.user_sessions_session_id_seq ", "  advance to 696");
    then("    session_id 696", "");
    for (table, _) in TABLES {
        then(&format!("    {table} "), " already exists.");
    }
    then("app (PostgreSQL ", " ms");
    then("  public.payments_id_seq: ", "pgmedic --once --approve public.payments_id_seq");
    for (table, new_row) in TABLES {
        then(&format!("    {table} "), &format!("  {new_row}"));
    }
    then("    40 logins: none succeeded, 40 were refused with ERROR 23505", "");
    then("    store.create_session(", "");
    then("    40 logins: 40 succeeded, none failed; the sequence was moved ", "");
    then("    [[sessions]]", "");
    then("shop (PostgreSQL ", " ms");
    then("  logins (public.user_sessions): 40 expired, 60 live left", "");
    then("The demo's server is gone", "");
    then("    DATABASE_URL=postgres://user@host/database ", "pgmedic --once --dry-run");
    let prose = story.lines().filter(|line| !line.starts_with([' ', '\t']) && !line.contains(" looked at in "));
    assert_eq!(prose.filter(|line| line.chars().count() > 80).collect::<Vec<_>>(), [""; 0]);
    assert!(story.contains(": 1 sequence, 1 repaired, looked at in "), "{story}");
    assert!(story.contains(": 11 sequences, 1 held, 9 repaired, 1 in sync, looked at in "), "{story}");
}

/// What becomes of a new row in each.
const TABLES: [(&str, &str); 10] = [
    ("invoices", "id 251"),
    ("customers", "id 41"),
    ("products", "id 1201"),
    ("tickets", "id 76"),
    ("shipments", "id 311"),
    ("readings", "id 1501"),
    ("drafts", "id -61"),
    ("events", "id 1013"),
    ("uploads", "id 501"),
    ("payments", "id 91"),
];

#[test]
fn a_signal_in_the_middle_ends_it_at_once_and_leaves_nothing_behind() {
    // The first commit waits for a standby that never comes, so the demo cannot be over before the signal.
    let programs = programs("-c synchronous_standby_names=absent");
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let mut demo = Demo::start(programs.path());
        demo.shows("PostgreSQL ");
        let process = demo.server();
        demo.signal(signal);
        let outcome = demo.end().exits(code);
        is_gone(process);
        assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
        assert!(!outcome.stdout.contains("1. A login fails"), "it went on:\n{}", outcome.stdout);
    }
}

#[test]
fn a_signal_while_the_server_starts_leaves_nothing_behind() {
    let programs = programs("-c synchronous_standby_names=absent");
    for at_work in [false, true] {
        let mut demo = Demo::start(programs.path());
        demo.shows("Starting ");
        if at_work {
            demo.waits_for_initdb();
        }
        demo.signal(Signal::SIGINT);
        let outcome = demo.end().exits(130);
        assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    }
}

#[test]
fn an_unexpected_result_is_an_error() {
    // Triggers do not fire then, so the new shipment has no id at all.
    let programs = programs("-c session_replication_role=replica");
    let outcome = Demo::start(programs.path()).end().exits(1);
    assert!(outcome.stderr.contains("INSERT INTO shipments"), "{}", outcome.stderr);
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    assert!(!outcome.stdout.contains("id 251"), "{}", outcome.stdout);
}

#[test]
fn a_reader_who_leaves_ends_it_quietly() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let bin = server().bin_dir().to_str().unwrap();
    let outcome = Outcome::of(command(&[("PGMEDIC_PG_BIN", bin)], &["demo"]).stdout(writer).output().unwrap());
    let outcome = outcome.exits(141);
    assert_eq!(outcome.stderr, "");
}

#[test]
fn without_a_server_it_names_the_folder_and_the_package() {
    let nowhere = directory();
    let nowhere = nowhere.path().to_str().unwrap();
    let variables = [("PATH", nowhere), ("PGMEDIC_PG_BIN", nowhere)];
    let outcome = Outcome::of(command(&variables, &["demo"]).output().unwrap()).exits(1);
    for part in [&format!("PGMEDIC_PG_BIN={nowhere}:"), "initdb", "apt install postgresql"] {
        assert!(outcome.stderr.contains(part), "{part} is missing: {}", outcome.stderr);
    }
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
}
