//! A page that stays open.

use super::{EVERY_SECOND, REWIND, orders, pages};
use crate::support::{Agent, Page};

/// Present as long as the page is not loaded again.
const MARK: &str = "window.mark = 'here'";

#[tokio::test]
async fn it_follows_drift_and_repair_without_being_loaded_again() {
    let mut database = orders().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    let page = Page::open(&agent.url(""));
    page.says(&["✓ All sequences healthy", "The only sequence is ahead of its data; last checked", "· live"]);
    page.look(MARK);
    database.sql(REWIND).await;
    let repaired = format!("repaired public.orders_id_seq in {}, from 1 to 21, lag 20, by advance.", database.name);
    page.says(&[&repaired, "Cause: the sequence was moved back."]);
    // What cannot be repaired by itself changes the sentence, the headline and the title.
    database.sql("INSERT INTO orders VALUES (2000000000)").await;
    page.says(&["! 1 database needs attention", "1 of 1 sequence needs attention: 1 held", "Needs attention"]);
    assert!(page.act("title", ()).as_str().unwrap().starts_with("! 1 database needs attention"));
    assert_eq!(page.look("document.getElementById('said').textContent"), "! 1 database needs attention");
    database.sql("DELETE FROM orders WHERE id > 100").await;
    page.says(&["✓ All sequences healthy"]);
    assert_eq!(page.look("window.mark"), "here");
    page.close();
    agent.stop();
}

#[tokio::test]
async fn what_is_typed_selected_or_in_focus_stays_while_it_changes() {
    let mut database = pages().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    let page = Page::open(&agent.url(""));
    page.says(&["All 61 sequences are ahead", "1 to 25 of 61 sequences"]);
    page.look("document.getElementById('q').focus()");
    page.act("type", "half a na");
    page.look("document.getElementById('next').focus()");
    // Text that is about to be copied.
    page.look("document.getSelection().selectAllChildren(document.querySelector('#rows .name'))");
    let selected = page.look("document.getSelection().toString()");
    database.sql(REWIND).await;
    page.says(&["repaired public.orders_id_seq"]);
    assert_eq!(page.look("document.getSelection().toString()"), selected);
    page.look("document.getSelection().removeAllRanges()");
    // Now the rows change, and the link with them.
    page.look("document.getElementById('rows').dataset.old = ''");
    database.sql("INSERT INTO orders VALUES (2000000000)").await;
    page.says(&["! held public.orders_id_seq"]);
    page.wait_until("new rows", |page| {
        (page.look("'old' in document.getElementById('rows').dataset") == false).then_some(())
    });
    assert_eq!(page.act("focused", ())["name"], "next");
    assert_eq!(page.look("document.getElementById('q').value"), "half a na");
    page.close();
    agent.stop();
}
