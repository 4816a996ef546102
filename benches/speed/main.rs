//! `make bench`: measures speed and memory on a temporary server, and compares each figure with its limit.
//!
//! Absolute times depend on the machine and its load. So the limits are mostly ratios between programs that take turns
//! in one run. `docs/performance.md` explains the output.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a panic is how a measurement fails, and clocks are measured"
)]

mod agent;
mod clients;
mod cutover;
mod daemon;
mod figures;
mod imports;
mod inline_repair;
mod logins;
mod notified;
mod record;
mod repairs;
mod retries;
mod rounds;
mod scale;
mod server_side;
mod sessions;
mod sql_function;
mod sweep;
mod tables;
mod verdicts;
mod watch;

use pgmedic_testserver::{ServerOptions, TestServer};
use std::error::Error;
use std::process::ExitCode;
use verdicts::Verdicts;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The parts that can be measured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    All,
    Cutover,
    Load,
    Logins,
    Scale,
    Sessions,
    Sizes,
}

const USAGE: &str = "usage: scripts/bench [--cutover | --load | --logins | --scale | --sessions | --sizes] [--quick] [--check]\n\
                     \x20 --quick     leave out the 100 000 tables\n\
                     \x20 --scale     only how it grows: sequences, databases, partitions, distance, load, agents\n\
                     \x20 --sizes     of that, only 1 000, 10 000 and 100 000 sequences\n\
                     \x20 --load      of that, only the rate that a load keeps\n\
                     \x20 --cutover   only the sequences that are carried to another database\n\
                     \x20 --logins    only inserts with inline repair\n\
                     \x20 --sessions  only the sweep of session stores\n\
                     \x20 --check     exit with 1 when a figure misses its limit";

fn main() -> ExitCode {
    let (mut part, mut quick, mut check) = (Part::All, false, false);
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--quick" => quick = true,
            "--cutover" => part = Part::Cutover,
            "--load" => part = Part::Load,
            "--logins" => part = Part::Logins,
            "--scale" => part = Part::Scale,
            "--sessions" => part = Part::Sessions,
            "--sizes" => part = Part::Sizes,
            "--check" => check = true,
            // An argument of `cargo bench`.
            "--bench" => {}
            _ => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        }
    }
    let mut verdicts = Verdicts::default();
    if let Err(error) = measure(part, quick, &mut verdicts) {
        eprintln!("bench: {error}");
        return ExitCode::FAILURE;
    }
    if check && !verdicts.all_pass() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn measure(part: Part, quick: bool, verdicts: &mut Verdicts) -> Result<()> {
    // The server's default settings, except autovacuum, which would add to the measured times.
    let settings = vec![("autovacuum".to_owned(), "off".to_owned())];
    let server = TestServer::start(&ServerOptions { settings, tcp: part == Part::Scale, ..ServerOptions::default() })?;
    let cores = std::thread::available_parallelism()?;
    println!("PostgreSQL {}, {cores} cores, {}", server.version(), load());
    match part {
        Part::Sessions => {
            sessions::a_million(&server, verdicts)?;
            sessions::a_backlog(&server, verdicts)?;
        }
        Part::Logins => {
            retries::ratios(&server, verdicts)?;
            inline_repair::small(&server, verdicts)?;
            let many = sweep::tables(&server)?;
            inline_repair::repaired("10 000 tables", &many, sweep::ROWS, verdicts)?;
            sql_functions(&server, &many, verdicts)?;
        }
        Part::Cutover => cutover::ten_thousand(&server, verdicts)?,
        Part::Load => scale::load(&server, verdicts)?,
        Part::Sizes => scale::sizes(&server, quick, verdicts)?,
        Part::Scale => scale::all(&server, quick, verdicts)?,
        Part::All => everything(&server, quick, verdicts)?,
    }
    println!("\nat the end: {}\n\n{verdicts}", load());
    Ok(())
}

fn everything(server: &TestServer, quick: bool, verdicts: &mut Verdicts) -> Result<()> {
    let many = sweep::ten_thousand(server, verdicts)?;
    sweep::far_ids(&many, verdicts)?;
    agent::many(server, &many, sweep::ROWS, verdicts)?;
    let small = agent::small(server, verdicts)?;
    notified::latency("one table", &small, verdicts)?;
    notified::latency("10 000 tables", &many, verdicts)?;
    repairs::one(server, verdicts)?;
    repairs::a_thousand(server)?;
    retries::ratios(server, verdicts)?;
    inline_repair::small(server, verdicts)?;
    inline_repair::repaired("10 000 tables", &many, sweep::ROWS, verdicts)?;
    sql_functions(server, &many, verdicts)?;
    sessions::a_million(server, verdicts)?;
    cutover::ten_thousand(server, verdicts)?;
    if !quick {
        sessions::a_backlog(server, verdicts)?;
        sweep::a_hundred_thousand(server, &many, verdicts)?;
    }
    Ok(())
}

/// The login path's SQL: beside 10, 1 000 and 10 000 tables.
fn sql_functions(server: &TestServer, many: &str, verdicts: &mut Verdicts) -> Result<()> {
    let few = tables::database(server, "ten", 10, sweep::ROWS)?;
    sql_function::called("10 tables", &few, verdicts)?;
    sql_function::called("1 000 tables", &tables::database(server, "thousand", 1000, sweep::ROWS)?, verdicts)?;
    sql_function::called("10 000 tables", many, verdicts)?;
    sql_function::followed(&few, verdicts)?;
    imports::duplicates(&few, verdicts)
}

/// The load average. If it is near the number of cores, the figures are noise.
fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let minute = load.split(' ').next().filter(|minute| !minute.is_empty()).unwrap_or("unknown");
    format!("load average {minute}")
}
