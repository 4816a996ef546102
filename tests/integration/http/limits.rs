//! Requests that are too large, too slow or never over.

use super::{CLIENT_TIMEOUT, Client, agent, asked, is_timeout, is_well, status};
use std::io::{Read, Write};
use std::time::{Duration, Instant};

/// More than the kernel buffers while the agent does not read.
const LARGE: usize = 16_000_000;

const END: &str = "Host: localhost\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn headers_are_few_and_short() {
    let (_database, agent) = agent().await;
    let one = |length: usize| format!("GET /livez HTTP/1.1\r\nX: {}\r\n{END}", "x".repeat(length));
    assert_eq!(status(&asked(&agent, one(15_000))), Some(200));
    assert_eq!(status(&asked(&agent, one(17_000))), Some(431));
    let goes_on = Client::of(&agent).send(one(LARGE)).hear();
    assert_eq!(status(&goes_on), Some(431));
    let many = |number: usize| format!("GET /livez HTTP/1.1\r\n{}{END}", "X: x\r\n".repeat(number));
    assert_eq!(status(&asked(&agent, many(60))), Some(200));
    assert_eq!(status(&asked(&agent, many(70))), Some(431));
    let path = asked(&agent, format!("GET /{} HTTP/1.1\r\n{END}", "x".repeat(100_000)));
    assert!(matches!(status(&path), Some(414 | 431)), "{path}");
    is_well(agent);
}

#[tokio::test]
async fn no_body_is_waited_for_or_kept() {
    let (_database, agent) = agent().await;
    let with = |method: &str, length: usize| format!("{method} /livez HTTP/1.1\r\nContent-Length: {length}\r\n{END}");
    assert_eq!(status(&asked(&agent, with("GET", 2) + "{}")), Some(200));
    // Announced and never sent.
    assert_eq!(status(&asked(&agent, with("GET", 1000))), Some(200));
    assert_eq!(status(&asked(&agent, with("GET", 20_000))), Some(413));
    assert_eq!(status(&asked(&agent, with("POST", usize::MAX / 4))), Some(413));
    let expects = format!("PUT /metrics HTTP/1.1\r\nContent-Length: 20000\r\nExpect: 100-continue\r\n{END}");
    assert_eq!(status(&asked(&agent, expects)), Some(413), "not asked for");
    // Sent in full before anything is read.
    let memory = || agent.metric("process_resident_memory_bytes").expect("its memory");
    let before = memory();
    let large = Client::of(&agent).send(with("POST", LARGE)).send(vec![b'x'; LARGE]).hear();
    assert_eq!(status(&large), Some(413));
    let endless = Client::of(&agent).say(format!("POST /livez HTTP/1.1\r\nTransfer-Encoding: chunked\r\n{END}"));
    let endless = endless.send(format!("{LARGE:x}\r\n")).send(vec![b'x'; LARGE]).hear();
    assert_eq!(status(&endless), Some(405));
    assert!(memory() - before < LARGE as f64 / 2.0, "{before} bytes, and now {}", memory());
    is_well(agent);
}

#[tokio::test]
async fn who_sends_drop_by_drop_is_cut_off() {
    let (_database, agent) = agent().await;
    let mut client = Client::of(&agent);
    client.0.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let deadline = Instant::now() + CLIENT_TIMEOUT;
    let request = b"GET /livez HTTP/1.1\r\nX: ".iter().chain(std::iter::repeat(&b'x'));
    for byte in request {
        let heard = client.0.write_all(&[*byte]).and_then(|()| client.0.read(&mut [0; 100]));
        match heard {
            Err(error) if is_timeout(&error) => assert!(Instant::now() < deadline, "it may go on for ever"),
            Ok(bytes) => {
                assert_eq!(bytes, 0, "answered");
                break;
            }
            Err(_) => break,
        }
    }
    is_well(agent);
}

#[tokio::test]
async fn who_asks_and_never_reads_is_cut_off() {
    let (_database, agent) = agent().await;
    let requests = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1000);
    let mut clients: Vec<Client> = (0..10).map(|_| Client::of(&agent)).collect();
    for client in &mut clients {
        client.0.set_write_timeout(Some(Duration::from_millis(20))).unwrap();
    }
    let deadline = Instant::now() + CLIENT_TIMEOUT;
    while !clients.is_empty() {
        // Sends as long as it can, and reads nothing.
        clients.retain_mut(|client| client.0.write(requests.as_bytes()).err().is_none_or(|error| is_timeout(&error)));
        assert_eq!(agent.get("/livez").0, 200);
        assert!(Instant::now() < deadline, "{} may keep their connections", clients.len());
    }
    is_well(agent);
}
