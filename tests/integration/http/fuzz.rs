//! Random requests, and random bytes, to the real server.

use super::{Client, PAGES, agent, is_well};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};
use std::net::Shutdown;

/// As many as take a second or two, or `PROPTEST_CASES`.
fn runner(number: u32) -> TestRunner {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let config = Config { failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    TestRunner::new(if asked { config } else { Config { cases: number, ..config } })
}

fn target() -> impl Strategy<Value = String> {
    let page = select(PAGES.to_vec()).prop_map(str::to_owned);
    let query = "\\?((q|page|status|database|x)=([a-z0-9+&]|%[0-9a-fA-F]{2}|%){0,20}&?){0,3}";
    prop_oneof![
        3 => page.clone(),
        3 => (page, query).prop_map(|(page, query)| page + &query),
        2 => "(/([a-z.]{0,5}|%2e|%2f|%00|%[0-9a-f]{2}|\\.\\.|;|~)){1,6}",
        1 => "/[!-~]{0,2000}",
        1 => Just("*".to_owned()),
        1 => "http://[a-z]{1,5}(:[0-9]{1,5})?/[a-z]{0,5}",
    ]
}

/// Complete, and as the standard has it.
fn complete() -> impl Strategy<Value = String> {
    let method = select(vec!["GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "X-Y"]);
    let headers = vec("[A-Za-z-]{1,10}x: [!-~]{0,40}", 0..8);
    let body = prop_oneof![
        3 => Just("\r\n".to_owned()),
        1 => "[a-z]{0,2000}".prop_map(|body| format!("Content-Length: {}\r\n\r\n{body}", body.len())),
        1 => vec("[a-z]{1,300}", 0..4).prop_map(|chunks| {
            let chunks: String = chunks.iter().map(|chunk| format!("{:x}\r\n{chunk}\r\n", chunk.len())).collect();
            format!("Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")
        }),
    ];
    (method, target(), select(vec!["1.0", "1.1"]), headers, body).prop_map(
        |(method, target, version, headers, body)| {
            let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
            format!("{method} {target} HTTP/{version}\r\nHost: localhost\r\nConnection: close\r\n{headers}{body}")
        },
    )
}

/// Several in one piece, with some bytes changed; or no HTTP at all.
fn anything() -> impl Strategy<Value = Vec<u8>> {
    let keeps = complete().prop_map(|request| request.replace("Connection: close\r\n", ""));
    let change = (any::<Index>(), 0..3_usize, vec(any::<u8>(), 0..4));
    let requests = (vec(keeps, 1..4), vec(change, 0..6)).prop_map(|(requests, changes)| {
        let mut bytes = requests.concat().into_bytes();
        for (at, gone, come) in changes {
            let at = at.index(bytes.len());
            bytes.splice(at..(at + gone).min(bytes.len()), come);
            bytes.push(b'\n');
        }
        bytes
    });
    let hello = vec(any::<u8>(), 0..300)
        .prop_map(|rest| [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], &rest].concat());
    let old = "GET /[a-z]{0,7}\r\n(\r\n)?".prop_map(String::into_bytes);
    let next = vec(any::<u8>(), 0..50).prop_map(|rest| [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &rest].concat());
    prop_oneof![5 => requests, 1 => vec(any::<u8>(), 0..2000), 1 => hello, 1 => old, 1 => next]
}

/// The statuses of the answers, which are whole, one behind the other.
fn statuses(mut answers: &[u8], head_only: bool) -> Result<Vec<u16>, String> {
    let mut found = Vec::new();
    while !answers.is_empty() {
        let wrong = || format!("no answer: {}", answers.escape_ascii());
        let end = answers.windows(4).position(|window| window == b"\r\n\r\n").ok_or_else(wrong)?;
        let head = std::str::from_utf8(&answers[..end]).map_err(|_| wrong())?;
        let (line, headers) = head.split_once("\r\n").unwrap_or((head, ""));
        let status = line.strip_prefix("HTTP/1.1 ").or_else(|| line.strip_prefix("HTTP/1.0 ")).ok_or_else(wrong)?;
        found.push(status.split(' ').next().and_then(|status| status.parse().ok()).ok_or_else(wrong)?);
        let length = headers.lines().find_map(|header| header.strip_prefix("content-length: "));
        let rest = answers.get(end + 4..).ok_or_else(wrong)?;
        let body = match length {
            _ if head_only => 0,
            Some(length) => length.parse().map_err(|_| wrong())?,
            None if headers.contains("transfer-encoding: chunked") => chunks(rest).ok_or_else(wrong)?,
            // It ends with the connection.
            None if line.starts_with("HTTP/1.0 200") => rest.len(),
            None => 0,
        };
        answers = answers.get(end + 4 + body..).ok_or_else(wrong)?;
    }
    Ok(found)
}

/// How long the chunks of a body are, with their lengths and the last one.
fn chunks(body: &[u8]) -> Option<usize> {
    let mut place = 0;
    loop {
        let rest = body.get(place..)?;
        let end = rest.windows(2).position(|window| window == b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
        place += end + 2 + length + 2;
        if length == 0 {
            return Some(place);
        }
    }
}

/// One that says what is wrong with the request, or that nothing is; none that blames the agent.
fn is_valid(status: u16) -> bool {
    matches!(status, 200 | 400 | 404 | 405 | 413 | 414 | 421 | 431 | 501 | 505)
}

#[tokio::test]
async fn every_complete_request_has_one_answer() {
    let (_database, agent) = agent().await;
    let held = runner(200).run(&complete(), |request| {
        let answer = Client::of(&agent).say(&request).hear();
        let statuses = statuses(answer.as_bytes(), request.starts_with("HEAD ")).map_err(TestCaseError::fail)?;
        prop_assert!(matches!(statuses[..], [status] if is_valid(status)), "{request:?}: {answer}");
        Ok(())
    });
    held.unwrap_or_else(|broken| panic!("{broken}"));
    is_well(agent);
}

#[tokio::test]
async fn for_any_bytes_the_agent_responds_by_the_standard_and_stays_as_it_was() {
    let (_database, agent) = agent().await;
    let memory = || agent.metric("process_resident_memory_bytes").expect("its memory");
    let before = memory();
    let held = runner(200).run(&anything(), |bytes| {
        let client = Client::of(&agent).say(&bytes);
        // Nothing more will come, unless it is gone already.
        let _ = client.0.shutdown(Shutdown::Write);
        let answer = client.hear();
        // Whether a body follows, only who has understood the question knows: of the first, it is told.
        let first = answer.split_once("\r\n\r\n").map_or("", |(head, _)| head);
        if !answer.is_empty() {
            let statuses = statuses(format!("{first}\r\n\r\n").as_bytes(), true).map_err(TestCaseError::fail)?;
            prop_assert!(statuses.iter().copied().all(is_valid), "{}: {answer}", bytes.escape_ascii());
        }
        prop_assert!(!answer.contains("panicked"));
        Ok(())
    });
    held.unwrap_or_else(|broken| panic!("{broken}"));
    assert_eq!(agent.get("/livez").0, 200);
    assert!(memory() - before < 20_000_000.0, "{before} bytes, and now {}", memory());
    is_well(agent);
}
