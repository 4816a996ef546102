//! A page whose agent goes.

use super::{EVERY_SECOND, orders};
use crate::support::{Agent, Page, Proxy};

const GONE: &str = "The agent has not answered for ";
const HEALTHY: &str = "The only sequence is ahead of its data";

#[tokio::test]
async fn it_says_that_its_agent_is_gone_and_goes_on_with_the_next_one() {
    let database = orders().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    let address = Proxy::to(&agent.url(""));
    let page = Page::open(address.url());
    page.says(&[HEALTHY, "Live"]);
    // As after a change of the headline, which screen readers announce.
    page.look("document.getElementById('said').textContent = 'All is well'");
    agent.stop();
    let text = page.says(&[GONE, "No answer", "Whether inserts work is not known.", "pgmedic healthcheck"]);
    assert!(!text.contains("Live") && !text.contains(" ago"), "{text}");
    let before = "getComputedStyle(document.querySelector('#rows .badge .word'), '::before').content";
    assert_eq!(page.look(before), "\"was \"");
    assert_eq!(page.act("title", ()), "? No answer · pgmedic");
    assert_eq!(page.look("document.getElementById('said').textContent"), "The agent does not answer");
    // Not in the color of healthy.
    let colors = "new Set(['healthy', 'failing', 'idle'].map((level) => {
        const badge = document.querySelector('#rows .badge').cloneNode(true);
        badge.className = `badge ${level}`;
        document.querySelector('#rows td').append(badge);
        const { color, backgroundColor } = getComputedStyle(badge);
        badge.remove();
        return color + backgroundColor;
    })).size";
    assert_eq!(page.look(colors), 1);
    page.is_for_everyone("gone");
    let next = Agent::start(&database, EVERY_SECOND);
    address.lead_to(&format!("http://{}", next.address()));
    let text = page.says(&[HEALTHY, "Live", "this agent leads", "Nothing needs attention"]);
    assert!(!text.contains("not answer"), "{text}");
    assert_eq!(page.look(before), "none");
    assert_eq!(page.act("title", ()), "✔ All healthy · pgmedic");
    page.close_lost();
    next.stop();
}

#[tokio::test]
async fn open_pages_do_not_hold_up_the_end() {
    let database = orders().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    let pages: Vec<Page> = (0..3).map(|_| Page::open(&agent.url(""))).collect();
    pages.iter().for_each(|page| drop(page.says(&["Live", HEALTHY])));
    // It checks that the agent ends in time.
    agent.stop();
    pages.into_iter().for_each(Page::close_lost);
}
