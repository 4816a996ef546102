//! Where no script runs.

use super::{EVERY_SECOND, REWIND, pages};
use crate::support::{Agent, DESKTOP, Look, Page};

#[tokio::test]
async fn without_javascript_it_says_the_same_and_is_loaded_again_and_searched_by_hand() {
    let mut database = pages().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    let live = Page::open(&agent.url(""));
    live.says(&["All 61 sequences are ahead of their data", "Live"]);
    let page = Page::open_as(&agent.url(""), Look { script: false, ..DESKTOP });
    let text = page.says(&["All 61 sequences are ahead of their data", "1 to 25 of 61"]);
    assert!(!text.contains("Live") && !text.contains("Copy") && text.contains(" UTC Reload to update"), "{text}");
    live.close();
    database.sql(REWIND).await;
    page.wait_until("the repair", |page| {
        page.act("click", "#live");
        page.text().contains("public.orders_id_seq moved from").then_some(())
    });
    page.act("click", "#next");
    page.says(&["26 to 50 of 61"]);
    page.act("click", "#q");
    page.act("type", "ORDERS");
    page.act("click", "#search button");
    page.says(&["1 to 1 of 1", "public.orders_id_seq", "Show all"]);
    page.fits();
    page.close();
    agent.stop();
}
