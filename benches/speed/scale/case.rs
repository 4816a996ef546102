//! Measures one set of databases: a full pass, a quiet pass, the repair of everything, memory, and locks.

use crate::Result;
use crate::agent::{EVERY_SECOND, NEVER_FULL};
use crate::clients::{configured, report_of, run};
use crate::daemon::Daemon;
use crate::rounds::alternate;
use crate::server_side;
use crate::tables::set_all;
use crate::watch::{self, Seen};
use pgmedic_testserver::TestServer;
use std::fmt::Write as _;
use std::process::Command;
use std::time::Instant;
use tempfile::NamedTempFile;

const DRY_RUN: [&str; 2] = ["--once", "--dry-run"];

/// The log of a pass that read no table again. The first pass after a full one may read some, because the server's
/// statistics are late.
const QUIET: &str = " changed=0 ";

/// A set of databases, and how often each measurement is repeated.
pub struct Case<'a> {
    /// The URLs that pgmedic uses.
    pub urls: &'a [String],
    /// The URLs without the slow network.
    pub direct: &'a [String],
    pub sequences: u32,
    pub rounds: usize,
    /// How often all sequences drift and are repaired.
    pub repairs: usize,
}

/// Times in seconds, and memory in MB.
pub struct Cost {
    /// The median time of `pgmedic --once --dry-run`, the whole process.
    pub full: f64,
    /// The mean time for one database, from the agent's metrics.
    pub quiet: f64,
    /// The server's CPU time for one quiet pass.
    pub quiet_cpu: Option<f64>,
    /// The median time of `pgmedic --once` after every sequence has drifted, the whole process.
    pub repair: Option<f64>,
    /// The peak of the agent's memory, over a full pass and quiet ones.
    pub agent_mb: Option<f64>,
    /// The maximum of the observations of all runs.
    pub seen: Seen,
}

impl Case<'_> {
    /// Measures everything. The sequences are in sync before and after.
    pub fn cost(&self, server: &TestServer, rows: u32) -> Result<Cost> {
        let config = self.config()?;
        let look = || configured(config.path(), &DRY_RUN);
        let summary = report_of(look())?["summary"].clone();
        if summary["in_sync"] != self.sequences {
            return Err(format!("not all {} are in sync: {summary}", self.sequences).into());
        }
        let [full] = alternate(self.rounds, |_| Ok(()), |_| run(look()))?;
        println!("  full pass, the whole process       {}", full.show());
        let mut seen = self.watched(look())?;
        let (quiet, quiet_cpu, agent_mb) = self.quiet(server, &config)?;
        println!("  quiet pass                         {quiet:.4} s");
        let repair = || configured(config.path(), &["--once"]);
        let mut repairs = Vec::new();
        for _ in 0..self.repairs {
            self.drift()?;
            let started = Instant::now();
            run(repair())?;
            repairs.push(started.elapsed().as_secs_f64());
            self.in_order_again(look(), rows)?;
        }
        if self.repairs > 0 {
            // The observer uses part of the two cores, so this run is not timed.
            self.drift()?;
            seen = seen.or_more(self.watched(repair())?);
            self.in_order_again(look(), rows)?;
        }
        repairs.sort_by(f64::total_cmp);
        let repair = repairs.get(repairs.len() / 2).copied();
        if let Some(repair) = repair {
            println!("  all repaired, the whole process      {repair:.4} s");
        }
        watch::show(&seen);
        Ok(Cost { full: full.median().as_secs_f64(), quiet, quiet_cpu, repair, agent_mb, seen })
    }

    fn drift(&self) -> Result<()> {
        self.direct.iter().try_for_each(|url| set_all(url, 1, false))
    }

    /// Checks that everything was repaired.
    fn in_order_again(&self, look: Command, rows: u32) -> Result<()> {
        let summary = report_of(look)?["summary"].clone();
        if summary["in_sync"] != self.sequences {
            return Err(format!("not all {} were repaired: {summary}", self.sequences).into());
        }
        self.direct.iter().try_for_each(|url| set_all(url, rows, true))
    }

    fn config(&self) -> Result<NamedTempFile> {
        let mut text = String::new();
        for (number, url) in self.urls.iter().enumerate() {
            let _ = writeln!(text, "[[databases]]\nname = \"d{number}\"\nurl = \"{url}\"");
        }
        let file = tempfile::Builder::new().suffix(".toml").tempfile()?;
        std::fs::write(file.path(), text)?;
        Ok(file)
    }

    fn watched(&self, command: Command) -> Result<Seen> {
        let direct = self.direct.first().ok_or("no database")?;
        watch::run(direct, command)
    }

    /// The mean time for one database, the server's CPU time for it, and the agent's memory.
    fn quiet(&self, server: &TestServer, config: &NamedTempFile) -> Result<(f64, Option<f64>, Option<f64>)> {
        let mut command = configured(config.path(), &[]);
        command.envs([EVERY_SECOND, NEVER_FULL, ("PGMEDIC_LOG__LEVEL", "debug")]);
        let agent = Daemon::run(command)?;
        for _ in self.urls {
            agent.logs(QUIET)?;
        }
        let before = (agent.passes(1)?, server_side::cpu_seconds(server));
        let wanted = before.0.count + (self.urls.len() * self.rounds) as f64;
        let after = (agent.passes(wanted as u32)?, server_side::cpu_seconds(server));
        let cpu = server_side::each(before.1, after.1, after.0.count - before.0.count);
        let peak = watch::memory(agent.pid(), "VmHWM:");
        agent.stop()?;
        Ok((after.0.mean_since(before.0), cpu, peak))
    }
}

impl Cost {
    /// `12.3 MB`, or a dash if it was not measured.
    pub fn mb(figure: Option<f64>) -> String {
        figure.map_or("-".to_owned(), |mb| format!("{mb:.0} MB"))
    }

    pub fn locks(&self) -> String {
        format!("{:.0}", self.seen.locks_of_one)
    }

    pub fn repaired(&self) -> String {
        self.repair.map_or("-".to_owned(), seconds)
    }
}

/// Seconds or milliseconds, with few digits.
pub fn seconds(seconds: f64) -> String {
    match seconds {
        ..0.1 => format!("{:.1} ms", seconds * 1e3),
        ..10.0 => format!("{seconds:.2} s"),
        _ => format!("{seconds:.0} s"),
    }
}

/// A number with spaces between thousands: `10 000`.
pub fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join(" ")
}
