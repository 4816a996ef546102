//! Measures a running agent: the time of its passes, its memory, its server processes' memory, and its scrapes.

use super::Result;
use super::daemon::Daemon;
use super::server_side;
use super::tables::{database, set_all};
use super::verdicts::Verdicts;
use pgmedic_testserver::TestServer;
use std::thread;
use std::time::{Duration, Instant};

pub const EVERY_SECOND: (&str, &str) = ("PGMEDIC_SEQUENCES__SCHEDULE", "* * * * * *");
const ALWAYS_FULL: (&str, &str) = ("PGMEDIC_SEQUENCES__FULL_PASS_EVERY", "1");
pub const NEVER_FULL: (&str, &str) = ("PGMEDIC_SEQUENCES__FULL_PASS_EVERY", "1000000");

/// A schedule that starts no pass during a measurement.
pub const YEARLY: (&str, &str) = ("PGMEDIC_SEQUENCES__SCHEDULE", "0 0 0 1 1 *");

/// Passes that are not measured: the first one reads the catalog, over new connections.
const FIRST: u32 = 2;
const FULL: u32 = 10;
const MORE_FULL: u32 = 30;
const QUIET: u32 = 20;
const SCRAPES: usize = 21;
const REPORTS: usize = 5;

/// Between two reads of the server processes' memory.
const PAUSE: Duration = Duration::from_millis(10);

const LARGEST_SCRAPE_KB: f64 = 200.0;
const SLOWEST_SCRAPE_MS: f64 = 50.0;

/// Measures an agent on one small table. Returns the URL of the database.
pub fn small(server: &TestServer, verdicts: &mut Verdicts) -> Result<String> {
    let url = database(server, "agent_small", 1, 10)?;
    let agent = Daemon::start(&url, &[EVERY_SECOND], &[])?;
    agent.passes(FULL)?;
    let idle = agent.resident_mb()?;
    println!("  the agent's resident memory        {idle:.1} MB after {FULL} passes");
    verdicts.at_most("the agent's resident memory, one table", Some(idle), 15.0, "MB");
    agent.stop()?;
    Ok(url)
}

/// Measures an agent on ten thousand tables with `rows` rows each, all in sync.
pub fn many(server: &TestServer, url: &str, rows: u32, verdicts: &mut Verdicts) -> Result<()> {
    println!("\nthe agent on the 10 000 tables, every second");
    let (full, full_cpu) = full_passes(server, url, verdicts)?;
    let agent = Daemon::start(url, &[EVERY_SECOND, NEVER_FULL], &[])?;
    let before = (agent.passes(FIRST)?, server_side::cpu_seconds(server));
    let after = (agent.passes(FIRST + QUIET)?, server_side::cpu_seconds(server));
    let quiet = after.0.mean_since(before.0);
    let cpu = server_side::each(before.1, after.1, after.0.count - before.0.count);
    println!("  a quiet pass                       {quiet:.4} s, server {}", show(cpu));
    println!("  resident memory after them         {:.1} MB", agent.resident_mb()?);
    verdicts.at_most("a quiet pass over 10 000 tables, against a full one", Some(quiet / full), 0.1, "x");
    let ratio = cpu.zip(full_cpu).map(|(quiet, full)| quiet / full);
    verdicts.at_most("the server's CPU time for it, against a full one", ratio, 0.1, "x");
    scrape("a scrape, 10 000 tables in sync", &agent, verdicts)?;
    agent.stop()?;

    set_all(url, 1, false)?;
    let agent = Daemon::start(url, &[YEARLY], &["--dry-run"])?;
    agent.passes(1)?;
    let behind = agent.metric("pgmedic_detail_series_dropped{")?;
    if behind < 9_000.0 {
        return Err(format!("only {behind} sequences are too many").into());
    }
    scrape("a scrape, all of 10 000 tables behind", &agent, verdicts)?;
    agent.stop()?;
    set_all(url, rows, true)
}

/// Returns the mean duration of a full pass and the server's CPU time for it, in seconds.
fn full_passes(server: &TestServer, url: &str, verdicts: &mut Verdicts) -> Result<(f64, Option<f64>)> {
    let agent = Daemon::start(url, &[EVERY_SECOND, ALWAYS_FULL], &[])?;
    agent.passes(1)?;
    let backends = server_processes(server, &agent, FIRST)?;
    let before = (agent.passes(FIRST)?, server_side::cpu_seconds(server));
    let after = (agent.passes(FIRST + FULL)?, server_side::cpu_seconds(server));
    let full = after.0.mean_since(before.0);
    let cpu = server_side::each(before.1, after.1, after.0.count - before.0.count);
    let resident = agent.resident_mb()?;
    println!("  a full pass                        {full:.4} s, server {}", show(cpu));
    agent.passes(MORE_FULL)?;
    let (later, backends_later) = (agent.resident_mb()?, server_processes(server, &agent, MORE_FULL + 1)?);
    println!("  the agent's resident memory        {resident:.1} MB, after {MORE_FULL} full passes {later:.1} MB");
    for _ in 0..REPORTS {
        agent.get("/api/v1/reports")?;
    }
    println!("  after {REPORTS} readings of its reports      {:.1} MB", agent.resident_mb()?);
    let largest = format!("the agent's resident memory after {MORE_FULL} full passes over 10 000");
    verdicts.at_most(largest, Some(later.max(resident)), 40.0, "MB");
    if let Some((first, later)) = backends.zip(backends_later) {
        println!("  its server processes' own memory   {first:.1} MB, after {MORE_FULL} full passes {later:.1} MB");
    }
    let growth = backends.zip(backends_later).map(|(first, later)| later / first);
    let what = format!("its server processes' memory after {MORE_FULL} passes, against one");
    verdicts.at_most(what, growth, 1.5, "x");
    agent.stop()?;
    Ok((full, cpu))
}

/// The largest memory of all server processes of the agent together, until this many passes were made.
fn server_processes(server: &TestServer, agent: &Daemon, passes: u32) -> Result<Option<f64>> {
    let mut most: Option<f64> = None;
    while agent.count()? < f64::from(passes) {
        most = server_side::memory_mb(server).map(|now| most.map_or(now, |most| most.max(now)));
        thread::sleep(PAUSE);
    }
    Ok(most)
}

/// Measures the median time and the size of a scrape.
fn scrape(what: &str, agent: &Daemon, verdicts: &mut Verdicts) -> Result<()> {
    let mut times = Vec::new();
    let mut size = 0;
    for _ in 0..SCRAPES {
        let started = Instant::now();
        size = size.max(agent.get("/metrics")?.len());
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    verdicts.at_most(format!("{what}: time"), Some(times[SCRAPES / 2]), SLOWEST_SCRAPE_MS, "ms");
    verdicts.at_most(format!("{what}: size"), Some(size as f64 / 1e3), LARGEST_SCRAPE_KB, "kB");
    Ok(())
}

fn show(cpu: Option<f64>) -> String {
    cpu.map_or("not measured: no /proc here".to_owned(), |seconds| format!("CPU time {seconds:.4} s"))
}
