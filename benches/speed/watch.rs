//! Observes one run: the memory that it takes, and the relations that server processes lock at the same time.

use super::Result;
use super::tables::block_on;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Between two observations.
const PAUSE: Duration = Duration::from_millis(1);

/// Locks on relations of the database, which pgmedic limits. A statement also locks a few relations of the catalog.
const LOCKS: &str = "SELECT COALESCE(max(locks), 0)::float8, COALESCE(sum(locks), 0)::float8 FROM (
    SELECT count(*) AS locks FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'relation' AND relation >= 16384 AND application_name = 'pgmedic' GROUP BY pid) AS b";

const BACKENDS: &str = "SELECT pid FROM pg_stat_activity
    WHERE application_name = 'pgmedic' AND backend_type = 'client backend'";

#[derive(Debug, Default)]
pub struct Seen {
    /// The peak of resident memory that the kernel reports, in MB (2^20 bytes). `None` where there is no `/proc`.
    pub peak_mb: Option<f64>,
    /// The largest private memory (without shared buffers) of one server process, in MB. `None` where there is no
    /// `/proc`.
    pub backend_mb: Option<f64>,
    /// The largest private memory of all server processes together.
    pub backends_mb: Option<f64>,
    /// The largest number of server processes.
    pub backends: usize,
    /// The largest number of relations that one server process had locked.
    pub locks_of_one: f64,
    /// The largest number of relations that all server processes had locked.
    pub locks_of_all: f64,
    /// The number of observations.
    pub samples: u64,
}

impl Seen {
    /// The maximum of each figure.
    pub fn or_more(self, other: Self) -> Self {
        let more = |one: Option<f64>, other: Option<f64>| one.zip(other).map(|(one, other)| one.max(other));
        Self {
            peak_mb: more(self.peak_mb, other.peak_mb),
            backend_mb: more(self.backend_mb, other.backend_mb),
            backends_mb: more(self.backends_mb, other.backends_mb),
            backends: self.backends.max(other.backends),
            locks_of_one: self.locks_of_one.max(other.locks_of_one),
            locks_of_all: self.locks_of_all.max(other.locks_of_all),
            samples: self.samples + other.samples,
        }
    }
}

/// Runs pgmedic and observes it. The observation slows it down slightly. `url` is any database of the server.
pub fn run(url: &str, mut command: Command) -> Result<Seen> {
    let mut child = command.stdout(Stdio::null()).spawn()?;
    let over = AtomicBool::new(false);
    let seen = thread::scope(|scope| {
        let sampler = scope.spawn(|| sample(url, &over).map_err(|error| error.to_string()));
        let peak = peak(&mut child);
        over.store(true, Ordering::Relaxed);
        let mut seen = sampler.join().unwrap_or_else(|_| Err("the sampler panicked".to_owned()))?;
        seen.peak_mb = peak;
        Ok::<Seen, String>(seen)
    })?;
    let status = child.wait()?;
    if !status.success() {
        return Err(format!("{} {status}", command.get_program().display()).into());
    }
    Ok(seen)
}

pub fn show(seen: &Seen) {
    let megabytes = |mb: Option<f64>| mb.map_or("not measured: no /proc here".to_owned(), |mb| format!("{mb:.1} MB"));
    println!("  peak resident memory               {}", megabytes(seen.peak_mb));
    println!("  a server process's own memory      {}", megabytes(seen.backend_mb));
    let Seen { locks_of_one, locks_of_all, samples, .. } = seen;
    println!("  relations locked                   {locks_of_one} by one, {locks_of_all} by all ({samples} samples)");
}

/// Reads the peak until the process has ended. What it takes in its last millisecond is missed.
fn peak(child: &mut Child) -> Option<f64> {
    let mut peak = None;
    while matches!(child.try_wait(), Ok(None)) {
        peak = memory(child.id(), "VmHWM:").or(peak);
        thread::sleep(PAUSE);
    }
    peak
}

/// The memory of a process in MB.
pub fn memory(pid: u32, kind: &str) -> Option<f64> {
    field(pid, "status", kind)
}

/// The memory of a process in MB. Memory that is shared is divided among the processes that share it.
pub fn fair_share(pid: u32) -> Option<f64> {
    field(pid, "smaps_rollup", "Pss:")
}

fn field(pid: u32, file: &str, kind: &str) -> Option<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
    let kb = text.lines().find_map(|line| line.strip_prefix(kind))?.split_whitespace().next()?;
    Some(kb.parse::<f64>().ok()? / 1024.0)
}

fn sample(url: &str, over: &AtomicBool) -> Result<Seen> {
    block_on(async {
        let mut connection = PgConnection::connect(url).await?;
        let mut seen = Seen::default();
        while !over.load(Ordering::Relaxed) {
            let row = sqlx::query(LOCKS).fetch_one(&mut connection).await?;
            seen.locks_of_one = seen.locks_of_one.max(row.try_get(0)?);
            seen.locks_of_all = seen.locks_of_all.max(row.try_get(1)?);
            let (mut together, mut backends) = (None, 0);
            for row in sqlx::query(BACKENDS).fetch_all(&mut connection).await? {
                backends += 1;
                // The process may have ended.
                let Some(mb) = memory(u32::try_from(row.try_get::<i32, _>(0)?)?, "RssAnon:") else { continue };
                seen.backend_mb = Some(seen.backend_mb.map_or(mb, |most| most.max(mb)));
                together = Some(together.unwrap_or(0.0) + mb);
            }
            seen.backends = seen.backends.max(backends);
            seen.backends_mb =
                together.map(|mb| seen.backends_mb.map_or(mb, |most: f64| most.max(mb))).or(seen.backends_mb);
            seen.samples += 1;
            tokio::time::sleep(PAUSE).await;
        }
        Ok(seen)
    })
}
