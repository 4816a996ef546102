//! No page and no log line contains a secret.

use super::{PAGES, is_well};
use crate::support::{Agent, Database, server};

const SECRET: &str = "s3cr3t-Hunter2";

#[tokio::test]
async fn no_page_and_no_line_of_the_log_tells_the_password() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders VALUES (7)").await;
    let url = server().tcp_url(&database.name).expect("a port").replace("postgres@", &format!("postgres:{SECRET}@"));
    assert!(url.contains(SECRET), "{url}");
    let agent = Agent::start_at(&url, &database, "[log]\nlevel = \"trace\"\n");
    // Repaired, and then out of reach.
    agent.has_advanced(&database.name, 1.0);
    let silent = |agent: &Agent| {
        for page in PAGES {
            let (status, text) = agent.get(page);
            assert!(status == 200 && !text.contains(SECRET), "{page}: {status} {text}");
        }
        assert!(!agent.log().contains(SECRET), "{}", agent.log());
    };
    silent(&agent);
    is_well(agent);
}
