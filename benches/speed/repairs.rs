//! Measures the additional time that repairs take in a pass.

use super::Result;
use super::clients::{pgmedic, report, run};
use super::rounds::alternate;
use super::tables::{self, database};
use super::verdicts::Verdicts;
use pgmedic_testserver::TestServer;

const LAG: u32 = 38;
const ROUNDS_OF_ONE: usize = 61;
const ROUNDS_OF_MANY: usize = 7;
const REPORTS: usize = 21;

/// One sequence with a lag of 38, repaired by an advance: runs with the repair take turns with runs without.
pub fn one(server: &TestServer, verdicts: &mut Verdicts) -> Result<()> {
    let url = database(server, "one", 1, LAG)?;
    let [healthy, drifted] =
        alternate(ROUNDS_OF_ONE, |competitor| set_all(&url, competitor == 1), |_| run(pgmedic(&url, &["--once"])))?;
    println!("  pgmedic --once, in sync            {}", healthy.show());
    println!("  pgmedic --once, lag of {LAG}          {}", drifted.show());
    let mut inside = Vec::new();
    for _ in 0..REPORTS {
        set_all(&url, true)?;
        let report = report(&url, &["--once"])?;
        let repair = &report["databases"][0]["sequences"][0]["repair"];
        match (repair["method"].as_str(), repair["duration_seconds"].as_f64()) {
            (Some("advance"), Some(seconds)) if report["summary"]["repaired"] == 1 => inside.push(seconds * 1e3),
            _ => return Err(format!("not repaired by advance: {report}").into()),
        }
    }
    inside.sort_by(f64::total_cmp);
    let inside = inside[inside.len() / 2];
    println!("  the report's own duration          {inside:.2} ms, move and second look");
    verdicts.at_most(format!("one repair by advance, lag of {LAG}, with the second look"), Some(inside), 2.0, "ms");
    // The pass asks besides who was behind the drift.
    let beyond = (drifted.median().as_secs_f64() - healthy.median().as_secs_f64()) * 1e3;
    verdicts.at_most(format!("a run with it, lag of {LAG}, beyond a run without"), Some(beyond), 15.0, "ms");
    Ok(())
}

/// Repairs a thousand sequences in one run. The figure has no limit.
pub fn a_thousand(server: &TestServer) -> Result<()> {
    let tables = 1000;
    let url = database(server, "a_thousand", tables, LAG)?;
    set_all(&url, true)?;
    let summary = report(&url, &["--once"])?["summary"].clone();
    if summary["repaired"] != tables {
        return Err(format!("not all {tables} were repaired: {summary}").into());
    }
    let [healthy, drifted] =
        alternate(ROUNDS_OF_MANY, |competitor| set_all(&url, competitor == 1), |_| run(pgmedic(&url, &["--once"])))?;
    println!("  pgmedic --once, all in sync        {}", healthy.show());
    println!("  pgmedic --once, all {LAG} behind      {}", drifted.show());
    let each = (drifted.median().as_secs_f64() - healthy.median().as_secs_f64()) * 1e3 / f64::from(tables);
    println!("  for each repair                    {each:.2} ms");
    Ok(())
}

/// Sets every sequence before its first id (`drifted`), or after the last one.
fn set_all(url: &str, drifted: bool) -> Result<()> {
    let (last, is_called) = if drifted { (1, false) } else { (LAG, true) };
    tables::set_all(url, last, is_called)
}
