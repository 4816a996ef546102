//! What one set of databases costs: a full pass, a quiet one, repairing everything, memory, and locks.

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

/// What is logged of a pass that read nothing again. The first after a full one may still: the server counts late.
const QUIET: &str = " changed=0 ";

/// Databases, and how often each thing is done to them.
pub struct Case<'a> {
    /// As pgmedic reaches them.
    pub urls: &'a [String],
    /// The same, without a slow network in between.
    pub direct: &'a [String],
    pub sequences: u32,
    pub rounds: usize,
    /// How often everything is to drift and be repaired.
    pub repairs: usize,
}

/// In seconds and MB.
pub struct Cost {
    /// `pgmedic --once --dry-run`, the whole process; the median.
    pub full: f64,
    /// The mean of one database's, as the agent tells it.
    pub quiet: f64,
    /// The server's CPU time for one.
    pub quiet_cpu: Option<f64>,
    /// `pgmedic --once` when every sequence has drifted, the whole process; the median.
    pub repair: Option<f64>,
    /// The agent's peak, over a full pass and quiet ones.
    pub agent_mb: Option<f64>,
    /// What was seen of the runs, at worst.
    pub seen: Seen,
}

impl Case<'_> {
    /// Measures all of it. The sequences are in sync before and after.
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
            // The watcher takes its share of two cores, so this one is not timed.
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

    /// Everything must have been repaired.
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

    /// One database's mean duration, the server's CPU time for it, and the agent's memory.
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
    /// `12.3 MB`, or a dash where there is no `/proc`.
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

/// As short as it may be.
pub fn seconds(seconds: f64) -> String {
    match seconds {
        ..0.1 => format!("{:.1} ms", seconds * 1e3),
        ..10.0 => format!("{seconds:.2} s"),
        _ => format!("{seconds:.0} s"),
    }
}

/// `10 000`.
pub fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join(" ")
}
