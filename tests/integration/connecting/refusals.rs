//! What answers a connection, and refuses it.

use super::{connect, connects, error_of};
use crate::support::{Authority, tls_server};
use pgmedic::db::{ListenError, Listener, conninfo};
use pgmedic_testserver::{ServerOptions, TestServer};
use sqlx::{Connection, PgConnection};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;

#[tokio::test]
async fn prefer_connects_without_tls_where_only_that_is_let_in_and_allow_with_it() {
    let authority = Authority::new("company");
    let mut server = tls_server(&authority.certify("127.0.0.1"), &authority);
    let url = server.tcp_url("postgres").unwrap();
    for (line, connecting, refused) in
        [("hostnossl", ["prefer", "allow"], "require"), ("hostssl", ["allow", "prefer"], "disable")]
    {
        let hba = format!("local all all trust\n{line} all all 127.0.0.1/32 trust\n");
        fs::write(server.data_dir().join("pg_hba.conf"), hba).unwrap();
        server.restart().unwrap();
        for mode in connecting {
            connects(&format!("{url}?sslmode={mode}")).await;
        }
        let error = error_of(&format!("{url}?sslmode={refused}")).await;
        assert!(error.contains("login refused"), "{line}: {error}");
    }
}

/// The address of a listener that answers the first bytes of each client with these.
fn listener(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let _ = client.read(&mut [0; 8]).and_then(|_| client.write_all(answer));
        }
    });
    address
}

#[tokio::test]
async fn a_server_that_cannot_start_a_process_is_told_from_one_that_is_no_postgresql() {
    let no_process = listener(b"Ecould not fork new process for connection: Cannot allocate memory\n\0");
    let error = error_of(&format!("postgres://app@{no_process}/shop")).await;
    assert!(error.contains("refuses connections at the moment; its log says why"), "{error}");
    let ssh = listener(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
    for mode in ["prefer", "require"] {
        let error = error_of(&format!("postgres://app@{ssh}/shop?sslmode={mode}")).await;
        assert!(error.contains("no PostgreSQL server answers there") && !error.contains("TLS on"), "{error}");
    }
}

#[tokio::test]
async fn a_role_that_has_no_connection_left_to_listen_on_is_told_so() {
    let server = TestServer::start(&ServerOptions { tcp: true, ..ServerOptions::default() }).unwrap();
    let url = server.tcp_url("postgres").unwrap();
    let mut admin = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("CREATE ROLE few LOGIN CONNECTION LIMIT 2").execute(&mut admin).await.unwrap();
    let as_few = url.replace("postgres@", "few@");
    let target = conninfo::parse(&as_few.as_str().into(), &|_| None).unwrap();
    connect(&target).await.unwrap();
    let taken = PgConnection::connect(&as_few).await.unwrap();
    let error = Listener::open(&target).await.map(drop).unwrap_err();
    assert_eq!(error, ListenError::NoConnectionLeft);
    taken.close().await.unwrap();
    admin.close().await.unwrap();
}
