//! Measures 1 000, 10 000 and 100 000 sequences in one database.

use super::case::{Case, Cost, grouped, seconds};
use super::{MANY, ROWS};
use crate::Result;
use crate::figures::{Block, Plot};
use crate::tables::database;
use crate::verdicts::Verdicts;
use pgmedic_testserver::TestServer;
use serde_json::{Value, json};

/// `MAX_RELATIONS` of `src/sequences/batch.rs`.
pub const RELATION_BOUND: f64 = 500.0;

/// The limit for one server process: the cached metadata of 20 000 relations, and its memory at the start.
pub const BACKEND_MB: f64 = 150.0;

pub fn blocks(server: &TestServer, made: [&String; 2], quick: bool, verdicts: &mut Verdicts) -> Result<Vec<Block>> {
    let mut costs = Vec::new();
    for (url, sequences) in made.into_iter().zip([MANY / 10, MANY]) {
        println!("\n{} sequences in one database", grouped(sequences));
        let urls = [url.clone()];
        let case = Case { urls: &urls, direct: &urls, sequences, rounds: 7, repairs: 3 };
        costs.push((sequences, case.cost(server, ROWS)?));
    }
    if !quick {
        let urls = [database(server, "scale_100000", 10 * MANY, ROWS)?];
        let case = Case { urls: &urls, direct: &urls, sequences: 10 * MANY, rounds: 3, repairs: 1 };
        costs.push((10 * MANY, case.cost(server, ROWS)?));
    }
    judge(&costs, verdicts);
    Ok(vec![table(&costs), memory(&costs)])
}

fn judge(costs: &[(u32, Cost)], verdicts: &mut Verdicts) {
    for (sequences, cost) in costs {
        let number = grouped(*sequences);
        let what = format!("relations that one backend locked at once, {number} sequences");
        verdicts.at_most(what, Some(cost.seen.locks_of_one), RELATION_BOUND, "");
        let what = format!("a server process's own memory, {number} sequences all repaired");
        verdicts.at_most(what, cost.seen.backend_mb, BACKEND_MB, "MB");
    }
    // The limit is linear growth, with some tolerance: ten times as many may take at most 12 times as long.
    for pair in costs.windows(2) {
        let [(less, before), (more, after)] = pair else { continue };
        let (less, more) = (grouped(*less), grouped(*more));
        let full = after.full / before.full / 10.0;
        verdicts.at_most(format!("a full pass for each of {more}, against each of {less}"), Some(full), 1.2, "x");
        let repaired = after.repair.zip(before.repair).map(|(after, before)| after / before / 10.0);
        verdicts.at_most(format!("repairing each of {more}, against each of {less}"), repaired, 1.2, "x");
    }
    if let Some((sequences, cost)) = costs.last() {
        let most = f64::from(*sequences) / f64::from(MANY) * 40.0;
        let what = format!("the agent's peak memory, {} sequences", grouped(*sequences));
        verdicts.at_most(what, cost.agent_mb, most, "MB");
        let quiet = Some(cost.quiet / cost.full);
        verdicts.at_most(format!("a quiet pass over {}, against a full one", grouped(*sequences)), quiet, 0.1, "x");
    }
}

fn table(costs: &[(u32, Cost)]) -> Block {
    let rows = costs.iter().map(|(sequences, cost)| {
        let each = cost.repair.map_or("-".to_owned(), |all| seconds((all - cost.full) / f64::from(*sequences)));
        let cpu = cost.quiet_cpu.map_or("-".to_owned(), seconds);
        [grouped(*sequences), seconds(cost.full), seconds(cost.quiet), cpu, cost.repaired(), each, cost.locks()]
    });
    let columns = [
        "sequences",
        "full pass",
        "quiet pass",
        "its CPU time on the server",
        "all repaired",
        "for each repair",
        "relations locked at once",
    ];
    let x: Vec<Value> = costs.iter().map(|(sequences, _)| json!(sequences)).collect();
    let series = |figure: fn(&Cost) -> f64| costs.iter().map(|(_, cost)| figure(cost)).collect::<Vec<f64>>();
    Block::table("scale-sizes", columns, rows.collect()).plot(&Plot {
        title: "Time by the number of sequences",
        kind: "line",
        x: ("sequences in one database", true),
        y: ("seconds", true),
        series: vec![
            ("all drifted, all repaired", x.clone(), series(|cost| cost.repair.unwrap_or_default())),
            ("full pass", x.clone(), series(|cost| cost.full)),
            ("quiet pass", x, series(|cost| cost.quiet)),
        ],
    })
}

fn memory(costs: &[(u32, Cost)]) -> Block {
    let rows = costs.iter().map(|(sequences, cost)| {
        let seen = &cost.seen;
        let [once, agent, one, all] = [seen.peak_mb, cost.agent_mb, seen.backend_mb, seen.backends_mb].map(Cost::mb);
        [grouped(*sequences), once, agent, one, all]
    });
    let columns = [
        "sequences",
        "`pgmedic --once`, all repaired",
        "the agent",
        "one server process",
        "all of its server processes",
    ];
    let names: Vec<Value> = costs.iter().map(|(sequences, _)| json!(grouped(*sequences))).collect();
    let series = |figure: fn(&Cost) -> Option<f64>| {
        costs.iter().map(|(_, cost)| figure(cost).unwrap_or_default().round()).collect::<Vec<f64>>()
    };
    Block::table("scale-memory", columns, rows.collect()).plot(&Plot {
        title: "Peak memory by the number of sequences",
        kind: "bar",
        x: ("sequences in one database", false),
        y: ("MB", false),
        series: vec![
            ("pgmedic --once, all repaired", names.clone(), series(|cost| cost.seen.peak_mb)),
            ("the agent", names.clone(), series(|cost| cost.agent_mb)),
            ("all of its server processes", names, series(|cost| cost.seen.backends_mb)),
        ],
    })
}
