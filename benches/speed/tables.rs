//! Creates databases with many serial tables.

use super::Result;
use pgmedic_testserver::TestServer;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use std::thread;
use std::time::Instant;

/// The number of tables created in one transaction. Two such transactions fit into the server's lock table.
const AT_A_TIME: u32 = 500;

/// The number of transactions that set all sequences.
const SEQUENCES_BY: u32 = 40;

/// Catalogs that autovacuum would have vacuumed. It is off here.
const CATALOG: &str = "pg_class, pg_attribute, pg_attrdef, pg_depend, pg_index, pg_constraint, pg_sequence, pg_type";

/// Runs a future on this thread.
pub fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// Runs one or more statements.
pub fn execute(url: &str, statements: String) -> Result<()> {
    block_on(async {
        let mut connection = connect(url).await?;
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await?;
        Ok(connection.close().await?)
    })
}

pub async fn connect(url: &str) -> Result<PgConnection> {
    Ok(PgConnection::connect(url).await?)
}

/// Sets every sequence of a database, in several transactions, because each sequence takes a lock.
pub fn set_all(url: &str, last: u32, is_called: bool) -> Result<()> {
    block_on(async {
        let mut connection = connect(url).await?;
        for part in 0..SEQUENCES_BY {
            let set = format!(
                "SELECT setval(oid::regclass, {last}, {is_called}) FROM pg_class WHERE relkind = 'S' \
                 AND mod(oid::bigint, {SEQUENCES_BY}) = {part}"
            );
            sqlx::raw_sql(AssertSqlSafe(set)).execute(&mut connection).await?;
        }
        Ok(connection.close().await?)
    })
}

/// Creates a database with tables `table_1` to `table_{tables}`: a serial primary key, a text, and ids 1 to `rows`.
/// Returns its URL.
pub fn database(server: &TestServer, name: &str, tables: u32, rows: u32) -> Result<String> {
    let started = Instant::now();
    execute(&server.url("postgres"), format!("CREATE DATABASE {name}"))?;
    let url = server.url(name);
    // Two connections, because one keeps only one core busy.
    thread::scope(|scope| {
        let makers = [0, 1].map(|maker| scope.spawn(move || make(server, name, maker, tables, rows).map_err(text)));
        makers.into_iter().try_for_each(|maker| maker.join().unwrap_or_else(|_| Err("a maker panicked".to_owned())))
    })?;
    // Vacuums and analyzes the catalog, and writes everything out, as in a database that exists for long.
    execute(&url, format!("VACUUM (ANALYZE) {CATALOG}"))?;
    execute(&url, "CHECKPOINT".to_owned())?;
    let noun = if tables == 1 { "table" } else { "tables" };
    println!("\n{tables} serial {noun} with {rows} rows each ({:.0} s to make)", started.elapsed().as_secs_f64());
    Ok(url)
}

fn text(error: Box<dyn std::error::Error>) -> String {
    error.to_string()
}

/// Creates every other block of tables.
fn make(server: &TestServer, name: &str, maker: u32, tables: u32, rows: u32) -> Result<()> {
    block_on(async {
        let mut connection = PgConnection::connect(&server.url(name)).await?;
        for first in (1..=tables).step_by(AT_A_TIME as usize).skip(maker as usize).step_by(2) {
            let last = tables.min(first + AT_A_TIME - 1);
            let block = format!(
                "DO $$ BEGIN
                     FOR i IN {first}..{last} LOOP
                         EXECUTE format('CREATE TABLE table_%s (id serial PRIMARY KEY, name text)', i);
                         EXECUTE format('INSERT INTO table_%s (name) SELECT n FROM generate_series(1, {rows}) n', i);
                     END LOOP;
                 END $$"
            );
            sqlx::raw_sql(AssertSqlSafe(block)).execute(&mut connection).await?;
        }
        Ok(connection.close().await?)
    })
}
