//! Measures passes and repairs over a slow network.

use super::case::{Case, grouped, seconds};
use super::network::Network;
use super::{MANY, ROWS};
use crate::Result;
use crate::figures::{Block, Plot};
use crate::verdicts::Verdicts;
use pgmedic_testserver::TestServer;
use serde_json::{Value, json};
use std::time::Duration;

/// Round trips, in milliseconds.
const ROUND_TRIPS: [u32; 3] = [0, 3, 20];

/// Limits: the round trips that a full pass over 10 000 sequences may wait for, including the connection, and that a
/// run with all repairs may wait for.
const MOST_TRIPS: [f64; 2] = [200.0, 300.0];

/// Databases, by name and number of sequences.
pub fn block(server: &TestServer, databases: [(&str, u32); 2], verdicts: &mut Verdicts) -> Result<Block> {
    let address = server.tcp_url("postgres").ok_or("the server does not listen")?;
    let (mut rows, mut fulls, mut repaired) = (Vec::new(), Vec::new(), Vec::new());
    for (name, sequences) in databases {
        let mut nearest = None;
        for round_trip in ROUND_TRIPS {
            println!("\n{} sequences, a round trip of {round_trip} ms", grouped(sequences));
            let network = Network::to(&address, Duration::from_millis(round_trip.into()))?;
            let measured = network.round_trip_ms(name)?;
            let (urls, direct) = ([network.url(name)?], [server.url(name)]);
            let case = Case { urls: &urls, direct: &direct, sequences, rounds: 5, repairs: 3 };
            let cost = case.cost(server, ROWS)?;
            let repair = cost.repair.ok_or("nothing was repaired")?;
            let (nearest_full, nearest_repair) = *nearest.get_or_insert((cost.full, repair));
            // Two connections share the messages. The rest of the time is waiting, for one round trip each.
            let waited = [cost.full - nearest_full, repair - nearest_repair];
            let trips = waited.map(|more| (round_trip > 0).then(|| more * 1e3 / f64::from(round_trip)));
            if round_trip > 0 && sequences >= MANY {
                for ((what, trips), most) in ["a full pass over", "repairing"].into_iter().zip(trips).zip(MOST_TRIPS) {
                    let what = format!("round trips that {what} 10 000 waits for, of {round_trip} ms each");
                    verdicts.at_most(what, trips, most, "");
                }
            }
            let [looked, repairing] = trips.map(|trips| trips.map_or("-".to_owned(), |trips| format!("{trips:.0}")));
            let (full, quiet) = (seconds(cost.full), seconds(cost.quiet));
            rows.push([
                grouped(sequences),
                format!("{measured:.1} ms"),
                full,
                looked,
                quiet,
                cost.repaired(),
                repairing,
            ]);
            fulls.push((sequences, round_trip, cost.full));
            repaired.push((sequences, round_trip, repair));
        }
    }
    let columns = [
        "sequences",
        "round trip",
        "full pass, connecting included",
        "round trips waited for",
        "quiet pass",
        "all repaired",
        "waited for",
    ];
    let of = |costs: &[(u32, u32, f64)], wanted: u32| -> (Vec<Value>, Vec<f64>) {
        costs.iter().filter(|(sequences, ..)| *sequences == wanted).map(|(_, trip, cost)| (json!(trip), *cost)).unzip()
    };
    let [few, many] = databases.map(|(_, sequences)| of(&fulls, sequences));
    let [few_repaired, many_repaired] = databases.map(|(_, sequences)| of(&repaired, sequences));
    Ok(Block::table("scale-distances", columns, rows).plot(&Plot {
        title: "Time by the distance of the server",
        kind: "line",
        x: ("round trip in ms", false),
        y: ("seconds", true),
        series: vec![
            ("10 000 drifted, all repaired", many_repaired.0, many_repaired.1),
            ("1 000 drifted, all repaired", few_repaired.0, few_repaired.1),
            ("full pass over 10 000", many.0, many.1),
            ("full pass over 1 000", few.0, few.1),
        ],
    }))
}
