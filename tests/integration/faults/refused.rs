//! Servers that refuse the connection, and listeners that are not PostgreSQL servers.

use super::behind;
use crate::support::{Database, Running};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

type Serve = fn(TcpStream);

/// Runs a pass against an address where `serve` answers each connection, and returns the error.
pub async fn error_of(serve: Serve, parameters: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            serve(stream);
        }
    });
    let error = error_at(&format!("postgres://someone:hush@127.0.0.1:{port}/app{parameters}")).await;
    assert!(error.contains(&format!("127.0.0.1:{port}")), "{error}");
    error
}

/// The kind and the text of the error of a database that was not reached. Checks exit code 1 and that no secret is printed.
async fn error_at(url: &str) -> String {
    let outcome = Running::once(&[("DATABASE_URL", url)]).outcome().await.exits(1);
    assert!(!outcome.stdout.contains("hush") && !outcome.stderr.contains("hush"), "{outcome:?}");
    let database = outcome.database();
    assert_eq!(database["server_version"], serde_json::Value::Null);
    assert_eq!(database["sequences"], serde_json::json!([]));
    let kind = database["error"]["kind"].as_str().expect("a kind");
    format!("{kind}: {}", outcome.error())
}

#[tokio::test]
async fn a_server_that_closes_at_once_is_named() {
    for parameters in ["", "?sslmode=disable"] {
        let error = error_of(drop, parameters).await;
        // The driver sees either the end of the stream or a reset, and reports the first as an unknown response.
        let said = ["the connection was closed at once", "no PostgreSQL server answers there"];
        assert!(said.iter().any(|said| error.contains(said)), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_speaks_another_language_is_named() {
    let languages: [(Serve, &str); 3] = [
        (|stream| answer(stream, b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"), "server_error: "),
        // With S, a server accepts TLS.
        (|stream| answer(stream, b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), "tls_failed: "),
        // With N, it refuses TLS. A message follows that claims to be long, and whose rest never comes.
        (|stream| answer(stream, b"NR\x7f\xff\xff\xffrubbish"), "the connection was closed at once"),
    ];
    for (serve, said) in languages {
        let error = error_of(serve, "").await;
        assert!(error.contains(said), "{error}");
    }
}

fn answer(mut stream: TcpStream, words: &[u8]) {
    let mut first = [0; 8];
    let _ = stream.read(&mut first);
    let _ = stream.write_all(words);
    // Reads the rest, so that closing does not reset what was written.
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = stream.read_to_end(&mut Vec::new());
}

#[tokio::test]
async fn an_address_where_no_server_listens_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let error = error_at(&format!("postgres://someone:hush@127.0.0.1:{port}/app")).await;
    assert!(error.starts_with("unreachable: ") && error.contains("connection refused"), "{error}");
}

#[tokio::test]
async fn a_database_that_refuses_to_be_entered_is_named_with_its_cause() {
    let mut database = Database::new().await;
    let [guest, limited] = ["guest", "limited"].map(|role| database.role(role));
    let name = database.name.clone();
    // CREATE DATABASE cannot run in a transaction, so it is sent separately.
    database.sql(&format!("CREATE DATABASE {name}_closed ALLOW_CONNECTIONS false")).await;
    database
        .sql(&format!(
            "CREATE ROLE {guest} LOGIN; CREATE ROLE {limited} LOGIN CONNECTION LIMIT 0;
             REVOKE CONNECT ON DATABASE {name} FROM PUBLIC; GRANT CONNECT ON DATABASE {name} TO {limited}"
        ))
        .await;
    for (url, cause) in [
        (database.url_as(&guest), "GRANT CONNECT ON DATABASE"),
        (database.url_as(&limited), "too many connections"),
        (database.url_as("no_such_role"), "login refused"),
        (database.url().replace(&name, &format!("{name}_closed")), "not currently accepting connections"),
        (database.url().replace(&name, "no_such_database"), "unknown database"),
    ] {
        let error = error_at(&url).await;
        assert!(error.contains(cause), "{error}");
    }
}

#[tokio::test]
async fn a_database_out_of_reach_does_not_stop_the_others() {
    let mut database = Database::new().await;
    database.sql(&behind("sessions")).await;
    let gone = database.url().replace(&database.name, "no_such_database");
    let file = database.config(&format!("[[databases]]\nname = \"gone\"\nurl = \"{gone}\"\n"));
    let path = file.path().to_str().expect("a UTF-8 path");
    let outcome = Running::once(&[("PGMEDIC_CONFIG", path)]).outcome().await.exits(1);
    assert!(outcome.error().contains("unknown database"));
    assert_eq!(outcome.json()["databases"][1]["sequences"][0]["repair"]["next_value"], 696);
}
