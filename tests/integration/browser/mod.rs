//! The status page in a real browser.

mod keyboard;
mod live;
mod looks;
mod lost;
mod many;
mod names;
mod plain;
mod servers;

use crate::support::{Agent, Database, EVERY_SECOND, Page};

/// For a page that stays as it is: after the first pass there is no other.
const HOURLY: &str = "[sequences]\nschedule = \"0 0 * * * *\"\n";

const REWIND: &str = "SELECT setval('orders_id_seq', 1, false)";

/// With 20 ids in `orders`, and a sequence that knows of them.
async fn orders() -> Database {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE orders (id serial PRIMARY KEY)").await;
    database.sql("INSERT INTO orders SELECT nextval('orders_id_seq') FROM generate_series(1, 20)").await;
    database
}

/// The same, and so many sequences that they take several pages.
async fn pages() -> Database {
    let mut database = orders().await;
    let columns: Vec<String> = (1..=60).map(|number| format!("id_{number} serial")).collect();
    database.sql(&format!("CREATE TABLE items ({})", columns.join(", "))).await;
    database
}

#[tokio::test]
async fn what_a_page_must_not_do_is_noticed() {
    let database = orders().await;
    let agent = Agent::start(&database, HOURLY);
    let page = Page::open(&agent.url(""));
    page.look("document.body.append(Object.assign(new Image(), { src: 'https://elsewhere.invalid/' }))");
    page.look("void fetch('metrics', { method: 'POST' })");
    page.look("console.warn('odd')");
    page.wait_until("complaints of all three", |page| {
        let heard = page.act("heard", ()).to_string();
        let wanted = ["Content Security Policy", "\"POST http://", "\"warning: odd\""];
        wanted.iter().all(|wanted| heard.contains(wanted)).then_some(())
    });
    let complaints = page.complaints();
    assert!(complaints.len() >= 3, "{complaints:?}");
    agent.stop();
}
