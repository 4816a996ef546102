//! One run, watched from outside: how much memory it took, and how many relations any backend had locked at once.

use super::Result;
use super::clients;
use super::tables::block_on;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(1);

/// The catalog relations that the catalog query itself reads are counted too: they are locks like others.
const LOCKS: &str = "SELECT COALESCE(max(locks), 0)::float8, COALESCE(sum(locks), 0)::float8 FROM (
    SELECT count(*) AS locks FROM pg_locks WHERE locktype = 'relation' AND pid <> pg_backend_pid() GROUP BY pid) AS b";

const BACKENDS: &str = "SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()";

#[derive(Debug, Default)]
pub struct Seen {
    /// The kernel's own high-water mark of resident memory, in MB (2^20 bytes); none where there is no `/proc`.
    pub peak_mb: Option<f64>,
    /// The most memory of its own, shared buffers not counted, that one backend had, in MB; none as above.
    pub backend_mb: Option<f64>,
    /// The most relations that one backend had locked at once.
    pub locks_of_one: f64,
    /// The most that all backends had locked at once.
    pub locks_of_all: f64,
    /// How often the locks were looked at.
    pub samples: u64,
}

/// A dry run, not to be timed: watching it slows it down.
pub fn dry_run(url: &str) -> Result<Seen> {
    let mut command = clients::pgmedic(url, &["--once", "--dry-run"]);
    let mut child = command.stdout(Stdio::null()).spawn()?;
    let over = AtomicBool::new(false);
    let mut seen = thread::scope(|scope| {
        let sampler = scope.spawn(|| sample(url, &over).map_err(|error| error.to_string()));
        let peak = peak(&mut child);
        over.store(true, Ordering::Relaxed);
        let mut seen = sampler.join().unwrap_or_else(|_| Err("the sampler panicked".to_owned()))?;
        seen.peak_mb = peak;
        Ok::<Seen, String>(seen)
    })?;
    if !child.wait()?.success() {
        seen.peak_mb = None;
    }
    Ok(seen)
}

/// Looks at the mark until the process has ended; what it takes in its last millisecond is missed.
fn peak(child: &mut Child) -> Option<f64> {
    let mut peak = None;
    while matches!(child.try_wait(), Ok(None)) {
        peak = memory(child.id(), "VmHWM:").or(peak);
        thread::sleep(PAUSE);
    }
    peak
}

/// A process's memory, in MB.
pub fn memory(pid: u32, kind: &str) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kb = status.lines().find_map(|line| line.strip_prefix(kind))?.split_whitespace().next()?;
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
            for row in sqlx::query(BACKENDS).fetch_all(&mut connection).await? {
                let mb = memory(u32::try_from(row.try_get::<i32, _>(0)?)?, "RssAnon:");
                seen.backend_mb = mb.filter(|mb| seen.backend_mb.is_none_or(|most| *mb > most)).or(seen.backend_mb);
            }
            seen.samples += 1;
            tokio::time::sleep(PAUSE).await;
        }
        Ok(seen)
    })
}
