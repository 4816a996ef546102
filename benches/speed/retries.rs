//! Measures what each form of the retry adds to a healthy insert, as ratios within one run.

use super::Result;
use super::rounds::alternate;
use super::tables::{connect, database};
use super::verdicts::Verdicts;
use pgmedic_login::{InlineRepairLimits, retry_after_repair, retry_statement_after_repair};
use pgmedic_testserver::TestServer;
use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use sqlx::{Connection, Error};
use std::cell::RefCell;
use tokio::runtime::{Builder, Runtime};

/// Inserts that are timed together.
const INSERTS: usize = 50;
const ROUNDS: usize = 101;

const MOST_ON_A_POOL: f64 = 1.1;
const MOST_ON_A_CONNECTION: f64 = 1.3;
const MOST_INSIDE: f64 = 1.35;
const MOST_STATEMENT: f64 = 1.05;

const INSERT: &str = "INSERT INTO table_1 (name) VALUES ('login') RETURNING id";

/// A way to insert a row.
#[derive(Clone, Copy)]
enum Form {
    /// One statement on a connection of the pool.
    Plain,
    Statement,
    /// A transaction on a connection of the pool.
    PoolTransaction,
    Pool,
    /// A transaction on a connection.
    Transaction,
    Connection,
    /// The retry inside a transaction that the application begins.
    Inside,
}

const FORMS: [Form; 7] = [
    Form::Plain,
    Form::Statement,
    Form::PoolTransaction,
    Form::Pool,
    Form::Transaction,
    Form::Connection,
    Form::Inside,
];

struct Client {
    runtime: Runtime,
    pool: PgPool,
    connection: RefCell<PgConnection>,
}

async fn insert(connection: &mut PgConnection) -> std::result::Result<i32, Error> {
    sqlx::query_scalar(INSERT).fetch_one(connection).await
}

impl Client {
    fn connect(url: &str) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let pool = runtime.block_on(PgPoolOptions::new().max_connections(2).connect(url))?;
        let connection = RefCell::new(runtime.block_on(connect(url))?);
        Ok(Self { runtime, pool, connection })
    }

    #[expect(clippy::await_holding_refcell_ref, reason = "one insert at a time")]
    async fn insert(&self, form: Form) -> std::result::Result<(), Error> {
        let limits = InlineRepairLimits::default();
        let mut connection = self.connection.borrow_mut();
        match form {
            Form::Plain => insert(&mut *self.pool.acquire().await?).await.map(drop),
            Form::Statement => retry_statement_after_repair(&self.pool, limits, insert).await.map(drop),
            Form::PoolTransaction => {
                let mut transaction = self.pool.begin().await?;
                insert(&mut transaction).await?;
                transaction.commit().await
            }
            Form::Pool => retry_after_repair(&self.pool, limits, insert).await.map(drop),
            Form::Transaction => {
                let mut transaction = connection.begin().await?;
                insert(&mut transaction).await?;
                transaction.commit().await
            }
            Form::Connection => retry_after_repair(&mut *connection, limits, insert).await.map(drop),
            Form::Inside => {
                let mut transaction = connection.begin().await?;
                retry_after_repair(&mut transaction, limits, insert).await?;
                transaction.commit().await
            }
        }
    }
}

/// Measures every form in turns.
pub fn ratios(server: &TestServer, verdicts: &mut Verdicts) -> Result<()> {
    let client = Client::connect(&database(server, "retries", 1, 38)?)?;
    let run = |competitor: usize| {
        (0..INSERTS).try_for_each(|_| Ok(client.runtime.block_on(client.insert(FORMS[competitor]))?))
    };
    let [plain, statement, pool_transaction, pool, transaction, connection, inside] =
        alternate(ROUNDS, |_| Ok(()), run)?;
    println!("\n{INSERTS} healthy inserts");
    for (what, times) in [
        ("a plain statement on a pool", &plain),
        ("retry_statement_after_repair", &statement),
        ("a transaction on a pool", &pool_transaction),
        ("retry_after_repair on a pool", &pool),
        ("a transaction on a connection", &transaction),
        ("retry_after_repair on a connection", &connection),
        ("retry_after_repair in a transaction", &inside),
    ] {
        println!("  {what:<36} {}", times.show());
    }
    for (what, ratio, limit) in [
        ("retry_statement_after_repair, against a statement", statement.ratio_to(&plain), MOST_STATEMENT),
        ("retry_after_repair on a pool, against a transaction", pool.ratio_to(&pool_transaction), MOST_ON_A_POOL),
        ("the same on a connection", connection.ratio_to(&transaction), MOST_ON_A_CONNECTION),
        ("the same inside a transaction", inside.ratio_to(&transaction), MOST_INSIDE),
    ] {
        verdicts.at_most(what, Some(ratio), limit, "x");
    }
    Ok(())
}
