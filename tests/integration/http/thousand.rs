//! A thousand connections, and an agent that may open few files.

use super::{Client, is_well, status};
use crate::support::{Agent, Database, wait_for_within};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::process::Command;
use std::time::Duration;

const CROWD: usize = 1000;

/// A full pass each second, without timeouts that a busy machine would reach.
const EAGER: &str = "[sequences]\nschedule = \"* * * * * *\"\nfull_pass_every = 1\nlock_timeout = \"100s\"\n\
                     statement_timeout = \"100s\"\n";

/// For a repair on a machine where everything takes its time.
const LONG_TIMEOUT: Duration = Duration::from_secs(300);

/// What one connection may cost, its buffers included; twice what was measured.
const BYTES_EACH: f64 = 100_000.0;

/// An agent on a database with a table of twenty rows.
async fn agent() -> (Database, Agent) {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 20)").await;
    let agent = Agent::start(&database, EAGER);
    agent.wait_until(&series("verdict=\"in_sync\"", &database), |sequences| sequences == 1.0);
    (database, agent)
}

fn series(label: &str, database: &Database) -> String {
    format!("pgmedic_sequences{{database=\"{}\",{label}}}", database.name)
}

/// This process holds the other ends, of two crowds at a time.
fn may_open_them_all() {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("its limit");
    let wanted = (2 * CROWD as u64 + 500).max(soft);
    assert!(wanted <= hard, "a limit of {hard} open files is too low for {CROWD} connections");
    setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).expect("a higher limit");
}

/// As a service has it whose limit is too low.
#[track_caller]
fn may_open(agent: &Agent, files: u64) {
    let arguments = ["--pid".to_owned(), agent.pid().to_string(), format!("--nofile={files}:")];
    let status = Command::new("prlimit").args(arguments).status().expect("prlimit, of util-linux");
    assert!(status.success(), "{status}");
}

/// Connects, and says nothing, or the beginning of something.
fn crowd(agent: &Agent) -> Vec<Client> {
    may_open_them_all();
    let mut crowd = Vec::with_capacity(CROWD);
    for number in 0..CROWD {
        crowd.push(Client::of(agent).say(&"GET /livez HT"[..number % 13]));
        if number % 50 == 0 {
            assert_eq!(agent.get("/livez").0, 200, "after {number}");
        }
    }
    crowd
}

/// Drift is seen and repaired meanwhile.
async fn repairs(database: &mut Database, agent: &Agent) {
    let before = agent.advances(&database.name).expect("a series from zero");
    database.sql("SELECT setval('orders_id_seq', 1, false)").await;
    wait_for_within(LONG_TIMEOUT, "a repair", || agent.advances(&database.name).filter(|repairs| *repairs > before));
    assert_eq!(database.nextval("orders_id_seq").await, 21);
}

#[tokio::test]
async fn a_thousand_connections_cost_little_and_keep_no_probe_and_no_repair_waiting() {
    let (mut database, agent) = agent().await;
    let memory = || agent.metric("process_resident_memory_bytes").expect("its memory");
    let before = memory();
    let crowd = crowd(&agent);
    repairs(&mut database, &agent).await;
    let (after, files) = (memory(), agent.metric("process_open_fds").expect("its open files"));
    println!("{} bytes a connection", (after - before) / CROWD as f64);
    assert!(after - before < 64.0 * BYTES_EACH, "{before} bytes, and {after}");
    assert!(files < 100.0, "{files} open files");
    drop(crowd);
    is_well(agent);
}

#[tokio::test]
async fn an_agent_with_few_files_left_answers_and_repairs_all_the_same() {
    let (mut database, agent) = agent().await;
    may_open(&agent, 40);
    let crowd = crowd(&agent);
    repairs(&mut database, &agent).await;
    assert!(agent.metric("process_open_fds").expect("its open files") < 40.0);
    drop(crowd);
    is_well(agent);
}

#[tokio::test]
async fn who_comes_when_no_file_is_left_is_answered_all_the_same() {
    let (_database, agent) = agent().await;
    let files = agent.metric("process_open_fds").expect("its open files");
    let crowd: Vec<Client> = (0..20).map(|_| Client::of(&agent)).collect();
    // Fewer than are open by now.
    may_open(&agent, files as u64);
    let late = Client::of(&agent).send("GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").hear();
    assert_eq!(status(&late), Some(200), "{late}");
    drop(crowd);
}
