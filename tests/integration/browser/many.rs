//! Ten thousand sequences.

use super::{HOURLY, pages};
use crate::support::{Agent, Database, Page};
use serde_json::Value;

/// Bytes of the page, elements in it, and what it needed besides.
const WORK: &str = "[
    performance.getEntriesByType('navigation')[0].decodedBodySize,
    document.querySelectorAll('*').length,
    performance.getEntriesByType('resource').filter(({ initiatorType }) => /link|script/.test(initiatorType)).length,
]";

/// What a search costs the browser, typed and sent.
fn search(agent: &Agent, all: &str) -> Vec<u64> {
    let page = Page::open(&agent.url(""));
    page.says(&[all]);
    page.act("click", "#q");
    page.act("type", "id");
    page.press(&["Enter"]);
    page.wait_until("an answer", |page| page.act("address", ()).as_str()?.contains("q=id").then_some(()));
    let text = page.says(&["1 to 25 of "]);
    assert!(text.contains("Next"), "{text}");
    page.wait_until("all of it", |page| (page.look("document.readyState") == "complete").then_some(()));
    let work = page.look(WORK);
    page.close();
    work.as_array().unwrap().iter().filter_map(Value::as_u64).collect()
}

#[tokio::test]
async fn a_search_in_ten_thousand_costs_no_more_than_one_in_sixty() {
    let few = pages().await;
    let mut many = Database::new().await;
    // Few locks at a time.
    for table in 1..=40 {
        let columns: Vec<String> = (1..=250).map(|number| format!("id_{number} serial")).collect();
        many.sql(&format!("CREATE TABLE table_{table} ({})", columns.join(", "))).await;
    }
    let [few, many] = [(&few, "of 61"), (&many, "of 10000")].map(|(database, all)| {
        let agent = Agent::start(database, HOURLY);
        let work = search(&agent, all);
        agent.stop();
        work
    });
    assert_eq!(few.len(), 3);
    for (few, many) in few.iter().zip(&many) {
        assert!(*many as f64 <= *few as f64 * 1.2, "{few} with few, {many} with many");
    }
}
