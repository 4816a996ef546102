//! More clients than connections are allowed.

use super::{Client, agent, is_well};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

const CROWD: usize = 200;

#[tokio::test]
async fn two_hundred_idle_clients_do_not_block_the_others() {
    let (_database, agent) = agent().await;
    let mut crowd: Vec<Client> = Vec::new();
    for number in 0..CROWD {
        // Some send nothing, some the start of a request.
        crowd.push(Client::of(&agent).say(&"GET /livez HT"[..number % 13]));
        assert_eq!(agent.get("/livez").0, 200);
    }
    assert_eq!(agent.get("/metrics").0, 200);
    let fds = agent.metric("process_open_fds").expect("its open files");
    assert!(fds < 100.0, "{fds} open files");
    for client in crowd {
        assert_eq!(client.hear(), "");
    }
    is_well(agent);
}

#[tokio::test]
async fn nor_do_clients_that_connect_again_and_again() {
    let (_database, agent) = agent().await;
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut crowd = std::collections::VecDeque::new();
                while !over.load(Ordering::Relaxed) {
                    crowd.push_back(Client::of(&agent));
                    if crowd.len() > CROWD / 4 {
                        crowd.pop_front();
                    }
                }
            });
        }
        let answers: Vec<_> = (0..50).map(|_| (agent.get("/livez").0, agent.get("/metrics").0)).collect();
        over.store(true, Ordering::Relaxed);
        assert_eq!(answers, [(200, 200); 50]);
    });
    is_well(agent);
}
