//! Measures the same sequences, spread over more and more databases.

use super::case::{Case, Cost, grouped, seconds};
use super::sizes::RELATION_BOUND;
use super::{MANY, ROWS};
use crate::Result;
use crate::figures::{Block, Plot};
use crate::tables::{database, execute};
use crate::verdicts::Verdicts;
use pgmedic_testserver::TestServer;
use serde_json::{Value, json};

const PARTS: [u32; 3] = [2, 5, 10];

/// The database `one` already contains all of them.
pub fn block(server: &TestServer, one: &str, verdicts: &mut Verdicts) -> Result<Block> {
    let mut costs = Vec::new();
    for parts in [1].into_iter().chain(PARTS) {
        let names: Vec<String> = (0..parts).map(|part| format!("spread_{parts}_{part}")).collect();
        let urls = match parts {
            1 => vec![one.to_owned()],
            _ => {
                names.iter().map(|name| database(server, name, MANY / parts, ROWS)).collect::<Result<Vec<String>>>()?
            }
        };
        println!("\n{} sequences in {parts} databases", grouped(MANY));
        let case = Case { urls: &urls, direct: &urls, sequences: MANY, rounds: 5, repairs: 1 };
        costs.push((parts, case.cost(server, ROWS)?));
        if parts > 1 {
            names.iter().try_for_each(|name| execute(&server.url("postgres"), format!("DROP DATABASE {name}")))?;
        }
    }
    let of_one = costs.first().map_or(f64::NAN, |(_, cost)| cost.full);
    for (parts, cost) in &costs[1..] {
        let what = format!("a full pass over {parts} databases, against the same sequences in one");
        verdicts.at_most(what, Some(cost.full / of_one), 1.2, "x");
        let what = format!("relations that one backend locked at once, {parts} databases");
        verdicts.at_most(what, Some(cost.seen.locks_of_one), RELATION_BOUND, "");
    }
    let rows = costs.iter().map(|(parts, cost)| {
        let memory = Cost::mb(cost.seen.backends_mb);
        let (full, quiet) = (seconds(cost.full), seconds(cost.quiet));
        [
            parts.to_string(),
            full,
            quiet,
            cost.repaired(),
            Cost::mb(cost.agent_mb),
            memory,
            cost.seen.backends.to_string(),
        ]
    });
    let columns = [
        "databases",
        "full pass over all",
        "quiet pass of each",
        "all repaired",
        "the agent",
        "its server processes",
        "how many",
    ];
    let names: Vec<Value> = costs.iter().map(|(parts, _)| json!(parts.to_string())).collect();
    Ok(Block::table("scale-databases", columns, rows.collect()).plot(&Plot {
        title: "10 000 sequences, spread over databases",
        kind: "bar",
        x: ("databases", false),
        y: ("seconds", false),
        series: vec![
            ("full pass over all", names.clone(), costs.iter().map(|(_, cost)| cost.full).collect()),
            ("all repaired", names, costs.iter().map(|(_, cost)| cost.repair.unwrap_or_default()).collect()),
        ],
    }))
}
