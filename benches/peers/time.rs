//! Measures how long each tool takes for a thousand tables: whole processes, in turns.

use super::Result;
use super::cases::TIME_BEHIND;
use super::figures::{Block, Figures, labelled};
use super::peer::{PEERS, Peer};
use super::rounds::{Times, alternate};
use super::site::{Fed, Site};
use super::tables::{block_on, connect, database, execute, set_all};
use pgmedic_testserver::TestServer;

const TABLES: u32 = 1000;
const ROWS: u32 = 5;
const ROUNDS: usize = 3;

/// Counts the sequences with this next value. It moves each by one, and the next preparation sets them again.
const RIGHT: &str = "SELECT count(*) FROM pg_class WHERE relkind = 'S' AND nextval(oid::regclass) = $1";

pub fn measure(server: &TestServer, figures: &mut Figures) -> Result<()> {
    let url = database(server, "time_target", TABLES, ROWS)?;
    execute(&server.url("postgres"), "CREATE DATABASE time_source TEMPLATE time_target".to_owned())?;
    let mut sites = Vec::new();
    for peer in PEERS {
        let site = Site::new(server, "time_target", "time_source")?;
        site.furnish(peer, &feds(TABLES))?;
        set(&url, true)?;
        peer.run(&site)?;
        all_are_right(&url, peer)?;
        sites.push(site);
    }
    println!("  each does its work; now {ROUNDS} rounds of all, twice");
    let rounds = |behind| -> Result<[Times; PEERS.len()]> {
        alternate(ROUNDS, |_| set(&url, behind), |competitor| PEERS[competitor].run(&sites[competitor]).map(drop))
    };
    let (in_order, behind) = (rounds(false)?, rounds(true)?);
    println!("  medians of {ROUNDS}: none behind; all {TABLES} behind");
    for (number, peer) in PEERS.iter().enumerate() {
        println!("    {:<12} {}; {}", peer.name(), in_order[number].show(), behind[number].show());
    }
    figures.add(table(&in_order, &behind).after(format!(
        "{TABLES} serial tables with {ROWS} rows each; whole processes, medians of {ROUNDS} rounds in turns, and how many \
         times pgmedic's."
    )));
    let ratios = behind.iter().map(|times| format!("{:.1}", times.ratio_to(&behind[0])));
    figures.summarize(labelled(TIME_BEHIND, ratios));
    Ok(())
}

/// The columns of the tables that [`database`] creates.
pub fn feds(tables: u32) -> Vec<Fed> {
    let fed = |table| Fed {
        table: format!("table_{table}"),
        column: "id".to_owned(),
        sequence: format!("public.table_{table}_id_seq"),
    };
    (1..=tables).map(fed).collect()
}

fn set(url: &str, behind: bool) -> Result<()> {
    if behind { set_all(url, 1, false) } else { set_all(url, ROWS, true) }
}

/// Checks that the tool has set every sequence: one that skipped some would be faster.
fn all_are_right(url: &str, peer: Peer) -> Result<()> {
    let right: i64 = block_on(async {
        let mut connection = connect(url).await?;
        Ok(sqlx::query_scalar(RIGHT).bind(i64::from(ROWS) + 1).fetch_one(&mut connection).await?)
    })?;
    if right == i64::from(TABLES) {
        Ok(())
    } else {
        Err(format!("{}: {right} of {TABLES} are right", peer.name()).into())
    }
}

fn table(in_order: &[Times], behind: &[Times]) -> Block {
    let cells = |times: &[Times], number: usize| {
        [format!("{:.2} s", times[number].median().as_secs_f64()), format!("{:.1}", times[number].ratio_to(&times[0]))]
    };
    let row = |(number, peer): (usize, &Peer)| {
        labelled(peer.name(), cells(in_order, number).into_iter().chain(cells(behind, number)))
    };
    let columns = ["tool", "none behind", "times pgmedic's", "all behind", "times pgmedic's"];
    Block::table("peers-time", columns, PEERS.iter().enumerate().map(row).collect())
}
