//! The example servers: concurrent logins beside the agent, while the sequence is set back again and again.

mod fire;
mod node;
mod rust;
mod scene;

use scene::Scene;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends a request, and returns the response's status, cookie and body.
async fn ask(address: SocketAddr, method: &str, path: &str, cookie: &str, body: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Cookie: other=1; {cookie}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers = head.lines().filter_map(|line| line.split_once(": "));
    let cookie = headers.find(|(name, _)| name.eq_ignore_ascii_case("set-cookie")).map_or("", |(_, cookie)| cookie);
    (status, cookie.split(';').next().unwrap().to_owned(), body.to_owned())
}

async fn log_in(address: SocketAddr, name: &str, password: &str) -> (u16, String) {
    let credentials = format!("{{\"name\":\"{name}\",\"password\":\"{password}\"}}");
    let (status, cookie, _) = ask(address, "POST", "/login", "", &credentials).await;
    (status, cookie)
}

/// Asserts that logins, requests and logouts work for the user `ada`, whom the example added.
async fn opens_and_ends_sessions(scene: &mut Scene, address: SocketAddr) {
    let ada = scene.database.number("SELECT id FROM users WHERE name = 'ada'").await;
    let (_, first) = log_in(address, "ada", "pass phrase").await;
    let (_, cookie) = log_in(address, "ada", "pass phrase").await;
    let (status, _, body) = ask(address, "GET", "/me", &cookie, "").await;
    assert!(status == 200 && body.contains(&format!("\"user\":\"{ada}\"")), "{status} {body}");
    assert_eq!(ask(address, "GET", "/me", &first, "").await.0, 401, "the second login ended the first session");
    assert_eq!(ask(address, "POST", "/logout", &cookie, "").await.0, 204);
    assert_eq!(ask(address, "GET", "/me", &cookie, "").await.0, 401);
    assert_eq!(ask(address, "GET", "/me", "", "").await.0, 401);
    for (name, password) in [("ada", "wrong"), ("unknown", "pass phrase")] {
        assert_eq!(log_in(address, name, password).await, (401, String::new()));
    }
}
