//! What the login path costs: an insert through `retry_after_repair` when all is well, and when it must repair.

use super::Result;
use super::rounds::alternate;
use super::tables::{connect, database};
use super::verdicts::Verdicts;
use pgmedic_login::{InlineRepairLimits, RetryOutcome, retry_after_repair};
use pgmedic_testserver::TestServer;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use std::cell::RefCell;
use std::time::Instant;
use tokio::runtime::{Builder, Runtime};

const GAP: u32 = 38;
/// Inserts timed together when all is well.
const INSERTS: usize = 200;
const ROUNDS: usize = 21;
const ROUNDS_OF_ONE: usize = 61;

/// Sanity, not promises: what counts are the figures.
const MOST_AGAINST_A_TRANSACTION: f64 = 1.5;
const MOST_AGAINST_PLAIN: f64 = 6.0;
const SLOWEST_MS: f64 = 20.0;

const INSERT: &str = "INSERT INTO table_1 (name) VALUES ('login') RETURNING id";

/// A connection that the competitors share in turns, as the logins of a pool do.
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

    /// A statement by itself, as an application would send it.
    fn plain(&self) -> Result<()> {
        let mut connection = self.connection.borrow_mut();
        Ok(self.runtime.block_on(sqlx::query(INSERT).execute(&mut *connection)).map(drop)?)
    }

    fn in_a_transaction(&self) -> Result<()> {
        let mut connection = self.connection.borrow_mut();
        self.runtime.block_on(async {
            let mut transaction = connection.begin().await?;
            sqlx::query(INSERT).execute(&mut *transaction).await?;
            Ok(transaction.commit().await?)
        })
    }

    fn repairing(&self) -> Result<RetryOutcome<i32>> {
        let mut connection = self.connection.borrow_mut();
        let repaired = retry_after_repair(&mut *connection, InlineRepairLimits::default(), async |connection| {
            sqlx::query_scalar(INSERT).fetch_one(connection).await
        });
        Ok(self.runtime.block_on(repaired)?)
    }

    /// Only the ids 1 to `rows` are there, and the sequence is before the first of them or behind the last.
    fn reset(&self, rows: u32, drifted: bool) -> Result<()> {
        let (last, is_called) = if drifted { (1, false) } else { (rows, true) };
        let reset =
            format!("DELETE FROM table_1 WHERE id > {rows}; SELECT setval('table_1_id_seq', {last}, {is_called})");
        let mut connection = self.connection.borrow_mut();
        Ok(self.runtime.block_on(sqlx::raw_sql(AssertSqlSafe(reset)).execute(&mut *connection)).map(drop)?)
    }
}

/// On a database of one table.
pub fn small(server: &TestServer, verdicts: &mut Verdicts) -> Result<()> {
    let url = database(server, "logins", 1, GAP)?;
    let client = Client::connect(&url)?;
    let inserts = |competitor| {
        (0..INSERTS).try_for_each(|_| match competitor {
            0 => client.plain(),
            1 => client.in_a_transaction(),
            _ => client.repairing().map(drop),
        })
    };
    let [plain, transaction, healthy] = alternate(ROUNDS, |_| client.reset(GAP, false), inserts)?;
    println!("  {INSERTS} plain inserts                  {}", plain.show());
    println!("  the same, in a transaction each    {}", transaction.show());
    println!("  by retry_after_repair, none to repair    {}", healthy.show());
    let ratio = healthy.ratio_to(&transaction);
    verdicts.at_most(
        "retry_after_repair, none to repair, against a transaction",
        Some(ratio),
        MOST_AGAINST_A_TRANSACTION,
        "x",
    );
    let ratio = healthy.ratio_to(&plain);
    verdicts.at_most("the same, against a statement by itself", Some(ratio), MOST_AGAINST_PLAIN, "x");
    repaired("one table", &url, GAP, verdicts)
}

/// An insert that meets a taken id, beside whatever tables there are; `table_1` has `rows` rows, and again in the end.
pub fn repaired(what: &str, url: &str, rows: u32, verdicts: &mut Verdicts) -> Result<()> {
    println!("\nan insert that repairs itself, gap of {rows}, {what}");
    let client = Client::connect(url)?;
    client.reset(rows, true)?;
    let started = Instant::now();
    client.repairing()?;
    println!("  the first of a connection          {:.4} s", started.elapsed().as_secs_f64());
    let insert = |competitor| {
        let repaired = client.repairing()?;
        if repaired.repairs.len() == competitor { Ok(()) } else { Err(format!("not as wanted: {repaired:?}").into()) }
    };
    let [healthy, drifted] = alternate(ROUNDS_OF_ONE, |competitor| client.reset(rows, competitor == 1), insert)?;
    println!("  none to repair                       {}", healthy.show());
    println!("  repaired                             {}", drifted.show());
    let median = drifted.median().as_secs_f64() * 1e3;
    verdicts.at_most(format!("an insert that repairs itself, {what}: median"), Some(median), SLOWEST_MS, "ms");
    client.reset(rows, false)
}
