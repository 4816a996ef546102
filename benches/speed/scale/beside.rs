//! Measures by how much a pass each second reduces the rate of a load on the same machine.

use super::case::grouped;
use crate::Result;
use crate::agent::{EVERY_SECOND, NEVER_FULL};
use crate::daemon::{Daemon, Killed};
use crate::figures::{Block, Plot};
use crate::tables::execute;
use crate::verdicts::Verdicts;
use nix::sys::signal::Signal;
use pgmedic_testserver::TestServer;
use serde_json::json;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime};
use tempfile::NamedTempFile;

/// The seconds of a slice, in which the agent runs or is stopped. The rate of a load varies by more than an agent
/// takes, but little within a few seconds.
const SLICE: usize = 5;

/// The number of slices of each kind, in the order run, stopped, stopped, run, so that a load that becomes slower
/// favors neither.
const SLICES: usize = 20;

/// A statement that is stopped with the agent must not time out.
const LONG_TIMEOUT: (&str, &str) = ("PGMEDIC_SEQUENCES__STATEMENT_TIMEOUT", "60s");

/// Passes before the load. The first one reads everything.
const FIRST: u32 = 2;

/// The limit: the part of the rate that must remain.
const LEAST: f64 = 0.98;

/// The number of tables that the load inserts into.
const BUSY: u32 = 10;

struct Load {
    name: &'static str,
    /// Whether the load inserts into monitored tables. Otherwise it runs pgbench's transactions.
    inserts: bool,
    /// Whether every 20th pass reads everything, which is the default.
    full: bool,
}

const LOADS: [Load; 3] = [
    Load { name: "pgbench's own transactions", inserts: false, full: true },
    Load { name: "inserts into watched tables", inserts: true, full: true },
    Load { name: "pgbench's own, and no full pass", inserts: false, full: false },
];

/// Transactions per second while the agent was stopped and while it ran, for each slice.
#[derive(Default)]
struct Rates {
    alone: Vec<f64>,
    beside: Vec<f64>,
    passes: f64,
}

impl Rates {
    /// The ratio over all slices, so that a rare full pass counts as often as it occurs.
    fn ratio(&self) -> f64 {
        mean(&self.beside) / mean(&self.alone)
    }

    /// The standard error of the ratio, from its differences between pairs of slices.
    fn error(&self) -> f64 {
        let ratios: Vec<f64> = self.beside.iter().zip(&self.alone).map(|(beside, alone)| beside / alone).collect();
        let mean = mean(&ratios);
        let count = ratios.len() as f64;
        let squares: f64 = ratios.iter().map(|ratio| (ratio - mean).powi(2)).sum();
        (squares / (count - 1.0) / count).sqrt()
    }
}

fn mean(figures: &[f64]) -> f64 {
    figures.iter().sum::<f64>() / figures.len() as f64
}

/// Runs eight clients, which keep both cores busy, in each of the databases. `None` where there is no pgbench.
pub fn block(server: &TestServer, databases: [(u32, &str); 2], verdicts: &mut Verdicts) -> Result<Option<Block>> {
    let program = server.bin_dir().join("pgbench");
    println!("\npgbench beside a pass every second");
    if !program.is_file() {
        println!("  no pgbench in {}", server.bin_dir().display());
        verdicts.at_most("a load's rate without the agent, against beside it", None, 1.0 / LEAST, "x");
        return Ok(None);
    }
    let (mut rows, mut shown) = (Vec::new(), Vec::new());
    for (sequences, url) in databases {
        tables(url, "CREATE TABLE busy_%s (id serial PRIMARY KEY, name text)")?;
        quietly(Command::new(&program).args(["-i", "-q", "-s", "20", "-n", url]))?;
        let mut script = NamedTempFile::new()?;
        write!(script, "\\set number random(1, {BUSY})\nINSERT INTO busy_:number (name) VALUES ('login');\n")?;
        for load in LOADS {
            let rates = measured(&program, &load, script.path(), url)?;
            let (ratio, error) = (rates.ratio(), rates.error());
            let (alone, beside) = (mean(&rates.alone), mean(&rates.beside));
            let name = format!("{}, {} sequences", load.name, grouped(sequences));
            println!(
                "  {name:<46} {alone:.0} a second, {beside:.0} beside {} passes: {ratio:.3} (± {error:.3})",
                rates.passes
            );
            let what = format!("{name}: the rate without the agent, against beside it");
            verdicts.at_most(what, Some(1.0 / ratio), 1.0 / LEAST, "x");
            let judged = if ratio >= LEAST { "" } else { ": **falls short**" };
            let percent = [ratio, error, LEAST].map(|share| share * 100.0);
            let cell = format!("{:.1} % ± {:.1} (limit {:.0} %{judged})", percent[0], percent[1], percent[2]);
            rows.push([name.clone(), format!("{alone:.0}"), format!("{beside:.0}"), cell]);
            shown.push((name, alone, beside));
        }
        tables(url, "DROP TABLE busy_%s")?;
        execute(url, "DROP TABLE pgbench_accounts, pgbench_branches, pgbench_history, pgbench_tellers".to_owned())?;
    }
    let columns =
        ["load of eight clients", "transactions a second", "beside the agent", "of the rate, and standard error"];
    let names = || shown.iter().map(|(name, ..)| json!(name)).collect();
    Ok(Some(Block::table("scale-load", columns, rows).plot(&Plot {
        title: "Transactions a second, without and with a pass every second",
        kind: "bar",
        x: ("", false),
        y: ("transactions a second", false),
        series: vec![
            ("without the agent", names(), shown.iter().map(|(_, alone, _)| alone.round()).collect()),
            ("beside it", names(), shown.iter().map(|(.., beside)| beside.round()).collect()),
        ],
    })))
}

fn tables(url: &str, statement: &str) -> Result<()> {
    execute(url, format!("DO $$ BEGIN FOR i IN 1..{BUSY} LOOP EXECUTE format('{statement}', i); END LOOP; END $$"))
}

/// Repeats a run in which a pass failed, because the agent was stopped while it connected.
fn measured(program: &Path, load: &Load, script: &Path, url: &str) -> Result<Rates> {
    rates(program, load, script, url).or_else(|error| {
        println!("  once more: {error}");
        rates(program, load, script, url)
    })
}

/// Runs pgbench, which prints its rate every second, with an agent that is stopped and continued.
fn rates(program: &Path, load: &Load, script: &Path, url: &str) -> Result<Rates> {
    execute(url, "CHECKPOINT".to_owned())?;
    let rarely = (!load.full).then_some(NEVER_FULL);
    let variables: Vec<(&str, &str)> = [EVERY_SECOND, LONG_TIMEOUT].into_iter().chain(rarely).collect();
    let agent = Daemon::start(url, &variables, &[])?;
    let before = agent.passes(FIRST)?;
    let mut command = Command::new(program);
    let seconds = (2 * SLICES * SLICE + 1).to_string();
    command.args(["-n", "-P", "1", "-T", &seconds, "-c", "8", "-j", "2"]).env_remove("PGOPTIONS");
    if load.inserts {
        command.arg("-f").arg(script);
    }
    let mut child = Killed(command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?);
    let mut rates = Rates::default();
    let (mut slice, mut second) = (Vec::new(), 0);
    for line in BufReader::new(child.0.stderr.take().ok_or("pgbench tells nothing")?).lines() {
        let line = line?;
        let Some(rate) = line.strip_prefix("progress: ").and_then(|rest| rest.split(' ').nth(2)?.parse().ok()) else {
            return Err(format!("pgbench: {line}").into());
        };
        slice.push(rate);
        second += 1;
        if second % SLICE == 0 {
            let number = second / SLICE;
            if works(number) {
                agent.signal(Signal::SIGCONT)?;
            } else {
                thread::sleep(until_idle());
                agent.signal(Signal::SIGSTOP)?;
            }
            let slices = if works(number - 1) { &mut rates.beside } else { &mut rates.alone };
            slices.push(mean(&slice));
            slice.clear();
        }
    }
    let status = child.0.wait()?;
    agent.signal(Signal::SIGCONT)?;
    rates.passes = agent.count()? - before.count;
    let failures = agent.metric("pgmedic_pass_failures_total{")?;
    agent.stop()?;
    if !status.success() || rates.alone.len().min(rates.beside.len()) < SLICES || failures > 0.0 {
        return Err(format!("pgbench {status}, {} slices, {failures} passes failed", rates.alone.len()).into());
    }
    Ok(rates)
}

/// How long it takes until the agent, whose passes begin with each second, waits for the next one: an agent that is stopped within a
/// pass takes its connection for lost.
fn until_idle() -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let idle_from = Duration::from_millis(400);
    let within = Duration::from_nanos(now.subsec_nanos().into());
    match within {
        early if early < idle_from => idle_from - early,
        late if late > Duration::from_millis(900) => Duration::from_secs(1) + idle_from - late,
        _ => Duration::ZERO,
    }
}

/// Whether the agent runs in this slice.
fn works(slice: usize) -> bool {
    matches!(slice % 4, 0 | 3)
}

/// Runs a command and waits for its end.
fn quietly(command: &mut Command) -> Result<()> {
    let output = command.env_remove("PGOPTIONS").stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("pgbench {}: {}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}
