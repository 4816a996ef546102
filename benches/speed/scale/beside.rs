//! What a pass every second takes from a load beside it.

use super::case::grouped;
use crate::Result;
use crate::agent::EVERY_SECOND;
use crate::daemon::Daemon;
use crate::figures::{Block, Plot};
use crate::tables::execute;
use crate::verdicts::Verdicts;
use pgmedic::demo::Server;
use serde_json::json;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::NamedTempFile;

/// One pass of these, which is every 20th by default, reads everything again.
const SECONDS: &str = "20";
const ROUNDS: usize = 5;

/// Passes before the load: the first reads everything, and the 21st is to fall into its middle.
const FIRST: u32 = 8;

/// Of the rate without the agent.
const LEAST: f64 = 0.98;

/// Tables that the agent watches and the load inserts into.
const BUSY: u32 = 10;

struct Load {
    name: &'static str,
    /// Inserts into watched tables, instead of pgbench's own transactions.
    inserts: bool,
}

const LOADS: [Load; 2] = [
    Load { name: "pgbench's own transactions", inserts: false },
    Load { name: "inserts into watched tables", inserts: true },
];

/// Eight clients, which keep both cores busy, in each of the databases. None where there is no pgbench.
pub fn block(server: &Server, databases: [(u32, &str); 2], verdicts: &mut Verdicts) -> Result<Option<Block>> {
    let program = server.bin_dir().join("pgbench");
    println!("\npgbench beside a pass every second");
    if !program.is_file() {
        println!("  no pgbench in {}", server.bin_dir().display());
        verdicts.at_most("a load's rate without the agent, against beside it", None, 1.0 / LEAST, "x");
        return Ok(None);
    }
    let (mut rows, mut rates) = (Vec::new(), Vec::new());
    for (sequences, url) in databases {
        tables(url, "CREATE TABLE busy_%s (id serial PRIMARY KEY, name text)")?;
        quietly(Command::new(&program).args(["-i", "-q", "-s", "20", "-n", url]))?;
        let mut script = NamedTempFile::new()?;
        write!(script, "\\set number random(1, {BUSY})\nINSERT INTO busy_:number (name) VALUES ('login');\n")?;
        for load in LOADS {
            let (mut without, mut with, mut ratios, mut passes) = (Vec::new(), Vec::new(), Vec::new(), 0.0);
            for round in 0..ROUNDS {
                // The one that begins takes turns too: a database that fills up grows slower.
                let run = |agent: bool| rate(&program, &load, script.path(), url, agent);
                let (first, second) = (run(round % 2 == 0)?, run(round % 2 == 1)?);
                let (beside, alone) = if round % 2 == 0 { (first, second) } else { (second, first) };
                ratios.push(beside.0 / alone.0);
                without.push(alone.0);
                with.push(beside.0);
                passes += beside.1;
            }
            let [without, with, ratio] = [without, with, ratios].map(median);
            let name = format!("{}, {} sequences", load.name, grouped(sequences));
            println!("  {name:<46} {without:.0} a second, {with:.0} beside {passes} passes: {ratio:.3}");
            verdicts.at_most(
                format!("{name}: the rate without the agent, against beside it"),
                Some(1.0 / ratio),
                1.0 / LEAST,
                "x",
            );
            let judged = if ratio >= LEAST { "" } else { ": **falls short**" };
            rows.push([
                name.clone(),
                format!("{without:.0}"),
                format!("{with:.0}"),
                format!("{:.1} % (limit {:.0} %{judged})", ratio * 100.0, LEAST * 100.0),
            ]);
            rates.push((name, without, with));
        }
        tables(url, "DROP TABLE busy_%s")?;
        execute(url, "DROP TABLE pgbench_accounts, pgbench_branches, pgbench_history, pgbench_tellers".to_owned())?;
    }
    let columns = ["load of eight clients", "transactions a second", "beside the agent", "median of the rounds"];
    let names = || rates.iter().map(|(name, ..)| json!(name)).collect();
    Ok(Some(Block::table("scale-load", columns, rows).plot(&Plot {
        title: "Transactions a second, without and with a pass every second",
        kind: "bar",
        x: ("", false),
        y: ("transactions a second", false),
        series: vec![
            ("without the agent", names(), rates.iter().map(|(_, without, _)| without.round()).collect()),
            ("beside it", names(), rates.iter().map(|(.., with)| with.round()).collect()),
        ],
    })))
}

fn tables(url: &str, statement: &str) -> Result<()> {
    execute(url, format!("DO $$ BEGIN FOR i IN 1..{BUSY} LOOP EXECUTE format('{statement}', i); END LOOP; END $$"))
}

/// Transactions a second, and how many passes the agent made meanwhile.
fn rate(program: &Path, load: &Load, script: &Path, url: &str, agent: bool) -> Result<(f64, f64)> {
    // What a round before left to write out belongs to nobody.
    execute(url, "CHECKPOINT".to_owned())?;
    let agent = if agent { Some(Daemon::start(url, &[EVERY_SECOND], &[])?) } else { None };
    let before = agent.as_ref().map(|agent| agent.passes(FIRST)).transpose()?;
    let mut command = Command::new(program);
    command.args(["-n", "-T", SECONDS, "-c", "8", "-j", "2"]);
    if load.inserts {
        command.arg("-f").arg(script);
    }
    let output = quietly(command.arg(url))?;
    let rate = output.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    let mut passes = 0.0;
    if let (Some(agent), Some(before)) = (agent, before) {
        passes = agent.count()? - before.count;
        agent.stop()?;
    }
    Ok((rate.ok_or_else(|| format!("pgbench tells no rate: {output}"))?, passes))
}

/// Runs it to its end; returns what it printed.
fn quietly(command: &mut Command) -> Result<String> {
    let output = command.env_remove("PGOPTIONS").stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    Err(format!("pgbench {}: {}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
