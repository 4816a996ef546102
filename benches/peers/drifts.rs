//! Which kinds of drift each tool repairs: every one on a fresh copy of the case's database.

use super::Result;
use super::cases::{CASES, Case, DRIFTS, DRIFTS_REPAIRED, LEFT_ALONE, RIGHTLY_LEFT_ALONE};
use super::figures::{Block, Figures, labelled};
use super::oracle::{Scene, Verdict};
use super::peer::{PEERS, Peer};
use super::site::{Fed, Site};
use super::tables::{block_on, execute};
use pgmedic_testserver::TestServer;

/// The result of one tool in one case, and the error that it reported.
struct Outcome {
    verdict: Verdict,
    error: Option<String>,
}

impl Outcome {
    /// The result as a cell of a table. If the tool reported an error and changed nothing, it is "error".
    fn short(&self) -> String {
        match self.verdict {
            Verdict::NotSeen if self.error.is_some() => "error".to_owned(),
            _ => self.verdict.short(),
        }
    }
}

/// Runs every tool on every case. Returns whether pgmedic has the expected result in all of them.
pub fn measure(server: &TestServer, figures: &mut Figures) -> Result<bool> {
    println!("\nwhat each tool repairs");
    let mut outcomes = Vec::new();
    for (number, case) in CASES.iter().enumerate() {
        println!("  {}", case.name);
        let template = format!("case_{number}");
        create(server, &template, "template0")?;
        execute(&server.url(&template), case.setup.to_owned())?;
        let mut row = Vec::new();
        for peer in PEERS {
            let outcome = play(server, case, &template, peer)?;
            let error = outcome.error.as_ref().map(|error| format!(" ({error})")).unwrap_or_default();
            println!("    {:<12} {}{error}", peer.name(), outcome.verdict);
            row.push(outcome);
        }
        outcomes.push(row);
    }
    let rows = rows(&outcomes);
    for row in &rows {
        figures.summarize(row.clone());
    }
    figures.add(Block::table("peers-drifts", ["case"].into_iter().chain(PEERS.map(Peer::name)), rows));
    figures.add(tools(server)?);
    figures.add(reasons(&outcomes));
    Ok(outcomes.iter().all(|row| row[0].verdict.is_well()))
}

fn play(server: &TestServer, case: &Case, template: &str, peer: Peer) -> Result<Outcome> {
    let database = format!("{template}_{}", peer.identifier());
    let source = format!("{database}_source");
    create(server, &database, template)?;
    let site = Site::new(server, &database, &source)?;
    site.furnish(peer, &feds(case))?;
    if peer == Peer::Pgcopydb {
        create(server, &source, template)?;
        let last = format!("SELECT setval('{}', {})", case.sequence.replace('\'', "''"), case.last);
        execute(site.source(), last)?;
    }
    block_on(async {
        let scene = Scene::play(case, server.url(&database)).await?;
        let run = peer.run(&site)?;
        let verdict = scene.judge(run.reported_error()).await?;
        Ok(Outcome { verdict, error: run.error })
    })
}

fn create(server: &TestServer, database: &str, template: &str) -> Result<()> {
    execute(&server.url("postgres"), format!("CREATE DATABASE {database} TEMPLATE {template} STRATEGY file_copy"))
}

fn feds(case: &Case) -> Vec<Fed> {
    let fed = |feed: &super::cases::Feed| Fed {
        table: feed.table.to_owned(),
        column: feed.column.to_owned(),
        sequence: case.sequence.to_owned(),
    };
    case.feeds.iter().map(fed).collect()
}

fn tools(server: &TestServer) -> Result<Block> {
    let site = Site::new(server, "postgres", "postgres")?;
    let row = |peer: &Peer| Ok(vec![peer.name().to_owned(), peer.describe().to_owned(), peer.version(&site)?]);
    Ok(Block::table("peers-tools", ["tool", "what is run", "version"], PEERS.iter().map(row).collect::<Result<_>>()?))
}

/// A row for each case, and after the last drift and at the end the number of right results.
fn rows(outcomes: &[Vec<Outcome>]) -> Vec<Vec<String>> {
    let row = |(case, row): (&Case, &Vec<Outcome>)| labelled(case.name, row.iter().map(Outcome::short));
    let mut rows: Vec<_> = CASES.iter().zip(outcomes).map(row).collect();
    let sums = |label, cases: &[Vec<Outcome>]| {
        let well = |peer: usize| cases.iter().filter(|row| row[peer].verdict.is_well()).count();
        labelled(label, (0..PEERS.len()).map(|peer| format!("**{} of {}**", well(peer), cases.len())))
    };
    rows.push(sums(RIGHTLY_LEFT_ALONE, &outcomes[CASES.len() - LEFT_ALONE..]));
    rows.insert(DRIFTS, sums(DRIFTS_REPAIRED, &outcomes[..DRIFTS]));
    rows
}

/// The results other than "yes", with the error that the tool printed.
fn reasons(outcomes: &[Vec<Outcome>]) -> Block {
    let mut rows = Vec::new();
    for (case, row) in CASES.iter().zip(outcomes) {
        for (peer, Outcome { verdict, error }) in PEERS.iter().zip(row) {
            if !verdict.is_well() {
                let error = error.as_ref().map(|error| format!("`{}`", error.replace('|', "\\|"))).unwrap_or_default();
                rows.push(vec![case.name.to_owned(), peer.name().to_owned(), verdict.to_string(), error]);
            }
        }
    }
    Block::table("peers-reasons", ["case", "tool", "result", "what the tool printed"], rows)
}
