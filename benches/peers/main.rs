//! `scripts/bench --peers`: compares pgmedic with other tools that set sequences, on the same databases, in one run.
//!
//! Repairs are judged by inserts, without knowledge of how a tool works. Times are measured in turns. The results are
//! in the README and `docs/comparison.md`.

mod cases;
mod drifts;
mod figures;
mod load;
mod oracle;
mod peer;
#[path = "../speed/record.rs"]
mod record;
#[path = "../speed/rounds.rs"]
mod rounds;
mod site;
#[path = "../speed/tables.rs"]
mod tables;
mod time;

use figures::Figures;
use pgmedic_testserver::{ServerOptions, TestServer};
use std::error::Error;
use std::process::ExitCode;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const USAGE: &str = "usage: scripts/bench --peers [--drifts | --load | --time] [--check]\n\
                     \x20 --drifts  which kinds of drift each tool repairs, only\n\
                     \x20 --load    what each does to inserts beside it, only\n\
                     \x20 --time    how long each takes, only\n\
                     \x20 --check   exit with 1 when pgmedic leaves a drift or causes a duplicate";

fn main() -> ExitCode {
    let (mut parts, mut check) = (Vec::new(), false);
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--drifts" | "--load" | "--time" => parts.push(argument),
            "--check" => check = true,
            // Arguments of `scripts/bench` and of `cargo bench`.
            "--peers" | "--bench" => {}
            _ => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        }
    }
    match measure(&parts) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(u8::from(check)),
        Err(error) => {
            eprintln!("peers: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether pgmedic repaired everything and caused no failure.
fn measure(parts: &[String]) -> Result<bool> {
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|named| named == part);
    // Autovacuum would add to the measured times. The server is temporary, so that a loss in a crash does not matter.
    let settings = [("autovacuum", "off"), ("max_connections", "100")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let server = TestServer::start(&ServerOptions { settings, ..ServerOptions::default() })?;
    let mut figures = Figures::of(&server)?;
    println!("{}", figures.machine());
    let mut well = true;
    if wanted("--drifts") {
        well &= drifts::measure(&server, &mut figures)?;
    }
    if wanted("--load") {
        well &= load::measure(&server, &mut figures)?;
    }
    if wanted("--time") {
        time::measure(&server, &mut figures)?;
    }
    println!("\nwritten: {}", figures.write(&server, parts.is_empty())?.display());
    Ok(well)
}
