//! The proof: real servers, two agents, inserts, logins, a saboteur and a fault every few seconds; and a checker that
//! reads the history.
//!
//! `make proof` takes ten minutes; `PGMEDIC_PROOF_SECONDS` says how long, and `PGMEDIC_PROOF_SEED` repeats what a run drew.

mod calm;
mod chance;
mod checker;
mod clients;
mod director;
mod drifts;
mod faults;
mod history;
mod place;
mod scene;
mod scraper;
mod tables;
mod watcher;

use chance::{Chance, seed};
use checker::check;
use director::Director;
use history::{Event, History};
use scene::{DATABASE, Scene};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tables::TABLES;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use watcher::{Seen, Watcher};

fn length() -> Duration {
    let seconds = std::env::var("PGMEDIC_PROOF_SECONDS").unwrap_or_else(|_| "60".to_owned());
    Duration::from_secs(seconds.parse().expect("PGMEDIC_PROOF_SECONDS is a whole number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_befalls_it_nothing_goes_back_nothing_is_lost_and_nothing_is_called_well_that_is_not() {
    let seed = seed();
    println!("PGMEDIC_PROOF_SEED={seed}");
    let history = History::begin();
    let (orders, asked) = mpsc::channel(1);
    let (seen, look) = watch::channel(Seen::default());
    let scene = Scene::set(history.clone()).await;
    let place = Arc::clone(&scene.place);
    let watcher = Watcher {
        history: history.clone(),
        place: Arc::clone(&place),
        chance: Chance::new(seed, 1),
        orders: asked,
        seen,
        noted: HashSet::new(),
    };
    let direct = scene.clients.url().to_owned();
    let pooled = scene.pooler.url(DATABASE);
    let mut tasks = vec![tokio::spawn(watcher.keep())];
    tasks.extend((0..2).map(|seat| tokio::spawn(scraper::scrape(Arc::clone(&place), seat))));
    for (number, url) in [&direct, &pooled, &pooled].into_iter().enumerate() {
        let chance = Chance::new(seed, 10 + u8::try_from(number).unwrap());
        tasks.push(tokio::spawn(clients::log_in(Arc::clone(&place), url.clone(), chance)));
    }
    for table in &TABLES[..TABLES.len() - 1] {
        tasks.push(tokio::spawn(clients::insert(Arc::clone(&place), direct.clone(), table)));
    }
    let mut director =
        Director { scene, chance: Chance::new(seed, 0), orders, seen: look, until: history.now() + length() };
    // What it does to servers and processes blocks.
    let handle = Handle::current();
    let played = std::thread::spawn(move || {
        handle.block_on(director.play());
        director
    });
    let mut director = tokio::task::spawn_blocking(move || played.join().expect("the director")).await.unwrap();
    place.close();
    for task in tasks {
        task.await.expect("no panic");
    }
    let log = tokio::task::block_in_place(|| director.scene.end());
    assert!(!log.contains("panicked"), "{log}");
    let entries = history.entries();
    let logins = entries.iter().filter(|entry| matches!(entry.event, Event::Login { .. })).count();
    println!("{} entries, {logins} logins", entries.len());
    let increments: Vec<_> = TABLES.iter().map(|table| (table.sequence, table.increment)).collect();
    let violations = check(&entries, &increments);
    for violation in &violations {
        println!("{violation}");
    }
    assert_eq!(violations, [], "PGMEDIC_PROOF_SEED={seed}\n{log}");
}
