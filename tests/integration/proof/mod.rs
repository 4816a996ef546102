//! The proof: real servers, two agents, inserts, logins, a saboteur and a fault every few seconds; and a checker that
//! reads the history.
//!
//! `make proof` takes ten minutes; `PROOF_SECONDS` says how long, and `PROOF_SEED` repeats what a run drew.

mod calm;
mod chance;
mod checker;
mod clients;
mod director;
mod disk;
mod drifts;
mod faults;
mod figures;
mod history;
mod place;
mod rogue;
mod scene;
mod scraper;
mod tables;
mod watcher;

use chance::{Chance, seed};
use checker::check;
use director::Director;
use figures::Run;
use history::History;
use scene::{DATABASE, Scene};
use std::sync::Arc;
use std::time::Duration;
use tables::TABLES;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use watcher::{Seen, Watcher};

fn length() -> Duration {
    let seconds = std::env::var("PROOF_SECONDS").unwrap_or_else(|_| "60".to_owned());
    Duration::from_secs(seconds.parse().expect("PROOF_SECONDS is a whole number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_befalls_it_nothing_goes_back_nothing_is_lost_and_nothing_is_called_well_that_is_not() {
    let (seed, length) = (seed(), length());
    println!("PROOF_SEED={seed}");
    let history = History::begin();
    let (orders, asked) = mpsc::channel(1);
    let (seen, look) = watch::channel(Seen::default());
    let (set, ready) = oneshot::channel();
    // What it does to servers and processes blocks, and its mounts are its own.
    let (handle, written) = (Handle::current(), history.clone());
    let played = std::thread::spawn(move || {
        handle.block_on(async move {
            let scene = Scene::set(written.clone()).await;
            let until = written.now() + length;
            let mut director = Director { scene, chance: Chance::new(seed, 0), orders, seen: look, until };
            let scene = &director.scene;
            let urls = [scene.clients.url().to_owned(), scene.pooler.url(DATABASE)];
            set.send((Arc::clone(&scene.place), urls)).expect("the test waits");
            director.play().await;
            director.scene.place.close();
            let server = director.scene.servers[0].version().to_owned();
            (director.scene.end(), director.scene.not_made(), server)
        })
    });
    let (place, [direct, pooled]) = ready.await.expect("the scene is set");
    let watcher = Watcher::new(&place, Chance::new(seed, 1), asked, seen);
    let mut tasks = vec![tokio::spawn(watcher.keep())];
    tasks.extend((0..2).map(|seat| tokio::spawn(scraper::scrape(Arc::clone(&place), seat))));
    for (row, url) in [(10, &direct), (11, &pooled), (12, &pooled)] {
        tasks.push(tokio::spawn(clients::log_in(Arc::clone(&place), url.clone(), Chance::new(seed, row))));
    }
    for table in &TABLES[..TABLES.len() - 1] {
        tasks.push(tokio::spawn(clients::insert(Arc::clone(&place), direct.clone(), table)));
    }
    let played = tokio::task::spawn_blocking(move || played.join()).await.expect("no panic");
    place.close();
    let (log, not_made, server) = played.expect("the director");
    for task in tasks {
        task.await.expect("no panic");
    }
    assert!(!log.contains("panicked"), "{log}");
    let entries = history.entries();
    let violations = check(&entries, &increments());
    for violation in &violations {
        println!("{violation}");
    }
    assert_eq!(violations, [], "PROOF_SEED={seed}\n{log}");
    Run { entries: &entries, seed, length, server: &server, not_made: &not_made }.write();
}

fn increments() -> Vec<(&'static str, i64)> {
    TABLES.iter().map(|table| (table.sequence, table.increment)).collect()
}
