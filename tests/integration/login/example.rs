//! The example server under load, while its sequence is set back again and again.

use super::store::migrated_with;
use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use pgmedic::login::{Layout, SessionStore};
use sqlx::postgres::PgPoolOptions;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[path = "../../../examples/login-server/server.rs"]
mod server;

/// Status, cookie and body.
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
    let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap_or_default();
    (status, cookie.split(';').next().unwrap().to_owned(), body.to_owned())
}

async fn log_in(address: SocketAddr, name: &str, password: &str) -> (u16, String) {
    let credentials = format!("{{\"name\":\"{name}\",\"password\":\"{password}\"}}");
    let (status, cookie, _) = ask(address, "POST", "/login", "", &credentials).await;
    (status, cookie)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_login_fails_while_the_sequence_is_set_back() {
    let mut database = migrated_with(include_str!("../../../examples/login-server/users.sql")).await;
    // As quick as it gets: the hash is not what is tested here.
    let quick = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
    let hash = quick.hash_password(b"secret").unwrap();
    database
        .sql(&format!(
            "INSERT INTO users (name, password) SELECT 'user' || n, '{hash}' FROM generate_series(1, 4) AS n;
             INSERT INTO users (name, password) VALUES ('idle', '{hash}');
             INSERT INTO user_sessions SELECT id, 5, sha256(id::text::bytea), now(), now() + interval '1 day'
             FROM generate_series(1, 500) AS id"
        ))
        .await;
    let pool = PgPoolOptions::new().max_connections(8).connect(database.url()).await.unwrap();
    let store = SessionStore::open(pool.clone(), Layout::default()).await.unwrap();
    let users = pool.clone();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let running = tokio::spawn(async move { axum::serve(listener, server::router(pool, store)).await });

    for _ in 0..10 {
        database.sql("SELECT setval('user_sessions_session_id_seq', 450)").await;
        let logins: Vec<_> = (0..12)
            .map(|login| {
                tokio::spawn(async move { log_in(address, &format!("user{}", login % 4 + 1), "secret").await })
            })
            .collect();
        for login in logins {
            assert_eq!(login.await.unwrap().0, 204);
        }
    }
    let live = "SELECT count(*) FROM user_sessions WHERE user_id < 5";
    assert_eq!(database.number(live).await, 4, "one for each user");

    server::add_user(&users, "ada", "pass phrase").await.unwrap();
    let (_, cookie) = log_in(address, "ada", "pass phrase").await;
    let (status, _, body) = ask(address, "GET", "/me", &cookie, "").await;
    assert!(status == 200 && body.contains("\"user\":\"6\""), "{status} {body}");
    assert_eq!(ask(address, "POST", "/logout", &cookie, "").await.0, 204);
    assert_eq!(ask(address, "GET", "/me", &cookie, "").await.0, 401);
    assert_eq!(ask(address, "GET", "/me", "", "").await.0, 401);
    for (name, password) in [("user1", "wrong"), ("nobody", "secret")] {
        assert_eq!(log_in(address, name, password).await, (401, String::new()));
    }
    running.abort();
}
