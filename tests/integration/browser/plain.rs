//! Where no script runs.

use super::{EVERY_SECOND, REWIND, pages};
use crate::support::{Agent, DESKTOP, Look, Page};

#[tokio::test]
async fn without_javascript_it_says_the_same_and_is_loaded_again_and_searched_by_hand() {
    let mut database = pages().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    let live = Page::open(&agent.url(""));
    live.says(&["✓ All sequences healthy", "· live"]);
    let page = Page::open_as(&agent.url(""), Look { script: false, ..DESKTOP });
    let text =
        page.says(&["✓ All sequences healthy", "All 61 sequences are ahead of their data", "1 to 25 of 61 sequences"]);
    assert!(!text.contains("live") && text.contains(" UTC Reload"), "{text}");
    live.close();
    database.sql(REWIND).await;
    page.wait_until("the repair", |page| {
        page.act("click", "#reload");
        page.text().contains("repaired public.orders_id_seq").then_some(())
    });
    page.act("click", "#next");
    page.says(&["26 to 50 of 61 sequences"]);
    page.act("click", "#q");
    page.act("type", "ORDERS");
    page.act("click", "#search button");
    page.says(&["1 sequence ", "public.orders_id_seq", "Show all"]);
    page.fits();
    page.close();
    agent.stop();
}
