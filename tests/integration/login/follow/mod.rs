//! `pgmedic sql follow`: a trigger that takes a sequence along when an id is inserted that is ahead of it.
//!
//! | module | what it tests |
//! |---|---|
//! | `agent` | which columns the reports say are followed |
//! | `ids` | which ids the sequence follows, and how far |
//! | `script` | what is refused, what is removed, and that no insert fails because of the trigger |

mod agent;
mod ids;
mod script;

use crate::support::{Database, pgmedic};
use sqlx::AssertSqlSafe;

/// Runs the script for these arguments as the database's owner.
async fn follow(database: &mut Database, arguments: &[&str]) {
    let script = pgmedic(&[], &[&["sql", "follow"], arguments].concat()).exits(0).stdout;
    database.sql(&script).await;
}

/// A database in which the sequence of `t.id`, made by `setup`, follows its ids.
async fn followed(setup: &str) -> Database {
    let mut database = Database::new().await;
    database.sql(setup).await;
    follow(&mut database, &["t.id"]).await;
    database
}

/// The message of the error with which the script for these arguments is refused; nothing of it remains.
async fn refused(database: &mut Database, arguments: &[&str]) -> String {
    let refusal = refusal(database, arguments).await;
    let left = "SELECT (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'zz_pgmedic%')
                       + (SELECT count(*) FROM pg_proc WHERE proname LIKE 'pgmedic_follow%')";
    assert_eq!(database.number(left).await, 0, "{refusal}");
    refusal
}

/// The message of the error with which the script for these arguments is refused.
async fn refusal(database: &mut Database, arguments: &[&str]) -> String {
    let script = pgmedic(&[], &[&["sql", "follow"], arguments].concat()).exits(0).stdout;
    let error = sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut database.connection).await.unwrap_err();
    database.sql("ROLLBACK").await;
    error.as_database_error().unwrap().message().to_owned()
}
