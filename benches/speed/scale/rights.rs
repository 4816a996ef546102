//! Measures passes of roles that do not own the tables, which must not run the owner's code.

use super::case::{grouped, seconds};
use super::{MANY, ROWS};
use crate::Result;
use crate::clients::{pgmedic, psql, report, run};
use crate::figures::Block;
use crate::rounds::alternate;
use crate::tables::{database, execute};
use crate::verdicts::Verdicts;
use pgmedic_testserver::TestServer;
use std::io::Write as _;
use std::process::{Command, Stdio};

const ROUNDS: usize = 5;
const DRY_RUN: [&str; 2] = ["--once", "--dry-run"];

/// The roles, and the limit of each as a multiple of the owner's time.
const ASKERS: [(&str, &str, f64); 3] = [
    ("app", "the tables' owner", 1.0),
    ("watchdog", "a role made by `pgmedic grants`", 1.5),
    ("postgres", "a superuser who is not the owner", 5.0),
];

/// The number of tables that change their owner in one transaction, each with its sequence and index.
const AT_A_TIME: u32 = 500;

pub fn block(server: &TestServer, verdicts: &mut Verdicts) -> Result<Block> {
    let url = database(server, "scale_rights", MANY, ROWS)?;
    println!("\n{} sequences of another role's", grouped(MANY));
    execute(&url, "CREATE ROLE app LOGIN".to_owned())?;
    for first in (1..=MANY).step_by(AT_A_TIME as usize) {
        let last = first + AT_A_TIME - 1;
        let each =
            format!("FOR i IN {first}..{last} LOOP EXECUTE format('ALTER TABLE table_%s OWNER TO app', i); END LOOP");
        execute(&url, format!("DO $$ BEGIN {each}; END $$"))?;
    }
    let urls = ASKERS.map(|(role, ..)| url.replace("user=postgres", &format!("user={role}")));
    grant(server, &url, ASKERS[1].0)?;
    for url in &urls {
        let summary = report(url, &DRY_RUN)?["summary"].clone();
        if summary["in_sync"] != MANY {
            return Err(format!("not all are in sync for {url}: {summary}").into());
        }
    }
    let times = alternate::<{ ASKERS.len() }>(ROUNDS, |_| Ok(()), |asker| run(pgmedic(&urls[asker], &DRY_RUN)))?;
    let mut rows = Vec::new();
    for ((_, who, most), time) in ASKERS.iter().zip(&times) {
        let ratio = time.ratio_to(&times[0]);
        println!("  {who:<34} {}", time.show());
        let mut cell = format!("{ratio:.2}");
        if *most > 1.0 {
            verdicts.at_most(format!("a full pass by {who}, against the owner's"), Some(ratio), *most, "x");
            cell += &format!(" (limit {most}{})", if ratio <= *most { "" } else { ": **falls short**" });
        }
        rows.push([(*who).to_owned(), seconds(time.median().as_secs_f64()), cell]);
    }
    Ok(Block::table("scale-rights", ["asked by", "full pass", "against the owner's"], rows))
}

/// Grants the role what it needs, as an operator would.
fn grant(server: &TestServer, url: &str, role: &str) -> Result<()> {
    let psql = psql(server).ok_or("no psql")?;
    let granted = pgmedic(url, &["grants", "--role", role]).stderr(Stdio::inherit()).output()?;
    let mut command = Command::new(psql);
    command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url]).env("PGOPTIONS", "--client-min-messages=warning");
    let mut client = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    client.stdin.take().ok_or("psql takes no input")?.write_all(&granted.stdout)?;
    let status = client.wait()?;
    if granted.status.success() && status.success() { Ok(()) } else { Err(format!("granting: {status}").into()) }
}
