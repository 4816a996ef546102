//! Measures inserts of `retry_after_repair` that repair their sequence; `retries.rs` measures healthy ones.

use super::Result;
use super::rounds::alternate;
use super::tables::{connect, database};
use super::verdicts::Verdicts;
use pgmedic_login::{InlineRepairLimits, RetryOutcome, retry_after_repair};
use pgmedic_testserver::TestServer;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;
use std::cell::RefCell;
use std::time::Instant;
use tokio::runtime::{Builder, Runtime};

const LAG: u32 = 38;
const ROUNDS_OF_ONE: usize = 61;

/// A generous bound that detects a defect. The measured figure is far below.
const SLOWEST_MS: f64 = 20.0;

const INSERT: &str = "INSERT INTO table_1 (name) VALUES ('login') RETURNING id";

/// A connection that the competitors use in turns, as logins use the connections of a pool.
struct Client {
    runtime: Runtime,
    connection: RefCell<PgConnection>,
}

impl Client {
    fn connect(url: &str) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let connection = RefCell::new(runtime.block_on(connect(url))?);
        Ok(Self { runtime, connection })
    }

    fn repairing(&self) -> Result<RetryOutcome<i32>> {
        let mut connection = self.connection.borrow_mut();
        let repaired = retry_after_repair(&mut *connection, InlineRepairLimits::default(), async |connection| {
            sqlx::query_scalar(INSERT).fetch_one(connection).await
        });
        Ok(self.runtime.block_on(repaired)?)
    }

    /// Leaves only the ids 1 to `rows`, and sets the sequence before the first of them (`drifted`) or after the last.
    fn reset(&self, rows: u32, drifted: bool) -> Result<()> {
        let (last, is_called) = if drifted { (1, false) } else { (rows, true) };
        let reset =
            format!("DELETE FROM table_1 WHERE id > {rows}; SELECT setval('table_1_id_seq', {last}, {is_called})");
        let mut connection = self.connection.borrow_mut();
        Ok(self.runtime.block_on(sqlx::raw_sql(AssertSqlSafe(reset)).execute(&mut *connection)).map(drop)?)
    }
}

/// Measures inserts on a database with one table.
pub fn small(server: &TestServer, verdicts: &mut Verdicts) -> Result<()> {
    let url = database(server, "logins", 1, LAG)?;
    repaired("one table", &url, LAG, verdicts)
}

/// Measures inserts that meet a taken id in `table_1`, which has `rows` rows before and after.
pub fn repaired(what: &str, url: &str, rows: u32, verdicts: &mut Verdicts) -> Result<()> {
    println!("\nan insert that repairs its sequence, lag of {rows}, {what}");
    let client = Client::connect(url)?;
    client.reset(rows, true)?;
    let started = Instant::now();
    client.repairing()?;
    println!("  the first on a connection            {:.4} s", started.elapsed().as_secs_f64());
    let insert = |competitor| {
        let repaired = client.repairing()?;
        if repaired.repairs.len() == competitor {
            Ok(())
        } else {
            Err(format!("expected {competitor} repairs: {repaired:?}").into())
        }
    };
    let [healthy, drifted] = alternate(ROUNDS_OF_ONE, |competitor| client.reset(rows, competitor == 1), insert)?;
    println!("  without a repair                     {}", healthy.show());
    println!("  repaired                             {}", drifted.show());
    let median = drifted.median().as_secs_f64() * 1e3;
    verdicts.at_most(format!("an insert that repairs its sequence, {what}: median"), Some(median), SLOWEST_MS, "ms");
    client.reset(rows, false)
}
