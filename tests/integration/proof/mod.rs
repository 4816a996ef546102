//! The reliability proof: real servers, two agents, inserts, logins, a saboteur, and a fault every few seconds. A
//! checker reads the history of the run.
//!
//! `make proof` runs for ten minutes. `PROOF_SECONDS` sets another length, and `PROOF_SEED` repeats the random choices
//! of a run.
//!
//! | file | content |
//! |---|---|
//! | `scene`, `shared`, `disk`, `tables` | the servers, proxies, agents and tables of a run |
//! | `director`, `faults`, `chance` | which fault comes next, and how each is injected and removed |
//! | `clients`, `watcher`, `scraper` | inserts and logins; observations and sabotage; the agents' metrics |
//! | `history` | what all of these record |
//! | `checker`, `drifts`, `calm` | the violations in a history |
//! | `figures` | the figures in docs/reliability.md |
//! | `max_plus_one` | the control: the checker finds the violations of `setval(MAX + 1)` |

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
mod max_plus_one;
mod scene;
mod scraper;
mod shared;
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
use watcher::{Observation, Watcher};

fn length() -> Duration {
    let seconds = std::env::var("PROOF_SECONDS").unwrap_or_else(|_| "60".to_owned());
    Duration::from_secs(seconds.parse().expect("PROOF_SECONDS is a whole number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_faults_no_sequence_moves_back_no_session_is_lost_and_no_drift_looks_healthy() {
    let (seed, length) = (seed(), length());
    println!("PROOF_SEED={seed}");
    let history = History::begin();
    let (orders, asked) = mpsc::channel(1);
    let (seen, look) = watch::channel(Observation::default());
    let (set, ready) = oneshot::channel();
    // A separate thread, because it blocks while it controls servers and processes, and because its mounts are private.
    let (handle, written) = (Handle::current(), history.clone());
    let played = std::thread::spawn(move || {
        handle.block_on(async move {
            let scene = Scene::start(written.clone()).await;
            let until = written.now() + length;
            let mut director = Director { scene, chance: Chance::new(seed, 0), orders, seen: look, until };
            let scene = &director.scene;
            let urls = [scene.clients.url().to_owned(), scene.pooler.url(DATABASE)];
            set.send((Arc::clone(&scene.shared), urls)).expect("the test waits");
            director.play().await;
            director.scene.shared.close();
            let server = director.scene.servers[0].version().to_owned();
            (director.scene.end(), director.scene.not_made(), server)
        })
    });
    let (shared, [direct, pooled]) = ready.await.expect("the scene is set");
    let watcher = Watcher::new(&shared, Chance::new(seed, 1), asked, seen);
    let mut tasks = vec![tokio::spawn(watcher.run())];
    tasks.extend((0..2).map(|slot| tokio::spawn(scraper::scrape(Arc::clone(&shared), slot))));
    for (row, url) in [(10, &direct), (11, &pooled), (12, &pooled)] {
        tasks.push(tokio::spawn(clients::log_in(Arc::clone(&shared), url.clone(), Chance::new(seed, row))));
    }
    for table in &TABLES[..TABLES.len() - 1] {
        tasks.push(tokio::spawn(clients::insert(Arc::clone(&shared), direct.clone(), table)));
    }
    let played = tokio::task::spawn_blocking(move || played.join()).await.expect("no panic");
    shared.close();
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
