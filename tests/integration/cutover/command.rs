//! Runs `pgmedic cutover` on two databases.

use crate::support::{Database, Outcome, command, pgmedic, wait_for};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

/// Runs `pgmedic cutover` from `old` to `new`, with a JSON report.
pub fn cutover(old: &Database, new: &Database, arguments: &[&str]) -> Outcome {
    cutover_at(old.url(), new.url(), arguments)
}

/// The same with other connection strings.
pub fn cutover_at(old: &str, new: &str, arguments: &[&str]) -> Outcome {
    pgmedic(&[], &[&["cutover", "--from", old, "--to", new, "--format", "json"], arguments].concat())
}

impl Outcome {
    /// What the report of a cutover says of this sequence of the new database.
    #[track_caller]
    pub fn carried(&self, name: &str) -> Value {
        let report = self.json();
        let sequences = report["sequences"].as_array().expect("a list of sequences");
        let found = sequences.iter().find(|sequence| sequence["name"] == name);
        found.unwrap_or_else(|| panic!("no {name} in\n{}\n{}", self.stdout, self.stderr)).clone()
    }

    /// The kinds of all reasons that stand against a cutover, of this sequence.
    #[track_caller]
    pub fn against(&self, name: &str) -> Vec<String> {
        kinds(&self.carried(name)["reasons"])
    }

    /// The fix of the first reason that stands against a cutover, of this sequence.
    #[track_caller]
    pub fn fix_of(&self, name: &str) -> String {
        let sequence = self.carried(name);
        sequence["reasons"][0]["fix"].as_str().unwrap_or_else(|| panic!("{sequence:#}")).to_owned()
    }

    /// The kinds of all reasons that stand against a cutover, sequences aside.
    #[track_caller]
    pub fn reason_kinds(&self) -> Vec<String> {
        kinds(&self.json()["reasons"])
    }
}

fn kinds(reasons: &Value) -> Vec<String> {
    let reasons = reasons.as_array().expect("a list of reasons");
    reasons.iter().map(|reason| reason["kind"].as_str().expect("a kind").to_owned()).collect()
}

/// A `pgmedic cutover --watch` beside the test. Dropping it kills it.
pub struct Watching {
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Watching {
    /// Returns once everything was carried over for the first time.
    pub fn start(old: &Database, new: &Database, arguments: &[&str]) -> Self {
        let common = ["cutover", "--from", old.url(), "--to", new.url(), "--format", "json", "--watch"];
        let mut command = command(&[("PGMEDIC_LOG__LEVEL", "debug")], &[&common, arguments].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("pgmedic starts");
        let lines = BufReader::new(child.stderr.take().expect("a log")).lines();
        let log = Arc::new(Mutex::new(String::new()));
        let written = Arc::clone(&log);
        // Read to its end, so that the process never waits for its reader.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                *written.lock().unwrap() += &(line + "\n");
            }
        });
        let watching = Self { child, log };
        watching.wait_until_logged("NEW is kept ahead", 1);
        watching
    }

    /// Waits until the log has had so many lines with this text.
    pub fn wait_until_logged(&self, text: &str, times: usize) {
        wait_for(text, || (self.log.lock().unwrap().matches(text).count() >= times).then_some(()));
    }

    /// Stops it with this signal, and returns its report.
    pub fn stop(mut self, signal: Signal) -> Outcome {
        // The child was not waited for yet, so the process id is still its.
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).expect("a signal");
        let mut stdout = String::new();
        self.child.stdout.take().expect("its output").read_to_string(&mut stdout).expect("UTF-8");
        let status = self.child.wait().expect("its end");
        let stderr = self.log.lock().unwrap().clone();
        Outcome { code: status.code().expect("an exit code"), stdout, stderr }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
