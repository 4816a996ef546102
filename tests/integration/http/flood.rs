//! Clients that search while the agent works.

use super::{Client, is_well, status};
use crate::support::{Agent, Database};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

const CLIENTS: usize = 60;
/// Words of one search.
const WORDS: usize = 150;

/// A full pass each second.
const EAGER: &str = "[sequences]\nschedule = \"* * * * * *\"\nfull_pass_every = 1\n";

#[tokio::test]
async fn sixty_clients_that_search_hold_up_neither_probes_nor_passes() {
    let mut database = Database::new().await;
    // Few locks at a time.
    for table in 1..=10 {
        let columns: Vec<String> = (1..=250).map(|number| format!("id_{number} serial")).collect();
        database.sql(&format!("CREATE TABLE table_{table} ({})", columns.join(", "))).await;
    }
    let agent = Agent::start(&database, EAGER);
    let series = format!("pgmedic_sequences{{database=\"{}\",verdict=\"in_sync\"}}", database.name);
    agent.wait_until(&series, |sequences| sequences == 2500.0);
    let query = vec!["t"; WORDS].join("+");
    let request = format!("GET /?q={query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let (over, searches) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    // A client beyond the number of connections loses its own.
                    if status(&Client::of(&agent).say(&request).hear()) == Some(200) {
                        searches.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        // While at least so many searches are answered, each probe is, and passes go on.
        let before = agent.passes(&database.name);
        while searches.load(Ordering::Relaxed) < 200 || agent.passes(&database.name) < before + 3.0 {
            assert_eq!(agent.get("/livez"), (200, "ok\n".to_owned()));
        }
        over.store(true, Ordering::Relaxed);
    });
    is_well(agent);
}
