//! The status page, as the agent serves it and without any script.

mod links;
mod live;
mod safety;
mod search;
mod sentences;
mod sequence;
mod stores;

use super::CLIENT_TIMEOUT;
use crate::support::{Agent, Database, EVERY_SECOND};
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(20);

/// A page's text as a reader sees it, a space between two elements that stand apart.
fn text(html: &str) -> String {
    const INLINE: [&str; 9] = ["span", "/span", "wbr", "bdi", "/bdi", "b", "/b", "time", "/time"];
    let mut text = String::new();
    for piece in html.split('<').skip(1) {
        let (tag, after) = piece.split_once('>').expect("a whole element");
        if !INLINE.contains(&tag.split(' ').next().unwrap_or_default()) || tag.contains("class=\"word\"") {
            text.push(' ');
        }
        text.push_str(after);
    }
    for (written, meant) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&"), ("\u{a0}", " ")] {
        text = text.replace(written, meant);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    [" ;", " .", " ,", " :"].iter().fold(words.join(" "), |text, end| text.replace(end, end.trim()))
}

/// The page at this path.
#[track_caller]
fn html(agent: &Agent, path: &str) -> String {
    let (status, html) = agent.get(path);
    assert_eq!(status, 200, "{html}");
    html
}

/// The page's headline when nothing is wrong with its only sequence.
const HEALTHY: &str = "The only sequence is ahead of its data";

/// The page's text, once it says all of this.
#[track_caller]
fn says(agent: &Agent, parts: &[&str]) -> String {
    let deadline = Instant::now() + CLIENT_TIMEOUT;
    loop {
        let page = text(&html(agent, "/"));
        if parts.iter().all(|part| page.contains(part)) {
            return page;
        }
        assert!(Instant::now() < deadline, "never came: {parts:?}\nin: {page}\n{}", agent.log());
        std::thread::sleep(PAUSE);
    }
}

/// The command that the page proposes.
#[track_caller]
fn fix(agent: &Agent) -> String {
    let html = html(agent, "/");
    let (page, _) = html.split_once("<template").expect("what is shown when the agent is gone");
    let (_, rest) = page.split_once("<code>").unwrap_or_else(|| panic!("no command in {}", text(&html)));
    text(&format!("<code>{}", rest.split('<').next().unwrap_or_default()))
}

/// The links of a page that begin like this, as a browser reads them.
fn links(html: &str, begin: &str) -> Vec<String> {
    let links = html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    links.filter(|link| link.starts_with(begin)).map(|link| link.replace("&amp;", "&")).collect()
}

/// With 20 ids in `orders`, and a sequence that knows of them.
async fn orders() -> Database {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE orders (id serial PRIMARY KEY)").await;
    database.sql("INSERT INTO orders SELECT nextval('orders_id_seq') FROM generate_series(1, 20)").await;
    database
}
