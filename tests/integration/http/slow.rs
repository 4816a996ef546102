//! Clients that request large pages and read nothing.

use super::{Client, HOURLY, is_well};
use crate::support::{Agent, Database};

/// Two megabytes of report, and a page in hundreds of parts.
const SEQUENCES: usize = 3_000;

/// More of each than are answered at a time.
const READERS: usize = 40;

const PATHS: [&str; 5] = ["/api/v1/reports", "/", "/?page=400", "/metrics", "/events"];

#[tokio::test]
async fn clients_that_read_nothing_of_thousands_of_sequences_use_little_memory_and_block_no_other() {
    let mut database = Database::new().await;
    let create = "DO $$ BEGIN FOR i IN 1..500 LOOP
                      EXECUTE format('CREATE TABLE a_table_of_one_of_many_customers_%s_%s (id serial PRIMARY KEY)', PART, i);
                  END LOOP; END $$";
    // Several transactions: the locks of each are held until its end.
    for part in 0..SEQUENCES / 500 {
        database.sql(&create.replace("PART", &part.to_string())).await;
    }
    let agent = Agent::start(&database, HOURLY);
    let all = format!("pgmedic_sequences{{database=\"{}\",verdict=\"in_sync\"}}", database.name);
    agent.wait_until(&all, |sequences| sequences == SEQUENCES as f64);
    let memory = || agent.metric("process_resident_memory_bytes").expect("its memory");
    // What making an answer takes once, the allocator keeps.
    let (code, report) = agent.get("/api/v1/reports");
    assert!(code == 200 && report.len() > 1_000_000, "{code}, {} bytes", report.len());
    let before = memory();

    let mut readers: Vec<Client> = Vec::new();
    for number in 0..READERS {
        let request = format!("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", PATHS[number % PATHS.len()]);
        readers.push(Client::of(&agent).send(request));
        assert_eq!(agent.get("/livez").0, 200);
    }
    assert_eq!(agent.get("/metrics").0, 200);
    let after = memory();
    println!("{} bytes of report, {} more in memory", report.len(), after - before);
    // Four reports are in memory at a time, and eight pages; a report is made from a copy.
    assert!(after - before < 12.0 * report.len() as f64, "{before} bytes, and {after}");

    drop(readers);
    assert_eq!(agent.get("/api/v1/reports").1.len(), report.len());
    is_well(agent);
}
