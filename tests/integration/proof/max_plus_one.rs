//! The control: beside inserts, `setval(MAX + 1)` causes violations, and the checker finds them.

use super::chance::Chance;
use super::checker::{Violation, check};
use super::history::History;
use super::shared::Shared;
use super::tables::{TABLES, schema};
use super::watcher::{Observation, Watcher};
use super::{clients, increments};
use crate::support::{Database, wait_for};
use sqlx::AssertSqlSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{mpsc, watch};

/// The repair that many login paths contain. The pause stands for a large table.
const MAX_PLUS_ONE: &str = "
    SELECT setval('orders_id_seq', furthest + 1, false)
    FROM (SELECT max(id) AS furthest FROM orders) AS looked, LATERAL (SELECT pg_sleep(0.2 + 0 * furthest)) AS slept";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_sets_sequences_to_the_maximum_is_caught() {
    let mut database = Database::new().await;
    database.sql(&schema()).await;
    let history = History::begin();
    let shared = Arc::new(Shared::new(history.clone(), database.url().to_owned()));
    // This run requests no sabotage.
    let (_orders, asked) = mpsc::channel(1);
    let (seen, _look) = watch::channel(Observation::default());
    let mut tasks = vec![tokio::spawn(Watcher::new(&shared, Chance::new(1, 1), asked, seen).run())];
    for _ in 0..2 {
        let (shared, url) = (Arc::clone(&shared), database.url().to_owned());
        tasks.push(tokio::spawn(clients::insert(shared, url, &TABLES[0])));
    }
    let caught = Arc::new(AtomicBool::new(false));
    let (mut max_plus_one, over) = (database.connect().await, Arc::clone(&caught));
    tasks.push(tokio::spawn(async move {
        while !over.load(Ordering::Relaxed) {
            // On an empty table it fails, because there is no maximum.
            let _ = sqlx::raw_sql(AssertSqlSafe(MAX_PLUS_ONE)).execute(&mut max_plus_one).await;
        }
    }));
    tokio::task::block_in_place(|| {
        wait_for("both violations", || {
            let violations = check(&history.entries(), &increments());
            let moved = violations.iter().any(|one| matches!(one, Violation::MovedBack { .. }));
            let duplicate = violations.iter().any(|one| matches!(one, Violation::DuplicateWithoutDrift { .. }));
            (moved && duplicate).then_some(())
        });
    });
    caught.store(true, Ordering::Relaxed);
    shared.close();
    for task in tasks {
        task.await.unwrap();
    }
}
