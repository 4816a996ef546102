//! What is asked for, by which method and in which version of HTTP.

use super::{Client, HOURLY, PAGES, agent, asked, is_well, status};
use crate::support::{Agent, Database};

#[tokio::test]
async fn every_method_but_get_and_head_is_refused_and_changes_nothing() {
    let (mut database, agent) = agent().await;
    database.sql("SELECT setval('orders_id_seq', 1, false)").await;
    let before = (agent.get("/api/v1/reports"), agent.passes(&database.name));
    for page in PAGES {
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "NONSENSE", "get"] {
            let request = format!(
                "{method} {page} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
            );
            let answer = asked(&agent, request);
            assert_eq!(status(&answer), Some(405), "{method} {page}: {answer}");
            assert!(answer.contains("allow: GET,HEAD\r\n"), "{method} {page}: {answer}");
        }
    }
    assert_eq!(before, (agent.get("/api/v1/reports"), agent.passes(&database.name)));
    assert_eq!(database.nextval("orders_id_seq").await, 1);
    is_well(agent);
}

#[tokio::test]
async fn head_says_what_get_would_without_it() {
    let (_database, agent) = agent().await;
    for page in PAGES {
        let of = |method: &str| {
            let answer =
                asked(&agent, format!("{method} {page} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
            let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
            // These are sent piece by piece.
            let has_length = head.contains("content-length: ") || ["/metrics", "/api/v1/reports"].contains(&page);
            (head.lines().next().map(str::to_owned), has_length, body.is_empty())
        };
        assert_eq!(of("HEAD"), (Some("HTTP/1.1 200 OK".to_owned()), true, true), "{page}");
        assert_eq!(of("GET"), (Some("HTTP/1.1 200 OK".to_owned()), true, false), "{page}");
    }
    is_well(agent);
}

#[tokio::test]
async fn a_page_has_one_name_only() {
    let (_database, agent) = agent().await;
    let tricks = [
        "//",
        "/index.html",
        "/assets/",
        "/assets/../status/mod.rs",
        "/assets/status.css/",
        "/metrics/",
        "//metrics",
        "/./metrics",
        "/../metrics",
        "/livez/../metrics",
        "/%2e%2e/metrics",
        "/%6detrics",
        "/METRICS",
        "/metrics%00",
        "/metrics;x",
        "/api/v1/reports/",
        "/api/v1/reports/../reports",
        "/api/v1",
        "/api//v1/reports",
        "/..%2f..%2fetc/passwd",
        "/.env",
        "/{name}",
        "/*",
        "*",
    ];
    for path in tricks {
        let answer = asked(&agent, format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        assert!(matches!(status(&answer), Some(400 | 404)), "{path}: {answer}");
    }
    // What a proxy may make of it.
    for target in ["/metrics?name[]=up", "/metrics?", "http://localhost/metrics"] {
        let answer = asked(&agent, format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        assert_eq!(status(&answer), Some(200), "{target}: {answer}");
    }
    for request in ["CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
        let answer = asked(&agent, request);
        assert!(matches!(status(&answer), Some(400..500)), "{request}: {answer}");
    }
    is_well(agent);
}

#[tokio::test]
async fn a_name_that_a_web_site_could_have_is_refused_on_a_loopback_address() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE orders (id serial PRIMARY KEY)").await;
    let settings = format!("{HOURLY}[http]\nlisten = \"127.0.0.1:0\"\nallowed_hosts = [\"status.example.org\"]\n");
    let agent = Agent::run(database.config(&settings), &[]);
    let of = |target: &str, host: &str| {
        status(&asked(&agent, format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")))
    };
    for host in ["localhost", "127.0.0.1:9847", "[::1]", "status.example.org", "STATUS.example.org:80"] {
        assert_eq!(of("/", host), Some(200), "{host}");
    }
    for page in PAGES {
        assert_eq!(of(page, "evil.example"), Some(421), "{page}");
        assert_eq!(of(&format!("http://evil.example{page}"), "localhost"), Some(421), "{page}");
    }
    is_well(agent);
}

#[tokio::test]
async fn no_other_site_may_load_a_page_into_its_own() {
    let (_database, agent) = agent().await;
    for page in PAGES {
        let answer = asked(&agent, format!("GET {page} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        assert!(answer.contains("cross-origin-resource-policy: same-origin\r\n"), "{page}: {answer}");
    }
    is_well(agent);
}

#[tokio::test]
async fn old_and_new_clients_keep_their_connection_as_they_like() {
    let (_database, agent) = agent().await;
    let answers = |request: &str| asked(&agent, request).matches(" 200 OK\r\n").count();
    // Closed at once, and after a moment of silence.
    assert_eq!(answers("GET /livez HTTP/1.0\r\n\r\n"), 1);
    assert_eq!(
        answers("GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\nGET /livez HTTP/1.1\r\n\r\n"),
        1
    );
    assert_eq!(answers("GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /livez HTTP/1.0\r\n\r\n"), 2);
    let one = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(answers(one), 1);
    assert_eq!(answers(&one.repeat(100)), 100, "in one piece");
    is_well(agent);
}

#[tokio::test]
async fn what_is_no_http_is_refused_or_ignored() {
    let (_database, agent) = agent().await;
    let nonsense: [&[u8]; 17] = [
        b"",
        b"\r\n\r\n\r\n\r\n",
        b"\0\0\0\0\0\0\0\0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /livez\r\n\r\n",
        b"GET /livez HTTP/9.9\r\n\r\n",
        b"GET  /livez HTTP/1.1\r\n\r\n",
        b"GET livez HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /livez HTTP/1.1\nno colon\n\n",
        b"GET /livez HTTP/1.1\r\nName : space\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nName: \0\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
    ];
    for bytes in nonsense {
        let client = Client::of(&agent).say(bytes);
        // Nothing more will come.
        client.0.shutdown(std::net::Shutdown::Write).unwrap();
        let answer = client.hear();
        let shown = bytes.escape_ascii();
        assert!(answer.is_empty() || matches!(status(&answer), Some(400..500)), "{shown}: {answer}");
        assert!(answer.matches("HTTP/1.").count() <= 1, "{shown}: {answer}");
    }
    is_well(agent);
}
