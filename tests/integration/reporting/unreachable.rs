//! Databases that cannot be reached: each is reported with its cause, and the passes over the others complete.

use super::databases::configured;
use crate::support::{Database, pgmedic, sentence, server};
use pgmedic_testserver::{ServerOptions, TestServer};
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::LazyLock;

/// A server that asks for passwords by TCP, with a role `app` whose password is `right` and which owns a sequence.
fn strict() -> &'static TestServer {
    static SERVER: LazyLock<TestServer> = LazyLock::new(|| {
        let hba = "local all all trust\nhost all app 127.0.0.1/32 scram-sha-256\n";
        let options = ServerOptions { tcp: true, hba: Some(hba.to_owned()), ..ServerOptions::default() };
        TestServer::start(&options).expect("a PostgreSQL server")
    });
    &SERVER
}

async fn strict_url(user: &str, rest: &str) -> String {
    let mut connection = PgConnection::connect(&strict().url("postgres")).await.unwrap();
    let create = "SET password_encryption = 'scram-sha-256';
                  DO $$ BEGIN
                      PERFORM pg_advisory_xact_lock(1);
                      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app') THEN
                          CREATE ROLE app LOGIN PASSWORD 'right';
                          CREATE TABLE t (id serial PRIMARY KEY);
                          ALTER TABLE t OWNER TO app;
                      END IF;
                  END $$";
    sqlx::raw_sql(create).execute(&mut connection).await.unwrap();
    strict().tcp_url("postgres").unwrap().replace("postgres@", &format!("{user}@")) + rest
}

/// One run over an unreachable database between two good ones: these are repaired, and the error is returned.
async fn error_of(url: &str) -> String {
    let (mut one, mut two) = (Database::new().await, Database::new().await);
    for database in [&mut one, &mut two] {
        database.sql("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (7)").await;
    }
    let config = configured(&[("one", one.url()), ("away", url), ("two", two.url())]);
    let path = config.path().to_str().unwrap();
    let outcome = pgmedic(&[], &["--once", "--format", "json", "-c", path]).exits(1);
    let report = outcome.json();
    assert_eq!(report["summary"]["repaired"], 2);
    assert_eq!((one.nextval("t_id_seq").await, two.nextval("t_id_seq").await), (8, 8));
    let away = &report["databases"][1];
    assert_eq!((&away["name"], &away["sequences"]), (&"away".into(), &Value::Array(Vec::new())));
    assert_eq!(away["server_version"], Value::Null);

    let table = pgmedic(&[], &["--once", "--database", "away", "-c", path]).exits(1).stdout;
    let error = sentence(&away["error"]);
    assert!(table.contains(&format!("away: not reached\n  could not be completed: {error}\n")), "{table}");
    error
}

#[tokio::test]
async fn no_server_listens_at_the_port() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = error_of(&format!("postgres://app@{address}/shop")).await;
    assert_eq!(error, format!("{address}: connection refused; is the server running, and does it listen there?"));
}

#[tokio::test]
async fn there_is_no_such_socket() {
    let error = error_of("postgres:///shop?host=/no/such/folder&user=app&port=5433").await;
    assert!(error.starts_with("socket /no/such/folder/.s.PGSQL.5433: there is no such socket"), "{error}");
}

#[tokio::test]
async fn there_is_no_such_database() {
    let url = server().tcp_url("no_such_database").unwrap();
    let error = error_of(&url).await;
    assert!(error.ends_with("unknown database \"no_such_database\"; check the URL's last part"), "{error}");
    assert!(error.starts_with("127.0.0.1:"), "{error}");
}

#[tokio::test]
async fn the_password_is_wrong() {
    let error = error_of(&strict_url("app:wr0ng", "").await).await;
    assert!(error.contains("password refused for user \"app\""), "{error}");
    assert!(!error.contains("wr0ng"), "{error}");
}

#[tokio::test]
async fn the_password_is_right() {
    let url = strict_url("app:right", "").await;
    pgmedic(&[("DATABASE_URL", &url)], &["--once"]).exits(0);
}

#[tokio::test]
async fn there_is_no_password() {
    let error = error_of(&strict_url("app", "").await).await;
    assert!(error.contains("password"), "{error}");
    assert!(error.contains("app"), "{error}");
}

#[tokio::test]
async fn no_line_of_pg_hba_lets_the_user_in() {
    let error = error_of(&strict_url("stranger:x", "").await).await;
    assert!(error.contains("login refused:") && error.contains("pg_hba.conf"), "{error}");
}

#[tokio::test]
async fn the_role_does_not_exist() {
    let url = server().url("postgres").replace("user=postgres", "user=no_such_role");
    let error = error_of(&url).await;
    assert!(error.contains("login refused:") && error.contains("no_such_role"), "{error}");
}

#[tokio::test]
async fn connecting_is_not_granted() {
    let mut database = Database::new().await;
    let role = database.role("outside");
    database.sql(&format!("CREATE ROLE {role} LOGIN; REVOKE CONNECT ON DATABASE {} FROM PUBLIC", database.name)).await;
    let error = error_of(&database.url_as(&role)).await;
    assert!(error.contains("GRANT CONNECT ON DATABASE"), "{error}");
}

#[tokio::test]
async fn the_server_offers_no_tls() {
    let error = error_of(&strict_url("app:right", "?sslmode=require").await).await;
    assert!(error.contains("TLS failed: ") && error.contains("is TLS on at the server"), "{error}");
}

#[tokio::test]
async fn the_host_is_unknown() {
    let error = error_of("postgres://app@no-such-host.invalid/shop").await;
    assert!(error.starts_with("no-such-host.invalid:5432: "), "{error}");
    assert!(error.contains("lookup") || error.contains("resolve"), "{error}");
}

#[tokio::test]
async fn a_web_server_listens_there() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            // The client disconnects after the first byte.
            let _ = client.read(&mut [0; 1024]).and_then(|_| client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
        }
    });
    let error = error_of(&format!("postgres://app@{address}/shop")).await;
    assert!(error.starts_with(&format!("{address}: no PostgreSQL server answers there")), "{error}");
    assert!(error.ends_with("check host and port"), "{error}");
}
