//! A server that is a network away.

use super::ROWS;
use super::case::{Case, grouped, seconds};
use super::network::Network;
use crate::Result;
use crate::figures::{Block, Plot};
use crate::verdicts::Verdicts;
use pgmedic::demo::Server;
use serde_json::{Value, json};
use std::time::Duration;

/// Round trips, in milliseconds.
const ROUND_TRIPS: [u32; 3] = [0, 3, 20];

/// Databases by their names, with as many sequences as named; everything drifts and is mended in the first.
pub fn block(server: &Server, databases: [(&str, u32); 2], verdicts: &mut Verdicts) -> Result<Block> {
    let address = server.tcp_url("postgres").ok_or("the server does not listen")?;
    let (mut rows, mut fulls, mut mended) = (Vec::new(), Vec::new(), Vec::new());
    for (number, (name, sequences)) in databases.into_iter().enumerate() {
        let mut nearest = None;
        for round_trip in ROUND_TRIPS {
            println!("\n{} sequences, a round trip of {round_trip} ms", grouped(sequences));
            let network = Network::to(&address, Duration::from_millis(round_trip.into()))?;
            let measured = network.round_trip_ms(name)?;
            let (urls, direct) = ([network.url(name)?], [server.url(name)]);
            let repairs = usize::from(number == 0);
            let case = Case { urls: &urls, direct: &direct, sequences, rounds: 5, repairs };
            let cost = case.cost(server, ROWS)?;
            // Two connections share its messages; what is left is waiting, a round trip for each of them.
            let more = cost.full - *nearest.get_or_insert(cost.full);
            let trips = (round_trip > 0).then(|| more * 1e3 / f64::from(round_trip));
            if let Some(trips) = trips.filter(|_| sequences >= 10_000) {
                let what = format!("round trips that a full pass over 10 000 waits for, of {round_trip} ms each");
                verdicts.at_most(what, Some(trips), 200.0, "");
            }
            let trips = trips.map_or("-".to_owned(), |trips| format!("{trips:.0}"));
            let (full, quiet) = (seconds(cost.full), seconds(cost.quiet));
            rows.push([grouped(sequences), format!("{measured:.1} ms"), full, trips, quiet, cost.mended()]);
            fulls.push((sequences, round_trip, cost.full));
            mended.extend(cost.repair.map(|repair| (round_trip, repair)));
        }
    }
    let columns = [
        "sequences",
        "round trip",
        "full pass, connecting included",
        "round trips waited for",
        "quiet pass",
        "all mended",
    ];
    let of = |wanted: u32| -> (Vec<Value>, Vec<f64>) {
        fulls.iter().filter(|(sequences, ..)| *sequences == wanted).map(|(_, trip, full)| (json!(trip), *full)).unzip()
    };
    let [few, many] = databases.map(|(_, sequences)| of(sequences));
    let mended: (Vec<Value>, Vec<f64>) = mended.into_iter().map(|(trip, repair)| (json!(trip), repair)).unzip();
    Ok(Block::table("scale-distances", columns, rows).plot(&Plot {
        title: "Time by the distance of the server",
        kind: "line",
        x: ("round trip in ms", false),
        y: ("seconds", true),
        series: vec![
            ("1 000 drifted, all mended", mended.0, mended.1),
            ("full pass over 10 000", many.0, many.1),
            ("full pass over 1 000", few.0, few.1),
        ],
    }))
}
