//! A page whose agent goes.

use super::{EVERY_SECOND, orders};
use crate::support::{Agent, Page, Proxy};

const GONE: &str = "✕ The agent does not answer. What you see was so at ";

#[tokio::test]
async fn it_says_that_its_agent_is_gone_and_goes_on_with_the_next_one() {
    let database = orders().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    let address = Proxy::to(&agent.url(""));
    let page = Page::open(address.url());
    page.says(&["✓ All is well", "· live"]);
    // As after any change of the headline: it was said aloud.
    page.look("document.getElementById('said').textContent = '✓ All is well'");
    agent.stop();
    let text = page.says(&[GONE, "– not live", "? Not known at the moment"]);
    assert!(!text.contains("· live") && !text.contains("All is well"), "{text}");
    assert_eq!(page.act("title", ()), "? Not known at the moment – pgmedic");
    // Not in the color of what is well.
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
    let text = page.says(&["✓ All is well", "· live", "This agent leads"]);
    assert!(!text.contains("does not answer"), "{text}");
    assert!(page.act("title", ()).as_str().unwrap().starts_with("✓ All is well"));
    page.close_lost();
    next.stop();
}

#[tokio::test]
async fn open_pages_do_not_hold_up_the_end() {
    let database = orders().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    let pages: Vec<Page> = (0..3).map(|_| Page::open(&agent.url(""))).collect();
    pages.iter().for_each(|page| drop(page.says(&["· live", "✓ All is well"])));
    // It ends in time, and says so.
    agent.stop();
    pages.into_iter().for_each(Page::close_lost);
}
