//! How pgmedic grows: with sequences, databases, partitions, distance, load beside it, and agents. Each figure goes
//! into `docs/performance.md`, by `scripts/figures`.

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
use pgmedic::demo::Server;

const ROWS: u32 = 5;
const MANY: u32 = 10_000;

/// Only what a load beside it keeps of its rate.
pub fn load(server: &Server, verdicts: &mut Verdicts) -> Result<()> {
    let thousand = database(server, "scale_1000", MANY / 10, ROWS)?;
    let many = database(server, "scale_10000", MANY, ROWS)?;
    beside_a_load(server, [&thousand, &many], verdicts)
}

fn beside_a_load(server: &Server, [thousand, many]: [&str; 2], verdicts: &mut Verdicts) -> Result<()> {
    if let Some(block) = beside::block(server, [(MANY / 10, thousand), (MANY, many)], verdicts)? {
        figures::write(server, "load", "performance", &[block])?;
    }
    Ok(())
}

/// All of it; `quick` leaves out the 100 000 sequences.
pub fn all(server: &Server, quick: bool, verdicts: &mut Verdicts) -> Result<()> {
    let thousand = database(server, "scale_1000", MANY / 10, ROWS)?;
    let many = database(server, "scale_10000", MANY, ROWS)?;
    let mut blocks = sizes::blocks(server, [&thousand, &many], quick, verdicts)?;
    blocks.push(fleet::block(server, &thousand, verdicts)?);
    blocks.push(distances::block(server, [("scale_1000", MANY / 10), ("scale_10000", MANY)], verdicts)?);
    blocks.push(partitions::block(server, verdicts)?);
    blocks.push(rights::block(server, verdicts)?);
    blocks.push(spread::block(server, &many, verdicts)?);
    let path = figures::write(server, "scale", "performance", &blocks)?;
    beside_a_load(server, [&thousand, &many], verdicts)?;
    println!("\nscripts/figures puts {} into docs/performance.md", path.display());
    Ok(())
}
