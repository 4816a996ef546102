//! The judgement on real tables: what is passed, what is held and why, and what it costs.

mod blocks;
mod capacity;
mod far;
mod keys;
mod leaps;
mod memory;
mod plans;
mod racing;
mod rules;
mod widening;

use crate::support::Database;

/// A database with these tables.
async fn with(create: &str) -> Database {
    let mut database = Database::new().await;
    database.sql(create).await;
    database
}
