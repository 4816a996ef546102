//! The stream that announces changes to open pages.

use super::super::{Client, agent, asked, is_well, status};
use super::{EVERY_SECOND, HEALTHY, html, orders, says, text};
use crate::support::{Agent, wait_for};
use std::io::Read;

/// As many as the agent serves at once.
const STREAMS: usize = 16;

/// An open stream, and what it said so far.
struct Stream {
    client: Client,
    said: String,
}

impl Stream {
    fn open(agent: &Agent, query: &str, headers: &str) -> Self {
        let request = format!("GET /events{query} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        Self { client: Client::of(agent).send(request), said: String::new() }
    }

    /// Reads until it has said this.
    #[track_caller]
    fn says(&mut self, wanted: &str) {
        let mut bytes = [0; 4096];
        while !self.said.contains(wanted) {
            let read = self.client.0.read(&mut bytes).expect("more");
            assert!(read > 0, "it ended without {wanted:?}: {}", self.said);
            self.said += &String::from_utf8_lossy(&bytes[..read]);
        }
    }
}

/// What the page knows.
fn revision(html: &str) -> String {
    let (_, rest) = html.split_once("data-revision=\"").expect("a revision");
    rest.split('"').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_repair_is_announced_and_then_on_the_page() {
    let mut database = orders().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    says(&agent, &[HEALTHY]);
    database.sql("SELECT setval('orders_id_seq', 1, false)").await;
    database.wait_until("SELECT last_value = 20 FROM orders_id_seq").await;
    let mut known = revision(&html(&agent, "/"));
    // Every pass is news; one of the next tells of the repair.
    wait_for("news of the repair", || {
        let mut stream = Stream::open(&agent, &format!("?since={known}"), "");
        stream.says("\ndata: ");
        let page = html(&agent, "/");
        known = revision(&page);
        text(&page).contains("public.orders_id_seq moved from").then_some(())
    });
    agent.stop();
}

#[tokio::test]
async fn a_client_with_the_latest_revision_gets_comments_and_another_an_event_at_once() {
    // One pass an hour.
    let (_database, agent) = agent().await;
    // What follows the first pass is news too.
    let (known, mut stream) = wait_for("no more news", || {
        let page = html(&agent, "/");
        let known = revision(&page);
        let mut stream = Stream::open(&agent, &format!("?since={known}"), "");
        stream.says(":\n\n");
        (text(&page).contains("checked ") && !stream.said.contains("data:")).then_some((known, stream))
    });
    assert!(stream.said.contains("content-type: text/event-stream\r\n"), "{}", stream.said);
    assert!(stream.said.contains("retry: 1000\n\n") && !stream.said.contains("data:"), "{}", stream.said);
    // It ends in good order: with the last chunk of all.
    stream.says("\r\n0\r\n\r\n");

    let news = format!("id: {known}\ndata: {known}\n\n");
    for (query, headers) in [("", ""), ("?since=1", ""), ("?since=x", ""), ("", "Last-Event-ID: 7\r\n")] {
        Stream::open(&agent, query, headers).says(&news);
    }
    let mut again = Stream::open(&agent, "?since=1", &format!("Last-Event-ID: {known}\r\n"));
    again.says(":\n\n");
    assert!(!again.said.contains("data:"), "what a browser has heard counts: {}", again.said);
    is_well(agent);
}

#[tokio::test]
async fn streams_are_limited_and_block_no_other_client() {
    let (_database, agent) = agent().await;
    let mut streams: Vec<Stream> = (0..STREAMS).map(|_| Stream::open(&agent, "", "")).collect();
    streams.iter_mut().for_each(|stream| stream.says("retry: "));
    let refused = asked(&agent, "GET /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_eq!(status(&refused), Some(503), "{refused}");
    assert!(refused.contains("retry-after: 10\r\n"), "{refused}");
    assert_eq!((agent.get("/livez").0, agent.get("/").0), (200, 200));
    // A client that leaves makes room.
    drop(streams);
    wait_for("room for another", || {
        let mut stream = Stream::open(&agent, "", "");
        stream.says("\r\n\r\n");
        stream.said.starts_with("HTTP/1.1 200").then_some(())
    });
    is_well(agent);
}

#[tokio::test]
async fn an_open_stream_does_not_delay_the_shutdown() {
    let (_database, agent) = agent().await;
    let mut stream = Stream::open(&agent, "", "");
    stream.says("retry: ");
    let log = agent.stop();
    let (stopping, _) = log.split_once("stopping").expect("it said so");
    assert!(!stopping.is_empty());
    // Cut off with the process.
    let mut rest = Vec::new();
    let _ = stream.client.0.read_to_end(&mut rest);
    assert!(!String::from_utf8_lossy(&rest).contains("\r\n0\r\n\r\n"));
}

#[tokio::test]
async fn nothing_but_get_and_head_opens_one() {
    let (_database, agent) = agent().await;
    for method in ["POST", "PUT", "DELETE"] {
        let answer =
            asked(&agent, format!("{method} /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        assert_eq!(status(&answer), Some(405), "{answer}");
    }
    let head = asked(&agent, "HEAD /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_eq!((status(&head), head.ends_with("\r\n\r\n")), (Some(200), true), "{head}");
    is_well(agent);
}
