//! Starts the agent as a process, reads its HTTP pages and its log, and stops it.

use super::database::command;
use super::{Database, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// The longest wait for an event that must come. The machine may be busy with other tests.
const DEADLINE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);
/// The longest wait for a process to end. The agent promises to end within five seconds.
const ENDS_WITHIN: Duration = Duration::from_secs(30);

/// Calls `look` until it returns a value, and panics after a minute.
#[track_caller]
pub fn wait_for<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    wait_for_within(DEADLINE, what, look)
}

/// The same with another time limit.
#[track_caller]
pub fn wait_for_within<T>(time: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + time;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "timed out waiting for: {what}");
        std::thread::sleep(PAUSE);
    }
}

/// Settings of an agent that makes a pass each second. More keys of `[sequences]` may follow.
pub const EVERY_SECOND: &str = "[sequences]\nschedule = \"* * * * * *\"\n";

impl Database {
    /// Waits until this query returns true.
    pub async fn wait_until(&mut self, query: &str) {
        wait_until(&mut self.connection, query).await;
    }
}

/// A running `pgmedic`. Dropping it kills it.
pub struct Agent {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    config: Option<NamedTempFile>,
}

impl Agent {
    /// Starts an agent on this database, with settings: TOML without `[http]`. It listens on a free port.
    #[track_caller]
    pub fn start(database: &Database, settings: &str) -> Self {
        Self::start_at(database.url(), database, settings)
    }

    /// The same with another URL of the database.
    #[track_caller]
    pub fn start_at(url: &str, database: &Database, settings: &str) -> Self {
        let config = database.config(&format!("{settings}\n[http]\nlisten = \"127.0.0.1:0\"\n"));
        edit(&config, |text| text.replace(database.url(), url));
        Self::run(config, &[])
    }

    /// Starts an agent with a whole configuration, whose `http.listen` must have port 0, and arguments. Returns when it
    /// listens for HTTP.
    #[track_caller]
    pub fn run(config: NamedTempFile, arguments: &[&str]) -> Self {
        Self::run_with(config, arguments, &[])
    }

    /// The same, with additional variables.
    #[track_caller]
    pub fn run_with(config: NamedTempFile, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let path = config.path().to_str().expect("a UTF-8 path").to_owned();
        Self::launch(&[&[("PGMEDIC_CONFIG", path.as_str())], variables].concat(), arguments, Some(config))
    }

    /// Starts an agent without a file, with these variables and a free port.
    #[track_caller]
    pub fn of_variables(variables: &[(&str, &str)]) -> Self {
        Self::launch(&[variables, &[("PGMEDIC_HTTP__LISTEN", "127.0.0.1:0")]].concat(), &[], None)
    }

    #[track_caller]
    fn launch(variables: &[(&str, &str)], arguments: &[&str], config: Option<NamedTempFile>) -> Self {
        let mut command = command(variables, arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("pgmedic starts");
        let log: Arc<Mutex<String>> = Arc::default();
        let lines = BufReader::new(child.stderr.take().expect("its log"));
        let shared = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let mut log = shared.lock().expect("no panic in between");
                log.push_str(&line);
                log.push('\n');
            }
        });
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut agent = Self { child, address, log, reader: Some(reader), config };
        agent.address = wait_for("listening on http://…", || agent.listens_on());
        agent
    }

    fn listens_on(&mut self) -> Option<SocketAddr> {
        if let Some(status) = self.child.try_wait().expect("its status") {
            panic!("it ended with {status}:\n{}", self.log());
        }
        let log = self.log();
        let (_, rest) = log.split_once("listening on http")?;
        let (_, address) = rest.lines().next()?.split_once("://")?;
        address.parse().ok()
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    /// The address that it listened on when it started.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of its status page.
    pub fn url(&self, query: &str) -> String {
        format!("http://{}/{query}", self.address)
    }

    /// The log so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("no panic in between").clone()
    }

    /// Its configuration again, for another agent.
    pub fn same_config(&self) -> NamedTempFile {
        let config = NamedTempFile::new().expect("a temporary file");
        fs::copy(self.config.as_ref().expect("a configuration").path(), config.path()).expect("a copy");
        config
    }

    /// Waits until the log contains this text.
    #[track_caller]
    pub fn logs(&self, text: &str) {
        wait_for(&format!("{text:?} in the log"), || self.log().contains(text).then_some(()));
    }

    /// Requests a path by GET. Returns status and body.
    #[track_caller]
    pub fn get(&self, path: &str) -> (u16, String) {
        fetch(self.address, path)
    }

    /// The last report of its first database.
    #[track_caller]
    pub fn report(&self) -> Value {
        let (status, reports) = self.get("/api/v1/reports");
        assert_eq!(status, 200, "{reports}");
        let reports: Value = serde_json::from_str(&reports).expect("JSON");
        reports["databases"][0]["report"].clone()
    }

    /// The value of a series of `/metrics`, named as it is printed there: `pgmedic_leader{database="app"}`. `None` if
    /// there is no such series.
    #[track_caller]
    pub fn metric(&self, series: &str) -> Option<f64> {
        let (status, metrics) = self.get("/metrics");
        assert_eq!(status, 200, "{metrics}");
        let value = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.map(|value| value.parse().unwrap_or_else(|_| panic!("{series} is {value}")))
    }

    /// Waits until the series has a value that fulfills the condition, and returns it.
    #[track_caller]
    pub fn wait_until(&self, series: &str, wanted: impl Fn(f64) -> bool) -> f64 {
        wait_for(&format!("{series} as wanted; the log:\n{}", self.log()), || {
            self.metric(series).filter(|value| wanted(*value))
        })
    }

    /// The number of passes so far over the database with this configured name.
    #[track_caller]
    pub fn passes(&self, database: &str) -> f64 {
        self.metric(&format!("pgmedic_pass_runs_total{{database=\"{database}\",pass=\"sequences\"}}")).unwrap_or(0.0)
    }

    /// Waits for this many more passes.
    #[track_caller]
    pub fn passes_again(&self, database: &str, times: f64) {
        let before = self.passes(database);
        self.wait_until(&format!("pgmedic_pass_runs_total{{database=\"{database}\",pass=\"sequences\"}}"), |passes| {
            passes >= before + times
        });
    }

    /// Sequences repaired so far by `nextval` in the database of this configured name, for any cause. None while
    /// there is no such series.
    #[track_caller]
    pub fn advances(&self, database: &str) -> Option<f64> {
        let by_cause = ["rewound", "ids_inserted", "unknown"].map(|cause| {
            let labels = format!("cause=\"{cause}\",database=\"{database}\",method=\"advance\",outcome=\"repaired\"");
            self.metric(&format!("pgmedic_repairs_total{{{labels}}}"))
        });
        by_cause.into_iter().sum()
    }

    /// Waits until that many have been.
    #[track_caller]
    pub fn has_advanced(&self, database: &str, times: f64) {
        wait_for(&format!("{times} repairs; the log:\n{}", self.log()), || {
            self.advances(database).filter(|advances| *advances == times)
        });
    }

    /// Changes the text of its configuration file, which it reads again on SIGHUP.
    pub fn edit(&self, change: impl FnOnce(String) -> String) {
        edit(self.config.as_ref().expect("it was started with a configuration"), change);
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        // The child was not waited for yet, so the process id is still its.
        kill(self.pid(), signal).expect("a signal");
    }

    /// Waits until it ends, for a limited time. Returns its exit status and its whole log.
    #[track_caller]
    pub fn ended(mut self) -> (ExitStatus, String) {
        let deadline = Instant::now() + ENDS_WITHIN;
        let status = loop {
            match self.child.try_wait().expect("its status") {
                Some(status) => break status,
                None => assert!(Instant::now() < deadline, "it does not end:\n{}", self.log()),
            }
            std::thread::sleep(PAUSE);
        };
        if let Some(reader) = self.reader.take() {
            reader.join().expect("its whole log");
        }
        (status, self.log())
    }

    /// Sends SIGTERM and requires a clean end. Returns the whole log.
    #[track_caller]
    pub fn stop(self) -> String {
        self.signal(Signal::SIGTERM);
        let (status, log) = self.ended();
        assert!(status.success() && !log.contains("did not end in time"), "{status}:\n{log}");
        log
    }
}

/// Requests a path by GET. Returns status and body.
#[track_caller]
pub fn fetch(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(DEADLINE)).expect("a time-out");
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.unwrap_or_else(|| panic!("no status in {head}")), body.to_owned())
}

fn edit(config: &NamedTempFile, change: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(config.path()).expect("the configuration");
    fs::write(config.path(), change(text)).expect("a new configuration");
}

impl Drop for Agent {
    fn drop(&mut self) {
        // No effect if the process has ended and was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
