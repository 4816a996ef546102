//! The checker against a real culprit: what everybody does instead of pgmedic.

use super::chance::Chance;
use super::checker::{Violation, check};
use super::history::History;
use super::place::Place;
use super::tables::{TABLES, schema};
use super::watcher::{Seen, Watcher};
use super::{clients, increments};
use crate::support::{Database, eventually};
use sqlx::AssertSqlSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{mpsc, watch};

/// As it is found in many a login path; the pause stands for a table that takes its time.
const MAX_PLUS_ONE: &str = "
    SELECT setval('orders_id_seq', furthest + 1, false)
    FROM (SELECT max(id) AS furthest FROM orders) AS looked, LATERAL (SELECT pg_sleep(0.2 + 0 * furthest)) AS slept";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_sets_sequences_to_the_maximum_is_caught() {
    let mut database = Database::new().await;
    database.sql(&schema()).await;
    let history = History::begin();
    let place = Arc::new(Place::new(history.clone(), database.url().to_owned()));
    // Nobody asks for sabotage.
    let (_orders, asked) = mpsc::channel(1);
    let (seen, _look) = watch::channel(Seen::default());
    let mut tasks = vec![tokio::spawn(Watcher::new(&place, Chance::new(1, 1), asked, seen).keep())];
    for _ in 0..2 {
        let (place, url) = (Arc::clone(&place), database.url().to_owned());
        tasks.push(tokio::spawn(clients::insert(place, url, &TABLES[0])));
    }
    let caught = Arc::new(AtomicBool::new(false));
    let (mut rogue, over) = (database.connect().await, Arc::clone(&caught));
    tasks.push(tokio::spawn(async move {
        while !over.load(Ordering::Relaxed) {
            // An empty table has no maximum.
            let _ = sqlx::raw_sql(AssertSqlSafe(MAX_PLUS_ONE)).execute(&mut rogue).await;
        }
    }));
    tokio::task::block_in_place(|| {
        eventually("both of its crimes", || {
            let violations = check(&history.entries(), &increments());
            let moved = violations.iter().any(|one| matches!(one, Violation::MovedBack { .. }));
            let duplicate = violations.iter().any(|one| matches!(one, Violation::DuplicateWithoutDrift { .. }));
            (moved && duplicate).then_some(())
        });
    });
    caught.store(true, Ordering::Relaxed);
    place.close();
    for task in tasks {
        task.await.unwrap();
    }
}
