//! Runs the agent as a process and requests its pages by HTTP.

use super::Result;
use super::clients::pgmedic;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Between two reads of the metrics.
const PAUSE: Duration = Duration::from_millis(100);

/// The longest wait for a line in the log, or for one pass.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A running agent. It is killed when it is dropped.
pub struct Daemon {
    child: Killed,
    address: SocketAddr,
    /// The lines of its log, and when they were read.
    log: Receiver<(Instant, String)>,
}

/// The passes since the start.
#[derive(Debug, Clone, Copy)]
pub struct Passes {
    pub count: f64,
    pub seconds: f64,
}

impl Passes {
    /// The mean duration of the passes since `before`, in seconds.
    pub fn mean_since(self, before: Self) -> f64 {
        (self.seconds - before.seconds) / (self.count - before.count)
    }
}

impl Daemon {
    /// Starts an agent on one database, with additional variables and arguments. Returns when it listens for HTTP.
    pub fn start(url: &str, variables: &[(&str, &str)], arguments: &[&str]) -> Result<Self> {
        let mut command = pgmedic(url, arguments);
        command.envs(variables.iter().copied());
        Self::run(command)
    }

    /// Starts an agent by this command. Returns when it listens for HTTP.
    pub fn run(mut command: Command) -> Result<Self> {
        command.env("PGMEDIC_HTTP__LISTEN", "127.0.0.1:0");
        let mut child = Killed(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?);
        let lines = BufReader::new(child.0.stderr.take().ok_or("the agent has no log")?);
        let (sender, log) = channel();
        // Read to the end, because the agent blocks when the pipe is full.
        thread::spawn(move || {
            for line in lines.lines().map_while(std::result::Result::ok) {
                let _ = sender.send((Instant::now(), line));
            }
        });
        let mut agent = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)), log };
        let (_, line) = agent.logs("listening on http://")?;
        let (_, address) = line.split_once("http://").ok_or("no address")?;
        agent.address = address.trim().parse()?;
        Ok(agent)
    }

    pub fn pid(&self) -> u32 {
        self.child.0.id()
    }

    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill(Pid::from_raw(i32::try_from(self.child.0.id())?), signal)?)
    }

    /// Waits for the next line that contains this text. Returns when it was read, and the line.
    pub fn logs(&self, text: &str) -> Result<(Instant, String)> {
        loop {
            let (at, line) = self.log.recv_timeout(TIMEOUT).map_err(|_| format!("{text:?} is never logged"))?;
            if line.contains(text) {
                return Ok((at, line));
            }
        }
    }

    /// Discards the lines that were logged so far.
    pub fn forget_log(&self) {
        while self.log.try_recv().is_ok() {}
    }

    /// The whole response to a request, including headers.
    pub fn get(&self, path: &str) -> Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if answer.starts_with("HTTP/1.0 200 ") { Ok(answer) } else { Err(format!("{path}: {answer}").into()) }
    }

    /// The value of the first series whose name begins with this text.
    pub fn metric(&self, series: &str) -> Result<f64> {
        let answer = self.get("/metrics")?;
        let value = answer.lines().find(|line| line.starts_with(series)).and_then(|line| line.rsplit(' ').next());
        Ok(value.ok_or_else(|| format!("{series} is not there"))?.parse()?)
    }

    /// Its resident memory in MB (2^20 bytes).
    pub fn resident_mb(&self) -> Result<f64> {
        Ok(self.metric("process_resident_memory_bytes ")? / f64::from(1 << 20))
    }

    /// The number of passes so far.
    pub fn count(&self) -> Result<f64> {
        self.metric("pgmedic_pass_duration_seconds_count{")
    }

    /// Waits until this many passes were made.
    pub fn passes(&self, number: u32) -> Result<Passes> {
        let (mut seen, mut since) = (0.0, Instant::now());
        loop {
            let count = self.count()?;
            if count >= f64::from(number) {
                return Ok(Passes { count, seconds: self.metric("pgmedic_pass_duration_seconds_sum{")? });
            }
            if count > seen {
                (seen, since) = (count, Instant::now());
            }
            if since.elapsed() > TIMEOUT {
                return Err(format!("timed out after {count} passes").into());
            }
            thread::sleep(PAUSE);
        }
    }

    /// Sends SIGTERM and requires a clean end.
    pub fn stop(mut self) -> Result<()> {
        // The child was not waited for yet, so the process id is still its.
        kill(Pid::from_raw(self.pid().cast_signed()), Signal::SIGTERM)?;
        let status = self.child.0.wait()?;
        if status.success() { Ok(()) } else { Err(format!("the agent {status}").into()) }
    }
}

/// A process that is killed when this is dropped.
pub struct Killed(pub Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
