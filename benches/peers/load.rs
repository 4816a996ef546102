//! Counts the failures that each tool causes beside healthy inserts, with nothing to repair.

use super::Result;
use super::cases::DUPLICATES;
use super::figures::{Block, Figures, labelled};
use super::peer::{PEERS, Peer};
use super::site::Site;
use super::tables::{block_on, connect, database};
use super::time::feds;
use pgmedic_testserver::TestServer;
use sqlx::AssertSqlSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

const TABLES: u32 = 4;
/// Two clients insert into each table.
const CLIENTS: u32 = 8;
/// Times that each tool runs, one after another.
const RUNS: usize = 20;

/// The inserts beside a tool, by result.
#[derive(Default)]
struct Inserts {
    made: u64,
    /// Failed with SQLSTATE 23505.
    duplicates: u64,
    /// Failed with any other error.
    failed: u64,
}

struct Outcome {
    inserts: Inserts,
    /// The number of runs that reported an error, and the first error.
    errors: usize,
    error: Option<String>,
}

/// Returns whether pgmedic caused no failure and reported no error.
pub fn measure(server: &TestServer, figures: &mut Figures) -> Result<bool> {
    println!("\n{RUNS} runs beside {CLIENTS} clients that insert into {TABLES} tables in order");
    let (mut rows, mut caused, mut well) = (Vec::new(), Vec::new(), true);
    for peer in PEERS {
        // pgcopydb copies the state of the source, which is outdated as soon as clients write.
        if peer == Peer::Pgcopydb {
            caused.push("not applicable".to_owned());
            continue;
        }
        let Outcome { inserts, errors, error } = beside(server, peer)?;
        let Inserts { made, duplicates, failed } = inserts;
        let first = error.map(|error| format!("; {errors} runs reported an error, first: {error}")).unwrap_or_default();
        println!("    {:<12} {duplicates} duplicates, {failed} other failures, {made} inserts{first}", peer.name());
        well &= peer != Peer::Pgmedic || (duplicates == 0 && failed == 0 && errors == 0);
        caused.push(format!("{:.1}", duplicates as f64 / RUNS as f64));
        rows.push(labelled(peer.name(), [duplicates, failed, made].map(|number| number.to_string())));
    }
    let columns = ["tool", "duplicates (23505)", "other failures", "inserts that succeeded meanwhile"];
    figures.add(Block::table("peers-load", columns, rows).after(format!(
        "{RUNS} runs of each, one after another, beside {CLIENTS} clients that insert without pause into {TABLES} tables \
         whose sequences are in order."
    )));
    figures.summarize(labelled(DUPLICATES, caused));
    Ok(well)
}

fn beside(server: &TestServer, peer: Peer) -> Result<Outcome> {
    let name = format!("load_{}", peer.identifier());
    let url = database(server, &name, TABLES, 10)?;
    let site = Site::new(server, &name, &name)?;
    site.furnish(peer, &feds(TABLES))?;
    let over = AtomicBool::new(false);
    let (begun, first) = channel();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (url, over, begun) = (&url, &over, begun.clone());
                scope.spawn(move || insert(url, client % TABLES + 1, begun, over).map_err(|error| error.to_string()))
            })
            .collect();
        drop(begun);
        // Each client has inserted, or has ended with an error, which is returned below.
        first.iter().take(CLIENTS as usize).for_each(drop);
        let runs = (0..RUNS).map(|_| peer.run(&site)).collect::<Result<Vec<_>>>();
        over.store(true, Ordering::Relaxed);
        let mut inserts = Inserts::default();
        for client in clients {
            let one = client.join().unwrap_or_else(|_| Err("a client panicked".to_owned()))?;
            inserts.made += one.made;
            inserts.duplicates += one.duplicates;
            inserts.failed += one.failed;
        }
        let runs = runs?;
        let errors = runs.iter().filter(|run| run.reported_error()).count();
        Ok(Outcome { inserts, errors, error: runs.into_iter().find_map(|run| run.error) })
    })
}

/// Inserts until `over`, and sends a message after the first insert.
fn insert(url: &str, table: u32, begun: Sender<()>, over: &AtomicBool) -> Result<Inserts> {
    block_on(async {
        let mut connection = connect(url).await?;
        let mut inserts = Inserts::default();
        let insert = format!("INSERT INTO table_{table} (name) VALUES ('healthy')");
        let mut begun = Some(begun);
        while !over.load(Ordering::Relaxed) {
            match sqlx::query(AssertSqlSafe(insert.clone())).execute(&mut connection).await {
                Ok(_) => inserts.made += 1,
                Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("23505") => {
                    inserts.duplicates += 1
                }
                Err(sqlx::Error::Database(_)) => inserts.failed += 1,
                Err(error) => return Err(error.into()),
            }
            if let Some(begun) = begun.take() {
                begun.send(())?;
            }
        }
        Ok(inserts)
    })
}
