//! Measures how pgmedic grows with sequences, databases, partitions, distance, a load beside it, and agents.
//! `scripts/figures` writes the figures into `docs/performance.md`.

mod beside;
mod case;
mod distances;
mod fleet;
mod network;
mod partitions;
mod rights;
mod sizes;
mod spread;

use super::Result;
use super::figures;
use super::tables::database;
use super::verdicts::Verdicts;
use pgmedic_testserver::TestServer;

const ROWS: u32 = 5;
const MANY: u32 = 10_000;

/// Measures only the rate that a load keeps.
pub fn load(server: &TestServer, verdicts: &mut Verdicts) -> Result<()> {
    let [thousand, many] = databases(server)?;
    beside_a_load(server, [&thousand, &many], verdicts)
}

/// Measures only the sizes.
pub fn sizes(server: &TestServer, quick: bool, verdicts: &mut Verdicts) -> Result<()> {
    let [thousand, many] = databases(server)?;
    by_size(server, [&thousand, &many], quick, verdicts)
}

fn databases(server: &TestServer) -> Result<[String; 2]> {
    Ok([database(server, "scale_1000", MANY / 10, ROWS)?, database(server, "scale_10000", MANY, ROWS)?])
}

fn by_size(server: &TestServer, made: [&String; 2], quick: bool, verdicts: &mut Verdicts) -> Result<()> {
    figures::write(server, "sizes", &sizes::blocks(server, made, quick, verdicts)?)
}

fn beside_a_load(server: &TestServer, [thousand, many]: [&str; 2], verdicts: &mut Verdicts) -> Result<()> {
    if let Some(block) = beside::block(server, [(MANY / 10, thousand), (MANY, many)], verdicts)? {
        figures::write(server, "load", &[block])?;
    }
    Ok(())
}

/// Measures everything. `quick` leaves out the 100 000 sequences.
pub fn all(server: &TestServer, quick: bool, verdicts: &mut Verdicts) -> Result<()> {
    let [thousand, many] = databases(server)?;
    by_size(server, [&thousand, &many], quick, verdicts)?;
    let blocks = [
        fleet::block(server, &thousand, verdicts)?,
        distances::block(server, [("scale_1000", MANY / 10), ("scale_10000", MANY)], verdicts)?,
        partitions::block(server, verdicts)?,
        rights::block(server, verdicts)?,
        spread::block(server, &many, verdicts)?,
    ];
    figures::write(server, "scale", &blocks)?;
    beside_a_load(server, [&thousand, &many], verdicts)
}
