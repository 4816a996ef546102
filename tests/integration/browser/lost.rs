//! A page whose agent goes.

use super::{EVERY_SECOND, orders};
use crate::support::{Agent, Page, Proxy};

const GONE: &str = "✕ The agent does not respond. This page shows the state at ";

#[tokio::test]
async fn it_says_that_its_agent_is_gone_and_goes_on_with_the_next_one() {
    let database = orders().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    let address = Proxy::to(&agent.url(""));
    let page = Page::open(address.url());
    page.says(&["✓ All sequences healthy", "· live"]);
    // As after a change of the headline, which screen readers announce.
    page.look("document.getElementById('said').textContent = '✓ All sequences healthy'");
    agent.stop();
    let text = page.says(&[GONE, "– not live", "? State unknown"]);
    assert!(!text.contains("· live") && !text.contains("All sequences healthy"), "{text}");
    assert_eq!(page.act("title", ()), "? State unknown – pgmedic");
    // Not in the color of healthy.
    let colors = "new Set(['good', 'plain'].map((kind) => {
        const badge = document.querySelector('h3 .badge').cloneNode(true);
        badge.className = `badge ${kind}`;
        document.querySelector('h3').append(badge);
        const { color, backgroundColor } = getComputedStyle(badge);
        badge.remove();
        return color + backgroundColor;
    })).size";
    assert_eq!(page.look(colors), 1);
    page.is_for_everyone("gone");
    let next = Agent::start(&database, EVERY_SECOND);
    address.lead_to(&format!("http://{}", next.address()));
    let text = page.says(&["✓ All sequences healthy", "· live", "This agent leads"]);
    assert!(!text.contains("does not respond"), "{text}");
    assert!(page.act("title", ()).as_str().unwrap().starts_with("✓ All sequences healthy"));
    page.close_lost();
    next.stop();
}

#[tokio::test]
async fn open_pages_do_not_hold_up_the_end() {
    let database = orders().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    let pages: Vec<Page> = (0..3).map(|_| Page::open(&agent.url(""))).collect();
    pages.iter().for_each(|page| drop(page.says(&["· live", "✓ All sequences healthy"])));
    // It checks that the agent ends in time.
    agent.stop();
    pages.into_iter().for_each(Page::close_lost);
}
