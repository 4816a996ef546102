//! Measures how long it takes to carry ten thousand sequences from one database to another.

use super::Result;
use super::clients::{pgmedic, report_of};
use super::tables::{database, set_all};
use super::verdicts::Verdicts;
use pgmedic_testserver::TestServer;

const TABLES: u32 = 10_000;
const LAST: u32 = 500;
/// Writers stand still while the command runs.
const SECONDS: f64 = 10.0;

/// Both databases are on one server, which does the work of both.
pub fn ten_thousand(server: &TestServer, verdicts: &mut Verdicts) -> Result<()> {
    let [old, new] = [database(server, "cutover_old", TABLES, 0)?, database(server, "cutover_new", TABLES, 0)?];
    set_all(&old, LAST, true)?;
    let mut seconds = Vec::new();
    for next in [1, 2, 3] {
        set_all(&new, next, false)?;
        let mut command = pgmedic(&new, &["cutover", "--from", &old, "--to", &new, "--headroom", "1000"]);
        command.env_remove("DATABASE_URL");
        let report = report_of(command)?;
        if report["verdict"] != "ready" || report["summary"]["carried"] != TABLES {
            return Err(format!("not carried: {}", report["summary"]).into());
        }
        seconds.extend(report["duration_seconds"].as_f64());
    }
    seconds.sort_by(f64::total_cmp);
    println!("  pgmedic cutover, {TABLES} sequences     {seconds:.2?} s");
    verdicts.at_most(format!("cutover of {TABLES} sequences"), seconds.get(1).copied(), SECONDS, "s");
    Ok(())
}
