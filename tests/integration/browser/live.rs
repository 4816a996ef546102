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
    page.says(&["The only sequence is ahead of its data", "Nothing needs attention", "Live"]);
    page.look(MARK);
    database.sql(REWIND).await;
    page.says(&["public.orders_id_seq moved from 1 to 21", "Rewound: the sequence itself was moved back."]);
    // What cannot be repaired by itself changes the sentence, the headline and the title.
    database.sql("INSERT INTO orders VALUES (2000000000)").await;
    let decision = "No insert is failing; 1 decision is waiting";
    page.says(&[decision, "Needs attention", "1 id, 2000000000, lies far ahead"]);
    assert_eq!(page.act("title", ()), "■ 1 decision · pgmedic");
    assert_eq!(page.look("document.getElementById('said').textContent"), decision);
    assert_eq!(page.look("document.documentElement.className"), "js decision");
    database.sql("DELETE FROM orders WHERE id > 100").await;
    page.says(&["The only sequence is ahead of its data"]);
    assert_eq!(page.look("window.mark"), "here");
    page.close();
    agent.stop();
}

#[tokio::test]
async fn what_is_typed_selected_or_in_focus_stays_while_it_changes() {
    let mut database = pages().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    let page = Page::open(&agent.url(""));
    page.says(&["All 61 sequences are ahead", "1 to 25 of 61"]);
    page.look("document.getElementById('q').focus()");
    page.act("type", "half a na");
    page.look("document.getElementById('next').focus()");
    // Text that is about to be copied.
    page.look("document.getSelection().selectAllChildren(document.querySelector('#rows .name'))");
    let selected = page.look("document.getSelection().toString()");
    database.sql(REWIND).await;
    page.says(&["public.orders_id_seq moved from"]);
    assert_eq!(page.look("document.getSelection().toString()"), selected);
    page.look("document.getSelection().removeAllRanges()");
    // Now the rows change, and the link with them.
    page.look("document.getElementById('rows').dataset.old = ''");
    database.sql("INSERT INTO orders VALUES (2000000000)").await;
    page.says(&["1 decision is waiting"]);
    page.wait_until("new rows", |page| {
        (page.look("'old' in document.getElementById('rows').dataset") == false).then_some(())
    });
    assert_eq!(page.act("focused", ())["name"], "next");
    assert_eq!(page.look("document.getElementById('q').value"), "half a na");
    page.close();
    agent.stop();
}
