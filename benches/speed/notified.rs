//! Measures the time from `NOTIFY pgmedic` to the pass and to the repair.

use super::Result;
use super::agent::{NEVER_FULL, YEARLY};
use super::daemon::Daemon;
use super::tables::{block_on, connect};
use super::verdicts::Verdicts;
use sqlx::AssertSqlSafe;
use std::thread::sleep;
use std::time::{Duration, Instant};

const ROUNDS: usize = 21;
const BEGINS_WITHIN_MS: f64 = 250.0;

/// The agent waits for a second between two requested passes, and three times as long as a pass took. The benchmark waits for
/// longer, so that this is not measured.
const REST: Duration = Duration::from_millis(1100);
const REST_RATIO: u32 = 4;

/// Texts in the log when a requested pass begins, and when it has repaired a sequence.
const BEGINS: &str = "notified";
const REPAIRED: &str = "was moved to";

/// Sets the sequence of `table_1` back and notifies the agent, with and without the table's name. Its ids go up to
/// `rows`.
pub fn latency(what: &str, url: &str, verdicts: &mut Verdicts) -> Result<()> {
    println!("\nNOTIFY pgmedic, {what}");
    let agent = Daemon::start(url, &[YEARLY, NEVER_FULL, ("PGMEDIC_LOG__LEVEL", "debug")], &[])?;
    agent.passes(1)?;
    for (how, notify) in [("by name", "NOTIFY pgmedic, 'public.table_1'"), ("bare", "NOTIFY pgmedic")] {
        let (mut begins, mut repaired, mut rest) = (Vec::new(), Vec::new(), REST);
        for _ in 0..ROUNDS {
            sleep(rest);
            agent.forget_log();
            block_on(async {
                let mut saboteur = connect(url).await?;
                let drift = "SELECT setval('table_1_id_seq', 1, false)";
                sqlx::raw_sql(drift).execute(&mut saboteur).await?;
                let notified = Instant::now();
                sqlx::raw_sql(AssertSqlSafe(notify.to_owned())).execute(&mut saboteur).await?;
                for (line, times) in [(BEGINS, &mut begins), (REPAIRED, &mut repaired)] {
                    let (at, _) = agent.logs(line)?;
                    times.push(at.saturating_duration_since(notified).as_secs_f64() * 1e3);
                }
                rest = REST.max(notified.elapsed() * REST_RATIO);
                Ok(())
            })?;
        }
        let [(begun, worst), (repaired, slowest)] = [begins, repaired].map(|mut times| {
            times.sort_by(f64::total_cmp);
            (times[ROUNDS / 2], times[ROUNDS - 1])
        });
        println!("  {how:<8} pass begins               {begun:.1} ms, at worst {worst:.1} ms");
        println!("  {how:<8} repaired                  {repaired:.1} ms, at worst {slowest:.1} ms");
        verdicts.at_most(format!("NOTIFY {how} to pass, {what}: median"), Some(begun), BEGINS_WITHIN_MS, "ms");
        verdicts.at_most(format!("NOTIFY {how} to pass, {what}: worst"), Some(worst), BEGINS_WITHIN_MS, "ms");
    }
    agent.stop()
}
