//! Failures during a pass: each is reported with its reason, nothing is half done, nothing hangs, and nothing is left
//! behind on the server.

mod gone;
mod locks;
mod lost;
mod refused;
mod together;

use crate::support::Database;
use sqlx::Row;
use sqlx::postgres::PgConnection;

/// Timeouts that no test reaches, so that only a hang exceeds them.
const LONG_TIMEOUTS: [(&str, &str); 2] =
    [("PGMEDIC_SEQUENCES__LOCK_TIMEOUT", "60s"), ("PGMEDIC_SEQUENCES__STATEMENT_TIMEOUT", "120s")];

async fn run(connection: &mut PgConnection, statements: &'static str) {
    sqlx::raw_sql(statements).execute(connection).await.expect(statements);
}

/// A table with a lag of 38. Its sequence is `<name>_id_seq`.
fn behind(table: &str) -> String {
    format!(
        "CREATE TABLE {table} (id serial PRIMARY KEY);
         INSERT INTO {table} SELECT id FROM generate_series(1, 695) AS id;
         SELECT setval('{table}_id_seq', 658, false);"
    )
}

/// The same with CACHE 10, whose repair is a leap.
fn behind_and_cached(table: &str) -> String {
    format!("{} ALTER SEQUENCE {table}_id_seq CACHE 10;", behind(table))
}

/// The state of a sequence: everything that a repair could change.
async fn state(database: &mut Database, sequence: &str) -> (i64, bool, i64) {
    let row = database
        .row(&format!("SELECT last_value, is_called, pg_relation_filenode('{sequence}')::bigint FROM {sequence}"))
        .await;
    (row.get(0), row.get(1), row.get(2))
}
