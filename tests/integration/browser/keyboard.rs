//! With the keyboard alone.

use super::{HOURLY, pages};
use crate::support::{Agent, Page};
use serde_json::Value;

#[tokio::test]
async fn every_control_is_reached_by_tab_in_order_and_shows_that_it_has_the_focus() {
    let database = pages().await;
    let agent = Agent::start(&database, HOURLY);
    agent.wait_until(&format!("pgmedic_database_up{{database=\"{}\"}}", database.name), |up| up == 1.0);
    for (width, scheme) in [(1440, "light"), (360, "dark")] {
        let page = Page::open(&agent.url("?q=id&page=2"));
        page.says(&["26 to 50 of 61", "Live"]);
        page.act("widen", width);
        page.act("scheme", scheme);
        let controls = page.act("controls", ());
        let controls: Vec<&str> = controls.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        // A phone has a field instead of the columns' heads.
        let sorts = if width == 1440 { "sort-lag" } else { "sort" };
        assert!(["q", sorts, "previous", "next"].iter().all(|wanted| controls.contains(wanted)), "{controls:?}");
        for control in controls {
            page.press(&["Tab"]);
            let focused = page.act("focused", ());
            assert_eq!(focused["name"], control, "{focused}");
            assert_eq!((&focused["marked"], &focused["seen"]), (&true.into(), &true.into()), "{focused}");
        }
        page.close();
    }
    agent.stop();
}

#[tokio::test]
async fn the_content_is_skipped_to_and_a_sequence_is_found() {
    let database = pages().await;
    let agent = Agent::start(&database, HOURLY);
    let page = Page::open(&agent.url(""));
    page.says(&["1 to 25 of 61"]);
    page.press(&["Tab", "Enter"]);
    assert_eq!(page.act("focused", ())["name"], "main");
    // Past the filters.
    page.wait_until("the search field", |page| {
        page.press(&["Tab"]);
        (page.act("focused", ())["name"] == "q").then_some(())
    });
    page.act("type", "items.id_17");
    page.press(&["Enter"]);
    page.says(&["1 to 1 of 1", "public.items_id_17_seq", "Show all"]);
    assert!(page.act("address", ()).as_str().unwrap().contains("q=items.id_17&"));
    page.look("document.querySelector('.chip.soon').focus()");
    page.press(&["Enter"]);
    page.says(&["No matching sequences."]);
    page.close();
    agent.stop();
}
