//! A receiver of webhooks: a real HTTP server on this machine that answers as the test says.

use super::agent::wait_for;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the receiver does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Status(u16),
    /// The connection stays open, and no answer comes.
    Hang,
}

/// Every body that was posted, in order.
#[derive(Clone, Default)]
pub struct Posted(Arc<Mutex<Vec<Value>>>);

impl Posted {
    pub fn bodies(&self) -> Vec<Value> {
        self.0.lock().expect("no panic in between").clone()
    }

    /// Every event of every body.
    pub fn events(&self) -> Vec<Value> {
        self.bodies().iter().flat_map(|body| body["events"].as_array().cloned().unwrap_or_default()).collect()
    }

    /// Waits for an event with these fields, and returns it.
    #[track_caller]
    pub fn has(&self, event: &str, name: &str) -> Value {
        wait_for(&format!("{event} of {name}, posted"), || {
            self.events().into_iter().find(|posted| posted["event"] == event && posted["name"] == name)
        })
    }

    pub(super) fn push(&self, body: Value) -> usize {
        let mut bodies = self.0.lock().expect("no panic in between");
        bodies.push(body);
        bodies.len()
    }
}

/// Listens until the test ends. `answer` is given the number of the request, from 1 on.
pub struct Receiver {
    pub address: SocketAddr,
    pub posted: Posted,
}

impl Receiver {
    pub fn start(answer: impl Fn(usize) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let (address, posted) = (listener.local_addr().expect("its address"), Posted::default());
        let bodies = posted.clone();
        std::thread::spawn(move || {
            let mut open = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                let mut stream = stream;
                let Some(body) = read(&mut stream) else { continue };
                match answer(bodies.push(body)) {
                    Answer::Status(status) => {
                        // A client that is gone needs no answer.
                        let _ =
                            write!(stream, "HTTP/1.1 {status} Told\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                    }
                    Answer::Hang => open.push(stream),
                }
            }
        });
        Self { address, posted }
    }

    /// The settings of an agent that posts here.
    pub fn settings(&self, rest: &str) -> String {
        format!("[webhook]\nurl = \"http://{}/hook?token=hunter2\"\n{rest}\n", self.address)
    }
}

/// The body of a POST to the right path, as JSON.
fn read(stream: &mut TcpStream) -> Option<Value> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    assert!(head.starts_with("POST /hook?token=hunter2 HTTP/1.1\r\n"), "{head}");
    let lower = head.to_lowercase();
    assert!(lower.contains("content-type: application/json\r\n") && lower.contains("user-agent: pgmedic/"), "{head}");
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length: "))?.trim().parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(serde_json::from_slice(&body).expect("JSON"))
}
